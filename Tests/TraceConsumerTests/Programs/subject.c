// Does a known number of things, for a tracer to count. `subject COMMAND [NUMBER]`; each command waits
// for nothing and says in one line what it did.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sdt.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

// Not with write(2), which may be what is counted.
static void say(const char *words) {
  struct iovec line = {(void *)words, strlen(words)};
  if (writev(1, &line, 1) < 0) exit(1);
}

__attribute__((noinline)) int traced_function(int value) {
  __asm__ volatile("");
  DTRACE_PROBE1(subject, called, value);
  return value * 2;
}

static void call(int count) {
  long sum = 0, returned = 0;
  for (int index = 0; index < count; index++) {
    sum += index;
    returned += traced_function(index);
  }
  char line[100];
  snprintf(line, sizeof line, "%d %ld %ld\n", count, sum, returned);
  say(line);
}

static void read_bytes(int count) {
  if (dup2(open("/dev/zero", O_RDONLY), 77) != 77) exit(1);
  char byte;
  for (int index = 0; index < count; index++)
    if (read(77, &byte, 1) != 1) exit(1);
}

// Says what the kernel has counted for this process, wchar of /proc/PID/io.
static void write_bytes(int count) {
  int null = open("/dev/null", O_WRONLY);
  static char bytes[5000];
  for (int index = 0; index < count; index++)
    if (write(null, bytes, index % 5000) < 0) exit(1);
  char text[1000] = "";
  int io = open("/proc/self/io", O_RDONLY);
  if (read(io, text, sizeof text - 1) < 0) exit(1);
  char line[100];
  snprintf(line, sizeof line, "%lld\n", atoll(strstr(text, "wchar:") + 6));
  say(line);
}

// Says how long each took, in microseconds.
static void sleep_times(void) {
  static const struct { int times, microseconds; } naps[] = {{60, 2500}, {30, 12500}, {10, 42500}};
  for (int kind = 0; kind < 3; kind++)
    for (int nap = 0; nap < naps[kind].times; nap++) {
      struct timespec begin, end, length = {0, naps[kind].microseconds * 1000};
      clock_gettime(CLOCK_MONOTONIC, &begin);
      syscall(SYS_nanosleep, &length, NULL); // glibc would call clock_nanosleep
      clock_gettime(CLOCK_MONOTONIC, &end);
      char line[40];
      snprintf(line, sizeof line, "%ld\n",
               (end.tv_sec - begin.tv_sec) * 1000000 + (end.tv_nsec - begin.tv_nsec) / 1000);
      say(line);
    }
}

static void open_files(int count) {
  for (int index = 0; index < count; index++) {
    close(open("/dev/null", O_RDONLY));
    if (index % 3 == 0) open("/nonexistent/file", O_RDONLY);
  }
}

// One failed open under each of so many names that no other process has.
static void many_names(int count) {
  for (int index = 0; index < count; index++) {
    char name[16];
    snprintf(name, sizeof name, "%d.%d", getpid(), index);
    prctl(PR_SET_NAME, name);
    open("/nonexistent/file", O_RDONLY);
  }
  char line[40];
  snprintf(line, sizeof line, "%d\n", getpid());
  say(line);
}

int main(int argc, char **argv) {
  const char *command = argc > 1 ? argv[1] : "";
  int count = argc > 2 ? atoi(argv[2]) : 0;
  if (!strcmp(command, "call")) call(count);
  else if (!strcmp(command, "read")) read_bytes(count);
  else if (!strcmp(command, "write")) write_bytes(count);
  else if (!strcmp(command, "sleep")) sleep_times();
  else if (!strcmp(command, "open")) open_files(count);
  else if (!strcmp(command, "names")) many_names(count);
  else return 2;
  return 0;
}
