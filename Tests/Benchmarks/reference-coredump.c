/* The honest C program of the shape of inotify-coredump: new files in systemd's folder and entries of the journal. */
#include "collector.h"

#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <systemd/sd-journal.h>

enum { CORE_DUMP = 56, FOLDER = 0, JOURNAL = 1, REMEMBERED = 256 };

static const char *folder, *state_file;
static char told[REMEMBERED][NAME_MAX + 1];
static unsigned told_count;
static sd_journal *journal;

struct dump {
    uint64_t time, size, disk, limit;
    uint32_t pid, uid, gid;
    uint8_t signal, storage, compression, cut, has_entry;
    char boot[37], comm[40], exe[240], command_line[240], unit[96], user_unit[96], host[96];
};

/* core.COMM.UID.BOOTID.PID.TIMESTAMP[.zst]; COMM may hold dots, so it is read from its end. */
static bool parse_name(const char *name, struct dump *dump) {
    char copy[NAME_MAX + 1], *parts[4];
    if (strncmp(name, "core.", 5)) return false;
    snprintf(copy, sizeof copy, "%s", name);
    char *end = strrchr(copy, '.');
    if (!strcmp(end, ".zst")) dump->compression = 3, *end = '\0';
    for (int i = 3; i >= 0; i--) {
        if (!(end = strrchr(copy + 4, '.'))) return false;
        parts[i] = end + 1, *end = '\0';
    }
    if (strlen(parts[1]) != 32) return false;
    dump->uid = (uint32_t)strtoul(parts[0], NULL, 10), dump->pid = (uint32_t)strtoul(parts[2], NULL, 10);
    dump->time = strtoull(parts[3], NULL, 10);
    for (int from = 0, to = 0; from < 32; from++) {
        if (from == 8 || from == 12 || from == 16 || from == 20) dump->boot[to++] = '-';
        dump->boot[to++] = parts[1][from];
    }
    snprintf(dump->comm, sizeof dump->comm, "%.39s", copy + 5);
    return dump->pid > 0 && dump->time > 0;
}

static void take_attribute(int file, const char *name, char *value, size_t capacity) {
    ssize_t length = fgetxattr(file, name, value, capacity - 1);
    if (length >= 0) value[length] = '\0';
}

static bool look_at_file(const char *name, struct dump *dump) {
    char path[PATH_MAX], number[32] = "";
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (file < 0) return false;
    bool regular = fstat(file, &status) == 0 && S_ISREG(status.st_mode);
    dump->storage = 1, dump->size = (uint64_t)status.st_size, dump->disk = (uint64_t)status.st_blocks * 512;
    take_attribute(file, "user.coredump.exe", dump->exe, sizeof dump->exe);
    take_attribute(file, "user.coredump.comm", dump->comm, sizeof dump->comm);
    take_attribute(file, "user.coredump.hostname", dump->host, sizeof dump->host);
    take_attribute(file, "user.coredump.signal", number, sizeof number);
    if (number[0]) dump->signal = (uint8_t)atoi(number);
    take_attribute(file, "user.coredump.gid", number, sizeof number);
    if (number[0]) dump->gid = (uint32_t)strtoul(number, NULL, 10);
    take_attribute(file, "user.coredump.rlimit", number, sizeof number);
    if (number[0]) dump->limit = strtoull(number, NULL, 10);
    close(file);
    return regular;
}

/* What was told is kept for the next start; the file is replaced as a whole. */
static void remember(const char *name) {
    char path[PATH_MAX];
    snprintf(told[told_count++ % REMEMBERED], NAME_MAX + 1, "%s", name);
    if (!state_file) return;
    snprintf(path, sizeof path, "%s.new", state_file);
    FILE *file = fopen(path, "we");
    if (!file) fail(path);
    for (int i = 0; i < REMEMBERED; i++)
        if (told[i][0]) fprintf(file, "%s\n", told[i]);
    fflush(file), fsync(fileno(file)), fclose(file);
    if (rename(path, state_file) < 0) fail(state_file);
}

