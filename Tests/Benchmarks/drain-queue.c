/* Takes every record out of a program's queue at once, and counts them by kind in a file that others map. */
#include "reference.h"

#include <sys/mman.h>

enum { KINDS = 256 };

int main(int count, char **arguments) {
    const char *prefix = DEFAULT_QUEUE_PREFIX, *program = "cyclic-file-read", *path = NULL;
    for (int i = 1; i < count; i += 2) {
        const char *value = i + 1 < count ? arguments[i + 1] : NULL;
        if (value && !strcmp(arguments[i], "--queue-prefix")) prefix = value;
        else if (value && !strcmp(arguments[i], "--program")) program = value;
        else if (value && !strcmp(arguments[i], "--counts")) path = value;
        else path = NULL, i = count;
    }
    if (!path) usage("drain-queue --counts FILE [--queue-prefix /NAME.] [--program NAME]");
    mqd_t queue = open_queue(prefix, program, O_RDONLY);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, KINDS * sizeof(uint64_t)) < 0) fail(path);
    uint64_t *counts = mmap(NULL, KINDS * sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (counts == MAP_FAILED) fail("mmap");
    for (;;) {
        unsigned char record[RECORD_CAPACITY];
        struct header header;
        ssize_t length = mq_receive(queue, (char *)record, sizeof record, NULL);
        if (length < 0 && errno == EINTR) continue;
        if (length < 0) fail("mq_receive");
        if (!decode_header(record, (size_t)length, &header)) errno = EBADMSG, fail("record");
        counts[header.kind % KINDS]++;
        counts[0] = header.dropped; /* kind 0 does not exist: how many were lost up to now */
    }
}
