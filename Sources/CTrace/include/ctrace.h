#pragma once

#include "libdtrace.h"

#include <sys/types.h>

/// Starts a program in a process group of its own that ends, with SIGKILL, when the calling thread
/// does. Returns 0 or an errno: of execve(2) too.
int ctrace_spawn(const char *path, char *const arguments[], char *const environment[], int output,
                 int errors, pid_t *child);

/// A pipe that no program inherits by accident, with room for bursts. Returns 0 or an errno.
int ctrace_pipe(int ends[2]);
