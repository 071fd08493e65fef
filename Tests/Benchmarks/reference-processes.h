/* The process group of reference-file-read.c: /proc/PID/stat of each process, kept open, and those that use most. */
#ifndef REFERENCE_PROCESSES_H
#define REFERENCE_PROCESSES_H

#include "proc-text.h"

#include <ctype.h>
#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum { PROCESS_COUNTS = 43, PROCESS = 44, KERNEL_THREAD = 0x200000, MAXIMUM_PLACES = 1000 };

struct process {
    int pid, descriptor; /* descriptor 0: opened for each reading */
    uint64_t ticks, start;
};

struct status {
    int pid;
    char name[65], state;
    uint8_t name_length;
    int nice;
    uint32_t parent, threads, flags;
    uint64_t minor, major, user, system, start, virtual_bytes, pages, ticks, score;
};

struct ranking { struct status places[MAXIMUM_PLACES]; int count; };

static int process_limit = 10, process_folder = -1, open_count, open_limit;
static struct process *known, *next;
static int known_count, known_capacity;
static struct ranking by_cpu, by_memory;
static const char state_letters[] = "?RSDITtZXP"; /* a state's place is its number on the wire */

static bool parse_status(const char *line, struct status *s) {
    const char *open = strchr(line, '('), *close = strrchr(line, ')'), *p = line;
    if (!open || !close || close < open) return false;
    s->pid = (int)next_number(&p);
    s->name_length = (uint8_t)(close - open - 1 > 64 ? 64 : close - open - 1);
    memcpy(s->name, open + 1, s->name_length);
    p = skip_blanks(close + 1);
    s->state = *p;
    p = word_end(p);
    s->parent = (uint32_t)next_number(&p);
    p = skip_words(p, 4);
    s->flags = (uint32_t)next_number(&p), s->minor = next_number(&p);
    p = skip_words(p, 1), s->major = next_number(&p);
    p = skip_words(p, 1), s->user = next_number(&p), s->system = next_number(&p);
    p = skip_words(p, 3), s->nice = atoi(p = skip_blanks(p));
    p = skip_words(p, 1), s->threads = (uint32_t)next_number(&p);
    p = skip_words(p, 1), s->start = next_number(&p), s->virtual_bytes = next_number(&p);
    s->pages = next_number(&p);
    return s->pages != ABSENT;
}

static void rank(struct ranking *ranking, const struct status *status, uint64_t score) {
    int i = ranking->count;
    if (score == 0 || (i == process_limit && score <= ranking->places[i - 1].score)) return;
    if (i < process_limit) ranking->count++; else i--;
    for (; i > 0 && ranking->places[i - 1].score < score; i--) ranking->places[i] = ranking->places[i - 1];
    ranking->places[i] = *status, ranking->places[i].score = score;
}

