#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/// From now on libbpf's warnings are kept instead of printed.
void cbpf_keep_warnings(void);

/// The first warnings of this thread since the last call, which forgets them; never NULL.
const char *cbpf_take_warnings(void);
