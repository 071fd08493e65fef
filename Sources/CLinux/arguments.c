#include "clinux.h"

static int count;
static char **arguments;

__attribute__((constructor)) static void keep_arguments(int argc, char **argv) {
  count = argc;
  arguments = argv;
}

int clinux_argument_count(void) { return count; }
const char *clinux_argument(int index) { return arguments[index]; }
