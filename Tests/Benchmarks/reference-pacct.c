/* The honest C program of the shape of inotify-pacct: follows an accounting file; what the queue does not take waits in it. */
#include "collector.h"

#include <sys/acct.h>
#include <sys/inotify.h>

enum { PROCESS_EXIT = 64, RECORD_SIZE = 64, CHANGED = 0, ROOM = 1, PACE = 2 };

static unsigned char buffer[65536];
static size_t buffered, consumed;
static int file;

static uint64_t expand(comp_t number) { return (uint64_t)(number & 0x1fff) << (3 * (number >> 13)); }

static size_t terminal_name(uint16_t number, char *name, size_t capacity) {
    unsigned major = number >> 8, minor = number & 0xff;
    if (number == 0) return 0;
    if (major == 4) return (size_t)snprintf(name, capacity, minor < 64 ? "tty%u" : "ttyS%u", minor < 64 ? minor : minor - 64);
    if (major == 5 && minor == 1) return (size_t)snprintf(name, capacity, "console");
    if (major >= 136 && major <= 143) return (size_t)snprintf(name, capacity, "pts/%u", (major - 136) << 8 | minor);
    return (size_t)snprintf(name, capacity, "%u:%u", major, minor);
}

/* The body of an acct_v3, or NULL for what is none. */
static unsigned char *decode(const unsigned char *bytes) {
    struct acct_v3 a;
    char terminal[16];
    memcpy(&a, bytes, sizeof a);
    if ((a.ac_version & 0x7f) != 3 || !(a.ac_etime >= 0)) return NULL;
    uint8_t signal = a.ac_exitcode & 0x7f;
    unsigned char *at = begin_body();
    put32(&at, a.ac_pid), put32(&at, a.ac_ppid), put32(&at, a.ac_uid), put32(&at, a.ac_gid);
    put_text(&at, a.ac_comm, strnlen(a.ac_comm, sizeof a.ac_comm), 16);
    put_text(&at, terminal, terminal_name(a.ac_tty, terminal, sizeof terminal), 16);
    put8(&at, (uint8_t)(a.ac_exitcode >> 8)), put8(&at, signal), put8(&at, (a.ac_flag & AXSIG) || signal);
    put8(&at, (a.ac_flag & ACORE) || (a.ac_exitcode & 0x80)), put8(&at, (a.ac_flag & AFORK) != 0);
    put8(&at, (a.ac_flag & ASU) != 0), put64(&at, a.ac_btime), put64(&at, (uint64_t)a.ac_etime);
    put64(&at, expand(a.ac_utime)), put64(&at, expand(a.ac_stime)), put64(&at, expand(a.ac_mem) * 1024);
    put64(&at, expand(a.ac_minflt)), put64(&at, expand(a.ac_majflt)), put64(&at, expand(a.ac_io));
    return at;
}

/* Tells all that there is. False: the queue is full, and the rest waits. */
static bool work(uint64_t *told) {
    for (;;) {
        for (; consumed + RECORD_SIZE <= buffered; consumed += RECORD_SIZE) {
            const unsigned char *end = decode(buffer + consumed);
            if (!end) continue;
            if (!offer_body(PROCESS_EXIT, end)) return false;
            ++*told;
        }
        memmove(buffer, buffer + consumed, buffered - consumed);
        buffered -= consumed, consumed = 0;
        ssize_t more = read(file, buffer + buffered, sizeof buffer - buffered);
        if (more < 0) fail("read");
        if (more == 0) return true;
        buffered += (size_t)more;
    }
}

int main(int count, char **arguments) {
    const char *path = option(count, arguments, "--file", "/var/log/account/pacct");
    bool from_start = !strcmp(option(count, arguments, "--from", "end"), "start");
    if (count % 2 == 0) usage("reference-pacct [--queue-prefix /NAME.] [--file PATH] [--from start|end]");
    begin("inotify-pacct", count, arguments);
    if ((file = open(path, O_RDONLY | O_CLOEXEC)) < 0) fail(path);
    if (!from_start) lseek(file, 0, SEEK_END);
    int inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), pace = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (inotify_add_watch(inotify, path, IN_MODIFY) < 0 || pace < 0) fail(path);
    watch(inotify, EPOLLIN, CHANGED), watch(queue, 0, ROOM), watch(pace, EPOLLIN, PACE);
    notify("READY=1");
    int64_t last_told = 0;
    uint64_t told = 0, before;
    do {
        before = told;
        bool blocked = !work(&told), busy = told != before && nanoseconds(CLOCK_MONOTONIC) - last_told < 50000000;
        if (told != before) last_told = nanoseconds(CLOCK_MONOTONIC);
        /* While many come, some are let gather for 10 ms: a wake-up each would cost more than all else. */
        watch(inotify, blocked || busy ? 0 : EPOLLIN, CHANGED), watch(queue, blocked ? EPOLLOUT : 0, ROOM);
        if (busy && !blocked) timerfd_settime(pace, 0, &(struct itimerspec){.it_value.tv_nsec = 10000000}, NULL);
        int source = next_ready(NULL);
        if (source < 0) break;
        if (source == PACE) take_expirations(pace);
        char events[4096];
        if (source != ROOM) while (read(inotify, events, sizeof events) > 0) {}
    } while (true);
    return 0;
}
