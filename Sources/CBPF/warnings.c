// libbpf hands its words to a function with a va_list, which Swift cannot be.
#include "cbpf.h"

#include <stdio.h>
#include <string.h>

static _Thread_local char kept[1024], taken[1024];

static int keep(enum libbpf_print_level level, const char *format, va_list arguments) {
  size_t length = strlen(kept);
  if (level == LIBBPF_WARN && length + 1 < sizeof kept)
    vsnprintf(kept + length, sizeof kept - length, format, arguments);
  return 0;
}

void cbpf_keep_warnings(void) { libbpf_set_print(keep); }

const char *cbpf_take_warnings(void) {
  memcpy(taken, kept, sizeof taken);
  kept[0] = 0;
  return taken;
}
