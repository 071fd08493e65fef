// As in clinux.h: the modules must agree on what glibc declares.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <systemd/sd-daemon.h>
#include <systemd/sd-id128.h>
