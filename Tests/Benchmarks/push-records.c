/* Load for the bridge: valid records, as fast as the queue takes them or at a rate. Prints the elapsed seconds. */
#include "reference.h"

int main(int count, char **arguments) {
    const char *prefix = DEFAULT_QUEUE_PREFIX, *program = "cyclic-sysinfo";
    uint64_t records = 10000, instance = 1, rate = 0;
    size_t size = HEADER_BYTES + SYSTEM_INFORMATION_BYTES;
    for (int i = 1; i < count; i += 2) {
        const char *value = i + 1 < count ? arguments[i + 1] : NULL;
        if (value && !strcmp(arguments[i], "--queue-prefix")) prefix = value;
        else if (value && !strcmp(arguments[i], "--program")) program = value;
        else if (value && !strcmp(arguments[i], "--count")) records = strtoull(value, NULL, 10);
        else if (value && !strcmp(arguments[i], "--instance")) instance = strtoull(value, NULL, 10);
        else if (value && !strcmp(arguments[i], "--rate")) rate = strtoull(value, NULL, 10);
        else if (value && !strcmp(arguments[i], "--size")) size = strtoull(value, NULL, 10);
        else usage("push-records [--queue-prefix /NAME.] [--program NAME] [--count N] [--instance N] "
                   "[--rate RECORDS-PER-SECOND] [--size BYTES]");
    }
    if (size < HEADER_BYTES + SYSTEM_INFORMATION_BYTES || size > RECORD_CAPACITY) usage("--size takes 144 to 1024");

    mqd_t queue = open_queue(prefix, program, O_WRONLY);
    unsigned char record[RECORD_CAPACITY] = {0}; /* a larger size is a longer body: a later version's */
    int64_t start = nanoseconds(CLOCK_MONOTONIC);
    for (uint64_t sequence = 0; sequence < records; sequence++) {
        if (rate) {
            int64_t due = start + (int64_t)(sequence * 1000000000 / rate);
            struct timespec deadline = {due / 1000000000, due % 1000000000};
            while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL) == EINTR) {}
        }
        uint64_t boottime = (uint64_t)nanoseconds(CLOCK_BOOTTIME);
        encode_header(record, &(struct header){
            .kind = KIND_SYSTEM_INFORMATION,
            .body_length = (uint16_t)(size - HEADER_BYTES),
            .flags = FLAG_CLOCK_SYNCHRONISED,
            .instance = instance,
            .sequence = sequence,
            .boottime = boottime,
            .realtime = nanoseconds(CLOCK_REALTIME),
        });
        encode_system_information(record + HEADER_BYTES, &(struct system_information){
            .uptime = boottime / 1000000000,
            .load = {1234, 5678, 90123},
            .memory = {4043309056, 2912616448, 12582912, 94371840, 104853504, 104853504, 0, 0},
            .processes = 187,
        });
        while (mq_send(queue, (const char *)record, size, 0) < 0) {
            if (errno != EINTR) fail("mq_send");
        }
    }
    printf("%.6f\n", (double)(nanoseconds(CLOCK_MONOTONIC) - start) / 1e9);
    return 0;
}