/* A file of a process that is opened for this once. */
static ssize_t read_once(int pid, const char *name, char *buffer, size_t capacity) {
    char path[32];
    snprintf(path, sizeof path, "%d/%s", pid, name);
    int descriptor = openat(process_folder, path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return -1;
    ssize_t length = read(descriptor, buffer, capacity - 1);
    close(descriptor);
    if (length >= 0) buffer[length] = '\0';
    return length;
}

static ssize_t read_status(struct process *process, char *buffer, size_t capacity) {
    if (process->descriptor > 0) {
        ssize_t length = pread(process->descriptor, buffer, capacity - 1, 0);
        if (length > 0) return buffer[length] = '\0', length;
        close(process->descriptor), process->descriptor = 0, open_count--; /* ended; its id may be another's by now */
    }
    if (open_count >= open_limit) return read_once(process->pid, "stat", buffer, capacity);
    char path[32];
    snprintf(path, sizeof path, "%d/stat", process->pid);
    int descriptor = openat(process_folder, path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return -1;
    process->descriptor = descriptor, open_count++;
    ssize_t length = pread(descriptor, buffer, capacity - 1, 0);
    return length > 0 ? buffer[length] = '\0', length : -1;
}

static void send_process(struct status *s, uint64_t elapsed, uint64_t hundredths, uint64_t page_size) {
    char buffer[512], path[16];
    struct stat owner;
    uint64_t read_bytes = ABSENT, write_bytes = ABSENT;
    if (read_once(s->pid, "statm", buffer, sizeof buffer) > 0) {
        const char *p = skip_words(buffer, 1);
        s->pages = next_number(&p);
    }
    snprintf(path, sizeof path, "%d", s->pid);
    bool owned = fstatat(process_folder, path, &owner, 0) == 0;
    if (read_once(s->pid, "io", buffer, sizeof buffer) > 0) {
        const char *read_line = strstr(buffer, "\nread_bytes:"), *write_line = strstr(buffer, "\nwrite_bytes:");
        if (read_line) read_line += 12, read_bytes = next_number(&read_line);
        if (write_line) write_line += 13, write_bytes = next_number(&write_line);
    }
    const char *state = strchr(state_letters, s->state);
    unsigned char *at = begin_body();
    put32(&at, (uint32_t)s->pid), put32(&at, s->parent), put64(&at, s->start * hundredths);
    put_text(&at, s->name, s->name_length, 64), put8(&at, state ? (uint8_t)(state - state_letters) : 0);
    put32(&at, owned ? owner.st_uid : UINT32_MAX), put64(&at, s->user * hundredths), put64(&at, s->system * hundredths);
    put32(&at, elapsed ? (uint32_t)(s->ticks * hundredths * 100000000000 / elapsed) : UINT32_MAX);
    put64(&at, s->pages * page_size), put64(&at, s->virtual_bytes), put32(&at, s->threads);
    put64(&at, s->minor), put64(&at, s->major), put64(&at, read_bytes), put64(&at, write_bytes), put32(&at, (uint32_t)s->nice);
    send_body(PROCESS, at);
}

static void sample_processes(void) {
    static DIR *folder;
    static int64_t before;
    char buffer[1024];
    int index = 0, next_count = 0;
    uint32_t threads = 0, kernel_threads = 0, ended = 0, states[sizeof state_letters] = {0}, all = 0;
    if (!folder) {
        struct rlimit limit;
        if (!(folder = opendir(procfs))) return;
        process_folder = dirfd(folder);
        getrlimit(RLIMIT_NOFILE, &limit), limit.rlim_cur = limit.rlim_max, setrlimit(RLIMIT_NOFILE, &limit);
        open_limit = (int)(limit.rlim_cur < 100000 ? limit.rlim_cur : 100000) - 64;
    }
    int64_t now = nanoseconds(CLOCK_MONOTONIC);
    uint64_t elapsed = before ? (uint64_t)(now - before) : 0;
    before = now, by_cpu.count = by_memory.count = 0;
    rewinddir(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (!isdigit((unsigned char)entry->d_name[0])) continue;
        struct process process = {.pid = atoi(entry->d_name)};
        struct status status;
        while (index < known_count && known[index].pid < process.pid)
            if (known[index++].descriptor > 0) close(known[index - 1].descriptor), open_count--;
        if (index < known_count && known[index].pid == process.pid) process = known[index++];
        if (read_status(&process, buffer, sizeof buffer) <= 0 || !parse_status(buffer, &status)) {
            if (process.descriptor > 0) close(process.descriptor), open_count--;
            ended++;
            continue;
        }
        const char *state = strchr(state_letters, status.state);
        all++, threads += status.threads, kernel_threads += (status.flags & KERNEL_THREAD) != 0;
        states[state ? state - state_letters : 0]++;
        uint64_t ticks = status.user + status.system;
        status.ticks = process.start == status.start && ticks >= process.ticks ? ticks - process.ticks : ticks;
        process.ticks = ticks, process.start = status.start;
        rank(&by_cpu, &status, status.ticks), rank(&by_memory, &status, status.pages);
        if (next_count == known_capacity) {
            known_capacity = known_capacity ? 2 * known_capacity : 256;
            next = realloc(next, (size_t)known_capacity * sizeof *next);
            known = realloc(known, (size_t)known_capacity * sizeof *known);
        }
        next[next_count++] = process;
    }
    while (index < known_count)
        if (known[index++].descriptor > 0) close(known[index - 1].descriptor), open_count--;
    struct process *old = known;
    known = next, known_count = next_count, next = old;

    unsigned char *at = begin_body();
    put32(&at, all), put32(&at, threads), put32(&at, kernel_threads);
    for (int i = 1; i <= 7; i++) put32(&at, states[i]);
    put32(&at, states[0] + states[8] + states[9]), put32(&at, ended);
    send_body(PROCESS_COUNTS, at);
    uint64_t hundredths = 100 / (uint64_t)sysconf(_SC_CLK_TCK), page_size = (uint64_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < by_cpu.count; i++) send_process(&by_cpu.places[i], elapsed, hundredths, page_size);
    for (int i = 0; i < by_memory.count; i++) {
        bool told = false;
        for (int j = 0; j < by_cpu.count; j++) told |= by_cpu.places[j].pid == by_memory.places[i].pid;
        if (!told) send_process(&by_memory.places[i], elapsed, hundredths, page_size);
    }
}

#endif
