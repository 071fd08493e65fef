/* The honest C program of the shape of dlt-proc-watch: messages of dlt-system's process watching, from a dlt-daemon over TCP. */
#include "collector.h"

#include <arpa/inet.h>
#include <netinet/in.h>

enum { PROCESS_LOAD = 96, DAEMON = 0, MAXIMUM_PROCESSES = 64, LONGEST = 4 + 65535 };
enum { EXTENDED = 1, BIG_ENDIAN_PAYLOAD = 2, WITH_ECU = 4, WITH_SESSION = 8, WITH_TIMESTAMP = 16 };

static unsigned char buffer[2 * LONGEST];
static size_t buffered;

static struct process { char name[65]; uint32_t pid, timestamp; uint64_t ticks; } processes[MAXIMUM_PROCESSES];
static int process_count;

static uint32_t big32(const unsigned char *at) { return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]; }

/* A text argument; NULL if it is none. */
static const char *take_string(const unsigned char **at, const unsigned char *end, size_t *length) {
    const unsigned char *p = *at;
    if (end - p < 6 || !(p[1] & 2)) return NULL; /* STRG, little-endian */
    *length = (size_t)(p[4] | p[5] << 8);
    if ((size_t)(end - p - 6) < *length) return NULL;
    *at = p + 6 + *length;
    *length = strnlen((const char *)p + 6, *length);
    return (const char *)p + 6;
}

static struct process *find_process(const char *name, size_t length) {
    for (int i = 0; i < process_count; i++)
        if (!strncmp(processes[i].name, name, length) && !processes[i].name[length]) return &processes[i];
    if (process_count == MAXIMUM_PROCESSES) return NULL;
    struct process *new = &processes[process_count++];
    memset(new, 0, sizeof *new);
    memcpy(new->name, name, length);
    return new;
}

/* `30154 (mco-audioApp) S 30142 …`, as /proc/PID/stat has it. */
static void tell(const char *ecu, uint32_t timestamp, bool has_timestamp, const char *stat, size_t length) {
    char line[1100];
    unsigned long long user, system, start, virtual_bytes, pages;
    unsigned pid, threads;
    snprintf(line, sizeof line, "%.*s", (int)length, stat);
    char *open = strchr(line, '('), *close = strrchr(line, ')');
    if (!open || !close || close - open > 65) return;
    size_t name = (size_t)(close - open - 1);
    if (sscanf(line, "%u", &pid) != 1 ||
        sscanf(close + 2, "%*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu %*s %*s %*s %*s %u %*s %llu %llu %llu",
               &user, &system, &threads, &start, &virtual_bytes, &pages) != 6) return;
    struct process *process = find_process(open + 1, name);
    if (!process) return;
    bool known = process->pid == pid && has_timestamp && timestamp > process->timestamp;
    uint32_t interval = known ? timestamp - process->timestamp : UINT32_MAX;
    uint64_t ticks = user + system;
    unsigned char *at = begin_body();
    put_text(&at, ecu, strnlen(ecu, 4), 4), put_text(&at, open + 1, name, 64), put_text(&at, open + 1, name, 32);
    put32(&at, pid), put64(&at, start);
    put32(&at, known ? (uint32_t)((ticks - process->ticks) * 1000000 / interval) : UINT32_MAX), put32(&at, interval);
    put64(&at, user), put64(&at, system), put64(&at, pages * 4096), put64(&at, virtual_bytes), put32(&at, threads);
    put32(&at, has_timestamp ? timestamp : UINT32_MAX);
    send_body(PROCESS_LOAD, at);
    process->pid = pid, process->timestamp = timestamp, process->ticks = ticks;
}

static void take_message(const unsigned char *message, size_t length) {
    const unsigned char *at = message + 4, *end = message + length;
    char ecu[5] = "";
    uint32_t timestamp = 0;
    size_t word, text;
    if (message[0] & WITH_ECU) memcpy(ecu, at, 4), at += 4;
    if (message[0] & WITH_SESSION) at += 4;
    if (message[0] & WITH_TIMESTAMP) timestamp = big32(at), at += 4;
    if (!(message[0] & EXTENDED) || message[0] & BIG_ENDIAN_PAYLOAD || end - at < 10) return;
    if (memcmp(at + 2, "SYS\0PROC", 8)) return;
    at += 10;
    if (end - at < 8 || (at[0] & 0x2f) != 0x23) return; /* SINT of 32 bits: the process id */
    if (at[1] & 8) { /* VARI: the lengths of a name and a unit, then both */
        at += 8 + (at[4] | at[5] << 8) + (at[6] | at[7] << 8);
        if (end - at < 4) return;
        at += 4;
    } else at += 8;
    const char *name = take_string(&at, end, &word), *content = name ? take_string(&at, end, &text) : NULL;
    if (content && word == 4 && !memcmp(name, "stat", 4))
        tell(ecu, timestamp, message[0] & WITH_TIMESTAMP, content, text);
}

/* Cuts what has come into messages; false if it is no DLT. */
static bool take_messages(void) {
    size_t at = 0;
    while (buffered - at >= 4) {
        if (!memcmp(buffer + at, "DLS\1", 4)) { at += 4; continue; }
        size_t length = (size_t)(buffer[at + 2] << 8 | buffer[at + 3]);
        if ((buffer[at] & 0xe0) != 0x20 || length < 4) return false;
        if (buffered - at < length) break;
        take_message(buffer + at, length), at += length;
    }
    memmove(buffer, buffer + at, buffered - at), buffered -= at;
    return true;
}

int main(int count, char **arguments) {
    int port = atoi(option(count, arguments, "--port", "3490")), daemon = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (count % 2 == 0) usage("reference-dlt [--queue-prefix /NAME.] [--port N]");
    begin("dlt-proc-watch", count, arguments);
    struct sockaddr_in address = {AF_INET, htons((uint16_t)port), {htonl(INADDR_LOOPBACK)}, {0}};
    if (connect(daemon, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    fcntl(daemon, F_SETFL, O_NONBLOCK);
    watch(daemon, EPOLLIN, DAEMON);
    notify("READY=1");
    while (next_ready(NULL) >= 0) {
        ssize_t more = read(daemon, buffer + buffered, sizeof buffer - buffered);
        if (more < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (more <= 0) fail("the daemon");
        buffered += (size_t)more;
        if (!take_messages()) errno = EBADMSG, fail("the daemon");
    }
    return 0;
}
