// posix_spawn(3) cannot tie a child to its parent's life.
#define _GNU_SOURCE
#include "ctrace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// Between fork and execve only what signal-safety(7) allows: other threads may hold any lock.
static void become(const char *path, char *const arguments[], char *const environment[], int output,
                   int errors, pid_t parent, int report) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127); // It ended before the call above.
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  int input = open("/dev/null", O_RDONLY);
  if (input >= 0 && dup2(input, 0) >= 0 && dup2(output, 1) >= 0 && dup2(errors, 2) >= 0)
    execve(path, arguments, environment);
  int error = errno;
  if (write(report, &error, sizeof error) < 0) _exit(126);
  _exit(127);
}

int ctrace_spawn(const char *path, char *const arguments[], char *const environment[], int output,
                 int errors, pid_t *child) {
  int report[2];
  if (pipe2(report, O_CLOEXEC) < 0) return errno;
  pid_t parent = getpid();
  *child = fork();
  if (*child == 0) become(path, arguments, environment, output, errors, parent, report[1]);
  int error = *child < 0 ? errno : 0;
  close(report[1]);
  if (*child > 0) {
    ssize_t count;
    do count = read(report[0], &error, sizeof error);
    while (count < 0 && errno == EINTR);
    if (count > 0) waitpid(*child, NULL, 0);
  }
  close(report[0]);
  return error;
}

int ctrace_pipe(int ends[2]) {
  if (pipe2(ends, O_CLOEXEC) < 0) return errno;
  fcntl(ends[0], F_SETPIPE_SZ, 1 << 20); // Less room where this is more than a user may have.
  return 0;
}
