/* The honest C program of the shape of cyclic-file-read: files of /proc and /sys that stay open, read with pread(2). */
#include "proc-text.h"
#include "reference-network.h"
#include "reference-processes.h"
#include "reference-sensors.h"

#include <dirent.h>
#include <sys/statvfs.h>

enum {
    CPU_TIMES = 32, CPU_ACTIVITY = 33, CPU_FREQUENCY = 34, MEMORY = 35, PAGE_ACTIVITY = 36, DISK = 40, FILE_SYSTEM = 41, THERMAL_ZONE = 45,
};

/* ---- CPU ---- */

static struct { struct file frequency, limit; } *cpus;
static int cpu_count;

static void send_cpu_times(const char *line) {
    const char *name = line + 3, *p = word_end(line);
    unsigned char *at = begin_body();
    put_text(&at, *name == ' ' ? "total" : name, *name == ' ' ? 5 : (size_t)(p - name), 8);
    for (int i = 0; i < 10; i++) put64(&at, next_number(&p));
    send_body(CPU_TIMES, at);
}

static void sample_cpu(void) {
    static struct file stat;
    uint64_t switches, interrupts, soft_interrupts, created, running, blocked, boot_time;
    struct key keys[] = {{"ctxt", &switches, 1}, {"intr", &interrupts, 1}, {"softirq", &soft_interrupts, 1},
                         {"processes", &created, 1}, {"procs_running", &running, 1}, {"procs_blocked", &blocked, 1},
                         {"btime", &boot_time, 1}};
    set_path(&stat, procfs, "/stat", "", "");
    if (read_file(&stat) <= 0) return;
    int online = 0;
    for (const char *line = text; !strncmp(line, "cpu", 3); line = next_line(line)) send_cpu_times(line), online++;
    take_lines(keys, COUNT(keys));
    unsigned char *at = begin_body();
    put64(&at, switches), put64(&at, interrupts), put64(&at, soft_interrupts), put64(&at, created);
    put32(&at, (uint32_t)running), put32(&at, (uint32_t)blocked), put64(&at, boot_time);
    send_body(CPU_ACTIVITY, at);

    if (--online > cpu_count) { /* the first line is that of all CPUs */
        cpus = realloc(cpus, (size_t)online * sizeof *cpus);
        memset(cpus + cpu_count, 0, (size_t)(online - cpu_count) * sizeof *cpus);
        cpu_count = online;
    }
    for (int i = 0; i < cpu_count; i++) {
        char number[12];
        snprintf(number, sizeof number, "%d", i);
        set_path(&cpus[i].frequency, sysfs, "/devices/system/cpu/cpu", number, "/cpufreq/scaling_cur_freq");
        set_path(&cpus[i].limit, sysfs, "/devices/system/cpu/cpu", number, "/cpufreq/scaling_max_freq");
        uint64_t kilohertz = file_number(&cpus[i].frequency);
        if (kilohertz == ABSENT) continue;
        uint64_t limit = file_number(&cpus[i].limit);
        at = begin_body();
        put_text(&at, number, strlen(number), 8), put64(&at, kilohertz * 1000);
        put64(&at, limit == ABSENT ? ABSENT : limit * 1000);
        send_body(CPU_FREQUENCY, at);
    }
}

/* ---- Memory ---- */

static void sample_memory(void) {
    static struct file information, statistics;
    static const char *const names[] = {
        "MemTotal:", "MemFree:", "MemAvailable:", "Buffers:", "Cached:", "Shmem:", "Dirty:", "Writeback:",
        "AnonPages:", "Mapped:", "Slab:", "SReclaimable:", "KernelStack:", "PageTables:", "CommitLimit:",
        "Committed_AS:", "SwapTotal:", "SwapFree:", "SwapCached:", "HugePages_Total:", "HugePages_Free:", "Hugepagesize:"};
    uint64_t values[COUNT(names)];
    struct key keys[COUNT(names)];
    for (size_t i = 0; i < COUNT(names); i++)
        keys[i] = (struct key){names[i], &values[i], names[i][0] == 'H' && names[i][4] == 'P' ? 1 : 1024};
    set_path(&information, procfs, "/meminfo", "", "");
    if (read_file(&information) > 0) {
        take_lines(keys, COUNT(keys));
        unsigned char *at = begin_body();
        for (size_t i = 0; i < COUNT(names); i++) put64(&at, values[i]);
        send_body(MEMORY, at);
    }

    uint64_t faults, major, in, out, swapped_in, swapped_out, kills, stalls[6], all_stalls = ABSENT;
    struct key page_keys[] = {
        {"pgfault", &faults, 1}, {"pgmajfault", &major, 1}, {"pgpgin", &in, 1024}, {"pgpgout", &out, 1024},
        {"pswpin", &swapped_in, 1}, {"pswpout", &swapped_out, 1}, {"oom_kill", &kills, 1}, {"allocstall", &stalls[0], 1},
        {"allocstall_dma", &stalls[1], 1}, {"allocstall_dma32", &stalls[2], 1}, {"allocstall_normal", &stalls[3], 1},
        {"allocstall_movable", &stalls[4], 1}, {"allocstall_device", &stalls[5], 1}};
    set_path(&statistics, procfs, "/vmstat", "", "");
    if (read_file(&statistics) <= 0) return;
    take_lines(page_keys, COUNT(page_keys));
    for (size_t i = 0; i < COUNT(stalls); i++)
        if (stalls[i] != ABSENT) all_stalls = (all_stalls == ABSENT ? 0 : all_stalls) + stalls[i];
    unsigned char *at = begin_body();
    put64(&at, faults), put64(&at, major), put64(&at, in), put64(&at, out), put64(&at, swapped_in);
    put64(&at, swapped_out), put64(&at, kills), put64(&at, all_stalls);
    send_body(PAGE_ACTIVITY, at);
}

