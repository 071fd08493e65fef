/* The honest C program of the shape of cyclic-sysinfo: sysinfo(2) at an interval, one record into one queue. */
#include "reference.h"

#include <sys/epoll.h>
#include <sys/sysinfo.h>
#include <sys/timex.h>

static uint64_t instance, sequence, dropped;

static uint32_t clock_flags(void) {
    struct timex clock = {0};
    return adjtimex(&clock) < 0 || clock.status & STA_UNSYNC ? 0 : FLAG_CLOCK_SYNCHRONISED;
}

static void sample(struct system_information *s) {
    struct sysinfo raw;
    if (sysinfo(&raw) < 0) fail("sysinfo");
    s->uptime = (uint64_t)raw.uptime;
    for (int i = 0; i < 3; i++) s->load[i] = (uint32_t)(((uint64_t)raw.loads[i] * 10000 + 32768) >> 16);
    const uint64_t units[MEMORY_FIELDS] = {raw.totalram,  raw.freeram,  raw.sharedram, raw.bufferram,
                                           raw.totalswap, raw.freeswap, raw.totalhigh, raw.freehigh};
    for (int i = 0; i < MEMORY_FIELDS; i++) s->memory[i] = units[i] * raw.mem_unit;
    s->processes = raw.procs;
}

static void send_sample(mqd_t queue) {
    unsigned char record[HEADER_BYTES + SYSTEM_INFORMATION_BYTES];
    struct system_information body;
    sample(&body);
    encode_header(record, &(struct header){
        .kind = KIND_SYSTEM_INFORMATION,
        .body_length = SYSTEM_INFORMATION_BYTES,
        .flags = clock_flags(),
        .instance = instance,
        .sequence = sequence++,
        .dropped = dropped,
        .boottime = (uint64_t)nanoseconds(CLOCK_BOOTTIME),
        .realtime = nanoseconds(CLOCK_REALTIME),
    });
    encode_system_information(record + HEADER_BYTES, &body);
    while (mq_send(queue, (const char *)record, sizeof record, 0) < 0) {
        if (errno == EINTR) continue;
        if (errno != EAGAIN) fail("mq_send");
        dropped++;
        break;
    }
}

int main(int count, char **arguments) {
    const char *prefix = DEFAULT_QUEUE_PREFIX;
    long interval = 1000;
    for (int i = 1; i < count; i += 2) {
        const char *value = i + 1 < count ? arguments[i + 1] : NULL;
        if (value && !strcmp(arguments[i], "--queue-prefix")) prefix = value;
        else if (value && !strcmp(arguments[i], "--interval-ms") && atol(value) > 0) interval = atol(value);
        else usage("reference-collector [--queue-prefix /NAME.] [--interval-ms N]");
    }

    instance = (uint64_t)nanoseconds(CLOCK_BOOTTIME) / 1000000;
    mqd_t queue = open_queue(prefix, "cyclic-sysinfo", O_WRONLY | O_NONBLOCK);
    int signals = open_signals(), timer = open_timer(interval), loop = epoll_create1(EPOLL_CLOEXEC);
    if (loop < 0 || epoll_ctl(loop, EPOLL_CTL_ADD, timer, &(struct epoll_event){EPOLLIN, {.fd = timer}}) < 0 ||
        epoll_ctl(loop, EPOLL_CTL_ADD, signals, &(struct epoll_event){EPOLLIN, {.fd = signals}}) < 0) fail("epoll");
    int patience = watchdog_milliseconds();
    notify("READY=1");

    for (;;) {
        struct epoll_event event;
        uint64_t ticks;
        int ready = epoll_wait(loop, &event, 1, patience);
        if (ready < 0 && errno != EINTR) fail("epoll_wait");
        if (ready > 0 && event.data.fd == signals) break;
        if (ready > 0 && read(timer, &ticks, sizeof ticks) == sizeof ticks) send_sample(queue);
        if (patience > 0) notify("WATCHDOG=1");
    }
    notify("STOPPING=1");
    return 0;
}
