// glibc and the kernel as Swift sees them. What Swift cannot import (variadic functions, errno,
// macros with arguments, unions of a struct) stands here as a static inline; there is no logic.
//
// Without _GNU_SOURCE: Foundation's modules import glibc without it, and the two would not agree on
// what is in fd_set.
#pragma once
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <linux/magic.h>
#include <mqueue.h>
#include <netdb.h>
#include <pthread.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/ucontext.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

// memmem(3) and memrchr(3), which glibc declares with _GNU_SOURCE alone.
extern void *memmem(const void *, size_t, const void *, size_t);
static inline void *clinux_memmem(const void *bytes, size_t count, const void *wanted, size_t wanted_count) {
  return memmem(bytes, count, wanted, wanted_count);
}
extern void *memrchr(const void *, int, size_t);
static inline void *clinux_memrchr(const void *bytes, int byte, size_t count) {
  return memrchr(bytes, byte, count);
}

// A wrong toolset must not build; the C compiler and Swift's importer both check.
#if !defined(__linux__)
#error "pass --target=<arch>-linux-gnu* to the C importer: the *-none-* triples do not define __linux__"
#endif
#if defined(__arm__) && !defined(__ARM_PCS_VFP)
#error "armhf needs -mfloat-abi=hard"
#endif
_Static_assert(sizeof(time_t) == 8 && sizeof(off_t) == 8,
               "armhf needs -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64");

static inline int clinux_errno(void) { return errno; }

static inline int clinux_open(const char *path, int flags, mode_t mode) {
  return open(path, flags, mode);
}
// Names and paths as bytes that end with a NUL, as the kernel gave them.
static inline int clinux_openat(int folder, const void *name, int flags) {
  return openat(folder, (const char *)name, flags);
}
static inline int clinux_statvfs(const void *path, struct statvfs *status) {
  return statvfs((const char *)path, status);
}
static inline int clinux_fstatat(int folder, const void *name, struct stat *status) {
  return fstatat(folder, (const char *)name, status, 0);
}
// getdents64(2) and close_range(2): glibc has them under _GNU_SOURCE alone.
static inline ssize_t clinux_getdents64(int folder, void *entries, size_t size) {
  return syscall(SYS_getdents64, folder, entries, size);
}
static inline int clinux_close_from(unsigned first) {
  return (int)syscall(SYS_close_range, first, ~0U, 0);
}
// fcntl(2) F_SETFD.
static inline int clinux_close_on_exec(int fd) { return fcntl(fd, F_SETFD, FD_CLOEXEC); }
// ioctl(2) IOCTL_MBOX_PROPERTY of the vcio driver, which has no header for programs.
static inline int clinux_vcio_property(int fd, void *message) {
  return ioctl(fd, _IOWR(100, 0, char *), message);
}
// prctl(2) PR_SET_PDEATHSIG.
static inline int clinux_die_with_parent(int number) {
  return prctl(PR_SET_PDEATHSIG, number, 0, 0, 0);
}
// prctl(2) PR_SET_DUMPABLE: no core dump, and /proc/PID belongs to root.
static inline int clinux_forbid_core_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
// readdir(3) tells an error from the end by errno alone, which must be 0 before.
static inline struct dirent *clinux_readdir(DIR *folder) {
  errno = 0;
  return readdir(folder);
}
static inline mqd_t clinux_mq_open(const char *name, int flags, mode_t mode, struct mq_attr *attr) {
  return mq_open(name, flags, mode, attr);
}

// mq_send(3) and mq_receive(3) for bytes that are not char.
static inline int clinux_mq_send(mqd_t queue, const void *bytes, size_t count) {
  return mq_send(queue, (const char *)bytes, count, 0);
}
static inline ssize_t clinux_mq_receive(mqd_t queue, void *bytes, size_t count) {
  return mq_receive(queue, (char *)bytes, count, NULL);
}

// What was written before is there when this is: for memory that outlives the process.
static inline void clinux_store_release(void *place, uint32_t value) {
  __atomic_store_n((uint32_t *)place, value, __ATOMIC_RELEASE);
}

// Where a file has the first hole from here on, or its end: SEEK_HOLE of lseek(2) is under _GNU_SOURCE.
static inline off_t clinux_first_hole(int file, off_t start) { return lseek(file, start, 4); }

// struct epoll_event is packed on amd64 alone, and its `data` is a union.
static inline int clinux_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
  struct epoll_event event = {.events = events, .data.u64 = data};
  return epoll_ctl(epoll, operation, fd, &event);
}
static inline uint32_t clinux_epoll_event_events(const struct epoll_event *event) {
  return event->events;
}
static inline uint64_t clinux_epoll_event_data(const struct epoll_event *event) {
  return event->data.u64;
}

// `sun_path` is an array, `struct sockaddr` a cast away: connect(2) to a UNIX socket's address.
static inline int clinux_connect_unix(int fd, const struct sockaddr_un *address, socklen_t length) {
  return connect(fd, (const struct sockaddr *)address, length);
}

// A process that ends at once: Swift has no fork(2), and a child could not safely run any of it.
static inline pid_t clinux_fork_and_exit(void) {
  pid_t child = fork();
  if (child == 0) _exit(0);
  return child;
}

// SIG_IGN is a pointer cast.
static inline void clinux_ignore_signal(int number) { signal(number, SIG_IGN); }

// Where a signal struck, relative to the start of the program's file as llvm-symbolizer wants it.
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
static inline uintptr_t clinux_program_offset(const void *context) {
  const ucontext_t *state = (const ucontext_t *)context;
#if defined(__x86_64__)
  uintptr_t counter = (uintptr_t)state->uc_mcontext.gregs[16];  // REG_RIP
#elif defined(__aarch64__)
  uintptr_t counter = (uintptr_t)state->uc_mcontext.pc;
#elif defined(__arm__)
  uintptr_t counter = (uintptr_t)state->uc_mcontext.arm_pc;
#else
#error "say where this architecture keeps its program counter"
#endif
  return counter - (uintptr_t)__ehdr_start;
}
// sa_sigaction is a member of a union, and Swift sees only one of its names.
static inline int clinux_on_signal(int number, void (*handler)(int, siginfo_t *, void *), int flags) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags};
  return sigaction(number, &action, NULL);
}

// The command line: Embedded Swift has no CommandLine, but glibc hands it to constructors.
int clinux_argument_count(void);
const char *clinux_argument(int index);