/* ---- Disks and file systems ---- */

static struct partition { unsigned major, minor; uint8_t is_partition; } *partitions;
static int partition_count;

static uint8_t is_partition(int guess, unsigned major, unsigned minor) {
    for (int n = 0; n < partition_count; n++) {
        struct partition *known = &partitions[(guess + n) % partition_count];
        if (known->major == major && known->minor == minor) return known->is_partition;
    }
    char path[160];
    snprintf(path, sizeof path, "%s/dev/block/%u:%u/partition", sysfs, major, minor);
    uint8_t answer = access(path, F_OK) == 0;
    *strrchr(path, '/') = '\0';
    if (!answer && access(path, F_OK) != 0) answer = 255;
    partitions = realloc(partitions, (size_t)(partition_count + 1) * sizeof *partitions);
    partitions[partition_count++] = (struct partition){major, minor, answer};
    return answer;
}

static void sample_disks(void) {
    static struct file diskstats;
    set_path(&diskstats, procfs, "/diskstats", "", "");
    if (read_file(&diskstats) <= 0) return;
    int number = 0;
    for (const char *line = text; *line; line = next_line(line)) {
        const char *p = line;
        uint64_t major = next_number(&p), minor = next_number(&p), values[17];
        const char *name = skip_blanks(p), *end = word_end(name);
        p = end;
        for (int i = 0; i < 17; i++) values[i] = next_number(&p);
        if (!values[0] && !values[4] && (!values[11] || values[11] == ABSENT) &&
            (!strncmp(name, "loop", 4) || !strncmp(name, "ram", 3) || !strncmp(name, "zram", 4))) continue;
        unsigned char *at = begin_body();
        put_text(&at, name, (size_t)(end - name), 32), put32(&at, (uint32_t)major), put32(&at, (uint32_t)minor);
        put8(&at, is_partition(number++, (unsigned)major, (unsigned)minor));
        for (int i = 0; i < 17; i++) /* columns 2, 6 and 13 are sectors */
            put64(&at, (i == 2 || i == 6 || i == 13) && values[i] != ABSENT ? values[i] * 512 : values[i]);
        send_body(DISK, at);
    }
}

struct mount { char device[24], root[8], point[256], type[32], source[128]; bool is_read_only; };

static bool is_local(const char *type) {
    static const char *const types[] = {"ext4", "vfat", "ext2", "ext3", "xfs", "btrfs", "f2fs", "exfat", "ntfs3", "zfs"};
    for (size_t i = 0; i < COUNT(types); i++)
        if (!strcmp(types[i], type)) return true;
    return false;
}

static bool parse_mount(const char *line, struct mount *mount) {
    char options[256];
    const char *hyphen = strstr(line, " - ");
    if (!hyphen || hyphen > next_line(line)) return false;
    if (sscanf(line, "%*s %*s %23s %7s %255s", mount->device, mount->root, mount->point) != 3) return false;
    if (sscanf(hyphen, " - %31s %127s %255s", mount->type, mount->source, options) != 3) return false;
    mount->is_read_only = !strncmp(options, "ro", 2) && (!options[2] || options[2] == ',');
    return true;
}