static void tell(const struct dump *d) {
    unsigned char *at = begin_body();
    put64(&at, d->time), put_text(&at, d->boot, strlen(d->boot), 40), put_text(&at, d->comm, strlen(d->comm), 40);
    put32(&at, d->pid), put32(&at, d->uid), put32(&at, d->gid), put8(&at, d->signal), put8(&at, d->signal);
    put8(&at, d->storage), put8(&at, d->compression), put64(&at, d->size), put64(&at, d->disk), put64(&at, d->limit);
    put8(&at, d->cut), put8(&at, d->has_entry);
    put_text(&at, d->exe, strlen(d->exe), 240), put_text(&at, d->command_line, strlen(d->command_line), 240);
    put_text(&at, d->unit, strlen(d->unit), 96), put_text(&at, d->user_unit, strlen(d->user_unit), 96);
    put_text(&at, d->host, strlen(d->host), 96);
    while (!offer_body(CORE_DUMP, at)) poll(&(struct pollfd){queue, POLLOUT, 0}, 1, -1);
}

static void see_file(const char *name) {
    struct dump dump = {.gid = UINT32_MAX, .signal = 255, .limit = UINT64_MAX};
    for (int i = 0; i < REMEMBERED; i++)
        if (!strcmp(told[i], name)) return;
    if (!parse_name(name, &dump) || !look_at_file(name, &dump)) return;
    tell(&dump);
    remember(name);
}

static void take_folder_events(int inotify) {
    _Alignas(struct inotify_event) char buffer[4096];
    ssize_t length;
    while ((length = read(inotify, buffer, sizeof buffer)) > 0) {
        for (char *at = buffer; at < buffer + length;) {
            struct inotify_event *event = (struct inotify_event *)at;
            if (event->len > 0) see_file(event->name);
            at += sizeof *event + event->len;
        }
    }
}

static void take_field(const char *name, char *value, size_t capacity) {
    const void *data;
    size_t length, key = strlen(name) + 1;
    if (sd_journal_get_data(journal, name, &data, &length) < 0 || length < key) return;
    snprintf(value, capacity, "%.*s", (int)(length - key), (const char *)data + key);
}

/* An entry completes what its file tells. */
static void take_entries(void) {
    char file[PATH_MAX];
    if (sd_journal_process(journal) < 0) return;
    while (sd_journal_next(journal) > 0) {
        struct dump dump = {.gid = UINT32_MAX, .signal = 255, .limit = UINT64_MAX, .has_entry = 1};
        file[0] = '\0';
        take_field("COREDUMP_FILENAME", file, sizeof file);
        const char *name = strrchr(file, '/');
        if (!name || !parse_name(name + 1, &dump)) continue;
        look_at_file(name + 1, &dump);
        take_field("COREDUMP_CMDLINE", dump.command_line, sizeof dump.command_line);
        take_field("COREDUMP_UNIT", dump.unit, sizeof dump.unit);
        take_field("COREDUMP_USER_UNIT", dump.user_unit, sizeof dump.user_unit);
        tell(&dump);
        remember(name + 1);
    }
}

int main(int count, char **arguments) {
    folder = option(count, arguments, "--folder", "/var/lib/systemd/coredump");
    state_file = option(count, arguments, "--state-file", NULL);
    bool uses_journal = strcmp(option(count, arguments, "--journal", "yes"), "no");
    if (count % 2 == 0)
        usage("reference-coredump [--queue-prefix /NAME.] [--folder DIR] [--state-file FILE] [--journal yes|no]");
    begin("inotify-coredump", count, arguments);
    int inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (inotify_add_watch(inotify, folder, IN_MOVED_TO | IN_CLOSE_WRITE | IN_CREATE) < 0) fail(folder);
    watch(inotify, EPOLLIN, FOLDER);
    if (uses_journal && sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM) >= 0) {
        sd_journal_add_match(journal, "MESSAGE_ID=fc2e22bc6ee647b6b90729ab34a250b1", 0);
        sd_journal_seek_tail(journal), sd_journal_previous(journal);
        watch(sd_journal_get_fd(journal), EPOLLIN, JOURNAL);
    }
    notify("READY=1");
    for (int source; (source = next_ready(NULL)) >= 0;) {
        if (source == JOURNAL) take_entries();
        else take_folder_events(inotify);
    }
    if (journal) sd_journal_close(journal);
    return 0;
}
