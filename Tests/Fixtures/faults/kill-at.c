/* Kills a program at an instruction: kill-at CALL COUNT STEPS TERM COMMAND...
 *
 * Lets COMMAND run under ptrace(2) until the system call CALL has succeeded COUNT times, goes on by STEPS
 * single instructions, and kills it with SIGKILL. After TERM milliseconds COMMAND is sent SIGTERM, unless
 * that is 0. SIGTERM to kill-at kills COMMAND at once. Prints how it ended: "killed", or "ended" where COMMAND came to its end before.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct { const char *name; unsigned long long number; } calls[] = {
    {"mq_timedreceive", SYS_mq_timedreceive}, {"read", SYS_read}, {"recvfrom", SYS_recvfrom},
    {"sendto", SYS_sendto}, {"write", SYS_write}, {"fsync", SYS_fsync}, {"rename", SYS_rename},
    {"unlink", SYS_unlink}, {"pread64", SYS_pread64}, {"mmap", SYS_mmap}, {"ftruncate", SYS_ftruncate},
    {"fallocate", SYS_fallocate}, {"flock", SYS_flock}, {"madvise", SYS_madvise},
};

static pid_t child;

/* The child must be gone before its tracer is: who starts it again finds its queues locked otherwise. */
static void end_child(void) {
    kill(child, SIGKILL);
    int status;
    while (waitpid(child, &status, 0) < 0 || (!WIFEXITED(status) && !WIFSIGNALED(status))) {
        if (errno == ECHILD) break;
    }
}

static void fail(const char *what) {
    perror(what);
    if (child > 0) end_child();
    exit(1);
}

/* Nobody needs the tracer any more. */
static void give_up(int signal_number) {
    (void)signal_number;
    kill(child, SIGKILL);
}

static void terminate(int signal_number) {
    (void)signal_number;
    kill(child, SIGTERM);
}

static void finish(const char *how, int steps) {
    end_child();
    printf("%s after %d steps\n", how, steps);
    exit(0);
}

/* The signal to go on with, or -1: the program has ended. */
static int wait_for_stop(int *is_call) {
    int status;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) fail("waitpid");
    }
    if (WIFEXITED(status) || WIFSIGNALED(status)) return -1;
    int number = WSTOPSIG(status);
    *is_call = number == (SIGTRAP | 0x80);
    return number == SIGTRAP || *is_call ? 0 : number;
}

int main(int argc, char **argv) {
    if (argc < 6) return 2;
    long long wanted = -1;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (!strcmp(calls[i].name, argv[1])) wanted = (long long)calls[i].number;
    }
    int count = atoi(argv[2]), steps = atoi(argv[3]), term = atoi(argv[4]);
    if (wanted < 0) return 2;

    child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0) _exit(126);
        execv(argv[5], argv + 5);
        _exit(127);
    }
    int is_call;
    if (wait_for_stop(&is_call) < 0) fail("exec");
    if (ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD) < 0) fail("ptrace");
    signal(SIGALRM, terminate);
    signal(SIGTERM, give_up);
    struct itimerval timer = {.it_value = {term / 1000, term % 1000 * 1000}};
    setitimer(ITIMER_REAL, &timer, NULL);

    int number = 0, inside = 0;
    while (count > 0) {
        if (ptrace(PTRACE_SYSCALL, child, 0, number) < 0) fail("PTRACE_SYSCALL");
        number = wait_for_stop(&is_call);
        if (number < 0) { printf("ended\n"); return 0; }
        if (!is_call) continue;
        struct __ptrace_syscall_info info;
        if (ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) < 0) fail("PTRACE_GET_SYSCALL_INFO");
        if (info.op == PTRACE_SYSCALL_INFO_ENTRY) inside = (long long)info.entry.nr == wanted;
        if (info.op == PTRACE_SYSCALL_INFO_EXIT && inside && !info.exit.is_error) count--;
    }
    for (int step = 0; step < steps; step++) {
        if (ptrace(PTRACE_SINGLESTEP, child, 0, number) < 0) fail("PTRACE_SINGLESTEP");
        number = wait_for_stop(&is_call);
        if (number < 0) { printf("ended\n"); return 0; }
    }
    finish("killed", steps);
}