/* Each local file system once, where all of it is mounted and the path is shortest; the distant ones are left out. */
static void sample_file_systems(void) {
    enum { MAXIMUM = 64 };
    static struct file mountinfo;
    static struct mount mounts[MAXIMUM], mount;
    int count = 0;
    set_path(&mountinfo, procfs, "/self/mountinfo", "", "");
    if (read_file(&mountinfo) <= 0) return;
    for (const char *line = text; *line; line = next_line(line)) {
        if (!parse_mount(line, &mount) || !is_local(mount.type)) continue;
        int i = 0;
        while (i < count && strcmp(mounts[i].device, mount.device)) i++;
        if (i == MAXIMUM) continue;
        bool whole = !strcmp(mount.root, "/"), known_whole = i < count && !strcmp(mounts[i].root, "/");
        if (i == count || (whole != known_whole ? whole : strlen(mount.point) < strlen(mounts[i].point))) mounts[i] = mount;
        if (i == count) count++;
    }
    for (int i = 0; i < count; i++) {
        struct statvfs s;
        if (statvfs(mounts[i].point, &s) < 0) continue;
        unsigned char *at = begin_body();
        put_text(&at, mounts[i].point, strlen(mounts[i].point), 256);
        put_text(&at, mounts[i].source, strlen(mounts[i].source), 128);
        put_text(&at, mounts[i].type, strlen(mounts[i].type), 32);
        put8(&at, mounts[i].is_read_only), put8(&at, 1);
        put64(&at, s.f_blocks * s.f_frsize), put64(&at, s.f_bfree * s.f_frsize), put64(&at, s.f_bavail * s.f_frsize);
        put64(&at, s.f_files ? s.f_files : ABSENT), put64(&at, s.f_files ? s.f_ffree : ABSENT);
        send_body(FILE_SYSTEM, at);
    }
}

/* ---- Temperatures ---- */

static void sample_temperatures(void) {
    enum { MAXIMUM = 32 };
    static struct { struct file temperature; char type[33]; } zones[MAXIMUM];
    static DIR *folder;
    char path[128];
    snprintf(path, sizeof path, "%s/class/thermal", sysfs);
    if (!folder && !(folder = opendir(path))) return;
    rewinddir(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        int number;
        char name[24];
        if (sscanf(entry->d_name, "thermal_zone%d", &number) != 1 || number < 0 || number >= MAXIMUM) continue;
        snprintf(name, sizeof name, "thermal_zone%d", number);
        if (!zones[number].type[0]) {
            struct file type = {0};
            set_path(&type, path, "/", name, "/type");
            if (read_file(&type) > 0) memcpy(zones[number].type, text, (size_t)(word_end(text) - text) % 33);
            close(type.descriptor);
            set_path(&zones[number].temperature, path, "/", name, "/temp");
        }
        if (read_file(&zones[number].temperature) <= 0) continue;
        unsigned char *at = begin_body();
        put_text(&at, name, strlen(name), 32);
        put_text(&at, zones[number].type, strlen(zones[number].type), 32);
        put32(&at, (uint32_t)atoi(text));
        send_body(THERMAL_ZONE, at);
    }
}

/* ---- The groups ---- */

/* Each group that is in --groups, a letter each; those of `slow` at multiples of the interval. */
static const struct group { char letter; bool slow; void (*sample)(void); } groups[] = {
    {'c', false, sample_cpu}, {'m', false, sample_memory}, {'n', false, sample_interfaces}, {'n', false, sample_sockets},
    {'d', false, sample_disks}, {'f', true, sample_file_systems}, {'p', true, sample_processes},
    {'t', false, sample_temperatures}, {'s', true, sample_sensors},
};

int main(int count, char **arguments) {
    long interval = atol(option(count, arguments, "--interval-ms", "1000"));
    int slow = atoi(option(count, arguments, "--slow-every", "10"));
    const char *wanted = option(count, arguments, "--groups", "cmndfpts");
    procfs = option(count, arguments, "--procfs", procfs), sysfs = option(count, arguments, "--sysfs", sysfs);
    process_limit = atoi(option(count, arguments, "--process-count", "10"));
    if (count % 2 == 0 || interval < 1 || slow < 1)
        usage("reference-file-read [--queue-prefix /NAME.] [--interval-ms N] [--slow-every N] [--groups cmndfpts] "
              "[--process-count N] [--procfs DIR] [--sysfs DIR]");
    begin("cyclic-file-read", count, arguments);
    int timer = open_timer(interval);
    watch(timer, EPOLLIN, 0);
    notify("READY=1");
    for (int sample = 0; next_ready(NULL) >= 0; sample++) {
        take_expirations(timer);
        for (size_t i = 0; i < COUNT(groups); i++)
            if (strchr(wanted, groups[i].letter) && (!groups[i].slow || sample % slow == 0)) groups[i].sample();
    }
    return 0;
}
