/* What the reference programs share: the record, the queue, the clocks, the notification to systemd. */
#ifndef REFERENCE_H
#define REFERENCE_H

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_QUEUE_PREFIX "/stats-recording."

enum {
    RECORD_MAGIC = 0x43455253, /* "SREC" */
    RECORD_VERSION = 1,
    RECORD_CAPACITY = 1024, /* the message size of a queue */
    HEADER_BYTES = 56,
    KIND_SYSTEM_INFORMATION = 1,
    SYSTEM_INFORMATION_BYTES = 88,
    FLAG_CLOCK_SYNCHRONISED = 1,
    QUEUE_DEPTH = 64,
};

struct header {
    uint16_t kind, body_length;
    uint32_t flags;
    uint64_t instance, sequence, dropped, boottime; /* boottime: nanoseconds */
    int64_t realtime;                               /* nanoseconds */
};

enum { MEMORY_TOTAL, MEMORY_FREE, MEMORY_SHARED, MEMORY_BUFFER, SWAP_TOTAL, SWAP_FREE, HIGH_TOTAL, HIGH_FREE, MEMORY_FIELDS };

struct system_information {
    uint64_t uptime;                /* seconds */
    uint32_t load[3];               /* ten-thousandths */
    uint64_t memory[MEMORY_FIELDS]; /* bytes */
    uint32_t processes;
};

static inline void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static inline void usage(const char *text) {
    fprintf(stderr, "usage: %s\n", text);
    exit(2);
}

/* Little-endian cursors: each moves past what it put or took. */
static inline void put16(unsigned char **at, uint16_t v) { v = htole16(v), memcpy(*at, &v, sizeof v), *at += sizeof v; }
static inline void put32(unsigned char **at, uint32_t v) { v = htole32(v), memcpy(*at, &v, sizeof v), *at += sizeof v; }
static inline void put64(unsigned char **at, uint64_t v) { v = htole64(v), memcpy(*at, &v, sizeof v), *at += sizeof v; }
static inline uint16_t take16(const unsigned char **at) { uint16_t v; memcpy(&v, *at, sizeof v), *at += sizeof v; return le16toh(v); }
static inline uint32_t take32(const unsigned char **at) { uint32_t v; memcpy(&v, *at, sizeof v), *at += sizeof v; return le32toh(v); }
static inline uint64_t take64(const unsigned char **at) { uint64_t v; memcpy(&v, *at, sizeof v), *at += sizeof v; return le64toh(v); }

static inline void encode_header(unsigned char *at, const struct header *h) {
    put32(&at, RECORD_MAGIC), put16(&at, RECORD_VERSION), put16(&at, HEADER_BYTES);
    put16(&at, h->kind), put16(&at, h->body_length), put32(&at, h->flags);
    put64(&at, h->instance), put64(&at, h->sequence), put64(&at, h->dropped);
    put64(&at, h->boottime), put64(&at, (uint64_t)h->realtime);
}

/* Where the body begins, or NULL if these bytes are no record. */
static inline const unsigned char *decode_header(const unsigned char *bytes, size_t length, struct header *h) {
    const unsigned char *at = bytes;
    if (length < HEADER_BYTES || take32(&at) != RECORD_MAGIC || take16(&at) < RECORD_VERSION) return NULL;
    size_t header_length = take16(&at);
    h->kind = take16(&at), h->body_length = take16(&at), h->flags = take32(&at);
    h->instance = take64(&at), h->sequence = take64(&at), h->dropped = take64(&at);
    h->boottime = take64(&at), h->realtime = (int64_t)take64(&at);
    if (header_length < HEADER_BYTES || header_length + h->body_length > length) return NULL;
    return bytes + header_length;
}

static inline void encode_system_information(unsigned char *at, const struct system_information *s) {
    put64(&at, s->uptime);
    for (int i = 0; i < 3; i++) put32(&at, s->load[i]);
    for (int i = 0; i < MEMORY_FIELDS; i++) put64(&at, s->memory[i]);
    put32(&at, s->processes);
}

static inline void decode_system_information(const unsigned char *at, struct system_information *s) {
    s->uptime = take64(&at);
    for (int i = 0; i < 3; i++) s->load[i] = take32(&at);
    for (int i = 0; i < MEMORY_FIELDS; i++) s->memory[i] = take64(&at);
    s->processes = take32(&at);
}

static inline int64_t nanoseconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Opens a queue, or creates it: as deep as wanted, or as deep as the system allows. */
static inline mqd_t open_queue(const char *prefix, const char *program, int mode) {
    char name[256];
    snprintf(name, sizeof name, "%s%s", prefix, program);
    struct mq_attr attributes = {.mq_maxmsg = QUEUE_DEPTH, .mq_msgsize = RECORD_CAPACITY};
    mqd_t queue = mq_open(name, mode | O_CREAT | O_CLOEXEC, 0660, &attributes);
    if (queue < 0 && errno == EINVAL) {
        FILE *limit = fopen("/proc/sys/fs/mqueue/msg_max", "re");
        if (!limit || fscanf(limit, "%ld", &attributes.mq_maxmsg) != 1) fail("/proc/sys/fs/mqueue/msg_max");
        fclose(limit);
        fprintf(stderr, "%s: a depth of %ld instead of %d\n", name, attributes.mq_maxmsg, QUEUE_DEPTH);
        queue = mq_open(name, mode | O_CREAT | O_CLOEXEC, 0660, &attributes);
    }
    if (queue < 0) fail(name);
    if (mq_getattr(queue, &attributes) < 0 || attributes.mq_msgsize > RECORD_CAPACITY) errno = EMSGSIZE, fail(name);
    return queue;
}

static inline int open_signals(void) {
    sigset_t signals;
    sigemptyset(&signals), sigaddset(&signals, SIGTERM), sigaddset(&signals, SIGINT);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0) fail("sigprocmask");
    int descriptor = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (descriptor < 0) fail("signalfd");
    return descriptor;
}

/* A periodic timer whose first tick comes at once. */
static inline int open_timer(long milliseconds) {
    int descriptor = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    struct itimerspec period = {
        .it_value.tv_nsec = 1,
        .it_interval = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000},
    };
    if (descriptor < 0 || timerfd_settime(descriptor, 0, &period, NULL) < 0) fail("timerfd");
    return descriptor;
}

/* sd_notify(3), spoken by hand. */
static inline void notify(const char *state) {
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = path ? strlen(path) : 0;
    if (length == 0 || length >= sizeof address.sun_path) return;
    static int descriptor = -1;
    if (descriptor < 0) descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, path, length);
    if (path[0] == '@') address.sun_path[0] = '\0';
    sendto(descriptor, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
           (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
}

/* Half the watchdog's period in milliseconds, to wait no longer than that; -1 without a watchdog. */
static inline int watchdog_milliseconds(void) {
    const char *period = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    if (!period || (pid && atol(pid) != getpid())) return -1;
    return (int)(atoll(period) / 2000);
}

#endif
