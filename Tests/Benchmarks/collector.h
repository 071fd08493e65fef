/* What the reference collectors have in common: options, bodies and their way into the queue, the loop. */
#ifndef COLLECTOR_H
#define COLLECTOR_H

#include "reference.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/timex.h>

enum { SIGNALS = 1000 }; /* what the loop's own descriptor is for; a program's sources count from 0 */

static mqd_t queue = -1;
static uint64_t instance, sequence, dropped;
static bool queue_full;
static unsigned char record[RECORD_CAPACITY];
static int loop = -1, patience = -1;

/* The value behind an option of the command line, which is all of `--name value`. */
static inline const char *option(int count, char **arguments, const char *name, const char *fallback) {
    for (int i = 1; i + 1 < count; i += 2)
        if (!strcmp(arguments[i], name)) return arguments[i + 1];
    return fallback;
}

static inline void put8(unsigned char **at, uint8_t v) { *(*at)++ = v; }

static inline void put_text(unsigned char **at, const char *text, size_t length, size_t capacity) {
    uint16_t cut = length > capacity ? 0x8000 : 0;
    if (cut) length = capacity;
    put16(at, (uint16_t)(length | cut));
    memcpy(*at, text, length), memset(*at + length, 0, capacity - length), *at += capacity;
}

static inline unsigned char *begin_body(void) { return record + HEADER_BYTES; }

static inline bool push(size_t length) {
    while (mq_send(queue, (const char *)record, length, 0) < 0) {
        if (errno == EAGAIN) return false;
        if (errno != EINTR) fail("mq_send");
    }
    return true;
}

static inline size_t finish_record(uint16_t kind, const unsigned char *end) {
    struct timex clock = {0};
    bool synchronised = adjtimex(&clock) >= 0 && !(clock.status & STA_UNSYNC);
    encode_header(record, &(struct header){
        .kind = kind,
        .body_length = (uint16_t)(end - record - HEADER_BYTES),
        .flags = synchronised ? FLAG_CLOCK_SYNCHRONISED : 0,
        .instance = instance,
        .sequence = sequence,
        .dropped = dropped,
        .boottime = (uint64_t)nanoseconds(CLOCK_BOOTTIME),
        .realtime = nanoseconds(CLOCK_REALTIME),
    });
    return (size_t)(end - record);
}

/* Sends the body up to `end`. A queue that is full is waited for once, for 50 ms; then the record is dropped and counted. */
static inline void send_body(uint16_t kind, const unsigned char *end) {
    size_t length = finish_record(kind, end);
    sequence++;
    bool sent = push(length);
    if (!sent && !queue_full) sent = poll(&(struct pollfd){queue, POLLOUT, 0}, 1, 50) > 0 && push(length);
    queue_full = !sent;
    if (!sent) dropped++;
}

/* Sends the body unless the queue is full: for a source that keeps what is not taken. */
static inline bool offer_body(uint16_t kind, const unsigned char *end) {
    if (!push(finish_record(kind, end))) return false;
    sequence++;
    return true;
}

static inline void watch(int descriptor, uint32_t events, uint32_t what) {
    struct epoll_event event = {events, {.u32 = what}};
    if (epoll_ctl(loop, EPOLL_CTL_MOD, descriptor, &event) == 0) return;
    if (errno != ENOENT || epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &event) < 0) fail("epoll_ctl");
}

static inline void begin(const char *program, int count, char **arguments) {
    instance = (uint64_t)nanoseconds(CLOCK_BOOTTIME) / 1000000;
    queue = open_queue(option(count, arguments, "--queue-prefix", DEFAULT_QUEUE_PREFIX), program, O_WRONLY | O_NONBLOCK);
    if ((loop = epoll_create1(EPOLL_CLOEXEC)) < 0) fail("epoll_create1");
    watch(open_signals(), EPOLLIN, SIGNALS);
    patience = watchdog_milliseconds();
}

/* The source that is ready, or -1 when it is time to end. Feeds the watchdog. */
static inline int next_ready(uint32_t *events) {
    for (;;) {
        struct epoll_event event;
        int ready = epoll_wait(loop, &event, 1, patience);
        if (ready < 0 && errno != EINTR) fail("epoll_wait");
        if (patience > 0) notify("WATCHDOG=1");
        if (ready <= 0) continue;
        if (events) *events = event.events;
        if (event.data.u32 != SIGNALS) return (int)event.data.u32;
        notify("STOPPING=1");
        return -1;
    }
}

static inline void take_expirations(int timer) {
    uint64_t expirations;
    if (read(timer, &expirations, sizeof expirations) < 0 && errno != EAGAIN) fail("timerfd");
}

#endif
