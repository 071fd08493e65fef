/* The network group of reference-file-read.c: interfaces and sockets. */
#ifndef REFERENCE_NETWORK_H
#define REFERENCE_NETWORK_H

#include "proc-text.h"

enum { NETWORK_INTERFACE = 37, SOCKETS = 38 };

static struct interface { char name[16]; struct file state, speed, changes; } *interfaces;
static int interface_count;

/* What is kept of an interface; as long as none comes or goes it stands where it did the last time. */
static struct interface *find_interface(int guess, const char *name, size_t length) {
    for (int n = 0; n < interface_count; n++) {
        struct interface *found = &interfaces[(guess + n) % interface_count];
        if (!strncmp(found->name, name, length) && found->name[length] == '\0') return found;
    }
    interfaces = realloc(interfaces, (size_t)(interface_count + 1) * sizeof *interfaces);
    struct interface *new = &interfaces[interface_count++];
    memset(new, 0, sizeof *new);
    memcpy(new->name, name, length);
    set_path(&new->state, sysfs, "/class/net/", new->name, "/operstate");
    set_path(&new->speed, sysfs, "/class/net/", new->name, "/speed");
    set_path(&new->changes, sysfs, "/class/net/", new->name, "/carrier_changes");
    return new;
}

static void sample_interfaces(void) {
    static struct file devices;
    static char *table; /* the table is still needed when the files of sysfs are read */
    static size_t capacity;
    static const char *const states[] = {"unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"};
    set_path(&devices, procfs, "/net/dev", "", "");
    ssize_t length = read_file(&devices);
    if (length <= 0) return;
    if ((size_t)length >= capacity) table = realloc(table, capacity = (size_t)length + 4096);
    memcpy(table, text, (size_t)length + 1);
    int number = 0;
    for (const char *line = next_line(next_line(table)); *line; line = next_line(line)) {
        const char *name = skip_blanks(line), *colon = strchr(name, ':'), *p = colon + 1;
        if (!colon || colon - name > 15) continue;
        unsigned char *at = begin_body();
        put_text(&at, name, (size_t)(colon - name), 16);
        for (int i = 0; i < 16; i++) put64(&at, next_number(&p));
        struct interface *files = find_interface(number++, name, (size_t)(colon - name));
        uint8_t state = 0;
        if (read_file(&files->state) > 0) {
            size_t word = (size_t)(word_end(text) - text);
            for (size_t i = 0; i < COUNT(states); i++)
                if (!strncmp(states[i], text, word) && states[i][word] == '\0') state = (uint8_t)i;
        }
        uint64_t speed = file_number(&files->speed);
        put8(&at, state), put64(&at, speed == ABSENT ? ABSENT : speed * 1000000);
        put32(&at, (uint32_t)file_number(&files->changes));
        send_body(NETWORK_INTERFACE, at);
    }
}

/* The number behind a key in a line of keys and numbers by turns. */
static uint64_t value_in_line(const char *line, const char *key) {
    for (const char *p = skip_blanks(line); *p && *p != '\n'; p = skip_blanks(p)) {
        const char *end = word_end(p), *at = end;
        uint64_t value = next_number(&at);
        if (!strncmp(p, key, (size_t)(end - p)) && key[end - p] == '\0') return value;
        p = word_end(skip_blanks(end));
    }
    return ABSENT;
}

static void sample_sockets(void) {
    static struct file usage[2], counters, wireless;
    static const struct { const char *line, *key; } usages[] = {
        {"sockets:", "used"}, {"TCP:", "inuse"}, {"TCP:", "orphan"}, {"TCP:", "tw"}, {"TCP:", "alloc"}, {"TCP:", "mem"},
        {"UDP:", "inuse"}, {"UDP:", "mem"}, {"UDPLITE:", "inuse"}, {"RAW:", "inuse"}, {"FRAG:", "inuse"},
        {"FRAG:", "memory"}, {"TCP6:", "inuse"}, {"UDP6:", "inuse"}, {"UDPLITE6:", "inuse"}, {"RAW6:", "inuse"},
        {"FRAG6:", "inuse"}, {"FRAG6:", "memory"}};
    static const struct { const char *protocol, *name; } counts[] = {
        {"Ip:", "InReceives"}, {"Ip:", "InDelivers"}, {"Ip:", "OutRequests"}, {"Ip:", "InDiscards"}, {"Ip:", "OutDiscards"},
        {"Tcp:", "ActiveOpens"}, {"Tcp:", "PassiveOpens"}, {"Tcp:", "AttemptFails"}, {"Tcp:", "EstabResets"},
        {"Tcp:", "CurrEstab"}, {"Tcp:", "InSegs"}, {"Tcp:", "OutSegs"}, {"Tcp:", "RetransSegs"}, {"Tcp:", "InErrs"},
        {"Tcp:", "OutRsts"}, {"Udp:", "InDatagrams"}, {"Udp:", "OutDatagrams"}, {"Udp:", "NoPorts"}, {"Udp:", "InErrors"},
        {"Udp:", "RcvbufErrors"}, {"Udp:", "SndbufErrors"}};
    uint64_t used[COUNT(usages)], counted[COUNT(counts)], page_size = (uint64_t)sysconf(_SC_PAGESIZE);
    memset(used, 0xff, sizeof used), memset(counted, 0xff, sizeof counted);
    set_path(&usage[0], procfs, "/net/sockstat", "", ""), set_path(&usage[1], procfs, "/net/sockstat6", "", "");
    set_path(&counters, procfs, "/net/snmp", "", ""), set_path(&wireless, procfs, "/net/wireless", "", "");
    for (int file = 0; file < 2; file++) {
        if (read_file(&usage[file]) <= 0) continue;
        for (const char *line = text; *line; line = next_line(line)) {
            size_t word = (size_t)(word_end(line) - line);
            for (size_t i = 0; i < COUNT(usages); i++)
                if (!strncmp(usages[i].line, line, word) && usages[i].line[word] == '\0')
                    used[i] = value_in_line(line + word, usages[i].key);
        }
    }
    if (read_file(&counters) > 0) {
        for (const char *names = text; *names;) {
            const char *values = next_line(names), *name = word_end(names), *value = word_end(values);
            size_t protocol = (size_t)(name - names);
            for (size_t i = 0; *name && *name != '\n';) {
                name = skip_blanks(name), value = skip_blanks(value);
                size_t length = (size_t)(word_end(name) - name);
                for (i = 0; i < COUNT(counts); i++) {
                    const char *at = value;
                    if (!strncmp(counts[i].protocol, names, protocol) && !strncmp(counts[i].name, name, length) &&
                        counts[i].name[length] == '\0') counted[i] = next_number(&at);
                }
                name += length, value = word_end(value);
            }
            names = next_line(values);
        }
    }
    unsigned char *at = begin_body();
    for (size_t i = 0; i < COUNT(usages); i++) {
        bool pages = i == 5 || i == 7, wide = pages || i == 11 || i == 17;
        if (pages && used[i] != ABSENT) used[i] *= page_size;
        if (wide) put64(&at, used[i]); else put32(&at, (uint32_t)used[i]);
    }
    for (size_t i = 0; i < COUNT(counts); i++) put64(&at, counted[i]);
    send_body(SOCKETS, at);
    read_file(&wireless); /* there is none on the machines that are measured: its absence is what both find */
}

#endif
