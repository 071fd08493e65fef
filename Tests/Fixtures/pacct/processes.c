// Processes whose ends are known, and a pid namespace to account them in: acct(2) works on the
// namespace of its caller, so tests of process accounting neither disturb the machine nor each other.
//
//   processes hold                    makes a pid namespace, prints its init's pid, waits
//   processes join INIT COMMAND...    runs a command in it; SIGTERM goes on to the command, and
//                                     SIGKILL kills it too
//   processes burst NAME COUNT        COUNT processes of that name, one after the other: the nth
//                                     ends with exit code n % 7, or every tenth by a signal
//   processes burn MILLISECONDS       uses so much CPU time
//   processes core                    dies of SIGSEGV
//   processes named HEX               ends with a name of these bytes
//   processes thread-group            the first thread ends with 0, then SIGKILL ends the process
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  exit(99);
}

static int hold(void) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (unshare(CLONE_NEWPID | CLONE_NEWNS)) fail("unshare");
  pid_t init = fork();
  if (init < 0) fail("fork");
  if (init == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "init");
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL)) fail("mount /");
    if (mount("proc", "/proc", "proc", 0, NULL)) fail("mount /proc");
    signal(SIGCHLD, SIG_IGN);  // nobody is to stay a zombie
    printf("ready\n");
    fflush(stdout);
    for (;;) pause();
  }
  printf("%d\n", init);
  fflush(stdout);
  waitpid(init, NULL, 0);
  return 0;
}

static pid_t command;
static void forward(int number) { kill(command, number); }

static int join(int init, char **arguments) {
  static const char *const kinds[] = {"pid", "mnt"};
  int namespaces[2];
  for (int index = 0; index < 2; index++) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/%s", init, kinds[index]);
    namespaces[index] = open(path, O_RDONLY | O_CLOEXEC);
    if (namespaces[index] < 0) fail(path);
  }
  char folder[4096];
  if (!getcwd(folder, sizeof folder)) fail("getcwd");
  for (int index = 0; index < 2; index++)
    if (setns(namespaces[index], 0)) fail("setns");
  if (chdir(folder)) fail("chdir");
  command = fork();
  if (command < 0) fail("fork");
  if (command == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp(arguments[0], arguments);
    fail(arguments[0]);
  }
  struct sigaction action = {.sa_handler = forward};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGUSR1, &action, NULL);
  int status;
  while (waitpid(command, &status, 0) < 0)
    if (errno != EINTR) fail("waitpid");
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  return 128 + WTERMSIG(status);
}

static int burst(const char *name, int count) {
  static const int signals[] = {SIGKILL, SIGTERM, SIGHUP, SIGUSR1};
  prctl(PR_SET_NAME, name);
  for (int number = 0; number < count; number++) {
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
      if (number % 10 == 9) {
        signal(signals[number / 10 % 4], SIG_DFL);
        raise(signals[number / 10 % 4]);
      }
      _exit(number % 7);
    }
    if (waitpid(child, NULL, 0) != child) fail("waitpid");
  }
  return 0;
}

static int burn(long milliseconds) {
  struct timespec used;
  do clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  while (used.tv_sec * 1000 + used.tv_nsec / 1000000 < milliseconds);
  return 0;
}

static void *kill_later(void *unused) {
  usleep(50000);
  kill(getpid(), SIGKILL);
  return unused;
}

static int thread_group(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, kill_later, NULL);
  pthread_exit(NULL);
}

int main(int count, char **arguments) {
  const char *mode = count > 1 ? arguments[1] : "";
  if (!strcmp(mode, "hold")) return hold();
  if (!strcmp(mode, "join") && count > 3) return join(atoi(arguments[2]), arguments + 3);
  if (!strcmp(mode, "burst") && count > 3) return burst(arguments[2], atoi(arguments[3]));
  if (!strcmp(mode, "burn") && count > 2) return burn(atol(arguments[2]));
  if (!strcmp(mode, "core")) return raise(SIGSEGV);
  if (!strcmp(mode, "thread-group")) return thread_group();
  if (!strcmp(mode, "named") && count > 2) {
    char name[17] = "";
    for (int index = 0; index < 16; index++)
      if (sscanf(arguments[2] + 2 * index, "%2hhx", (unsigned char *)name + index) != 1) break;
    prctl(PR_SET_NAME, name);
    return 0;
  }
  fprintf(stderr, "processes: see its source for what it can do\n");
  return 2;
}
