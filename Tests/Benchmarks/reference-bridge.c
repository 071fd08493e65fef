/* The honest C program of the shape of posix-mq-to-mqtt-bridge: one thread, one epoll loop, QoS 1 on MQTT 5. */
#include "reference.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>

enum {
    RING_BYTES = 4 << 20,
    READ_BATCH = 32,
    WINDOW = 100,
    MAXIMUM_QUEUES = 16,
    TICK_MILLISECONDS = 5000,
    STATUS_TICKS = 12,
    KEEP_ALIVE_SECONDS = 60,
    EXPIRY_SECONDS = 86400,
    BATCH_MILLISECONDS = 100,
    JSON_BYTES = 1024,
};

struct queue {
    mqd_t descriptor;
    bool ready; /* the queue is watched edge-triggered: ready until it says EAGAIN */
    char topic[128];
};

static struct queue queues[MAXIMUM_QUEUES];
static int queue_count;
static struct mosquitto *client;
static bool connected, status_due, stopping;
static int in_flight, window = WINDOW;
static uint64_t published, refused, invalid, lost;
static char boot_id[37], status_topic[128];
static mosquitto_property *properties;
static enum payload { JSON, INFLUX, RECORD } payload;
static int batch = 1;
static const char *device = "device";

/* The records that wait, oldest first: an entry's length and queue, then its bytes. */
static unsigned char ring[RING_BYTES];
static uint64_t ring_head, ring_tail;
static int ring_count;
static int64_t batch_since; /* when the first record came into an empty ring */
struct entry { uint16_t length, queue; };

static size_t ring_used(void) { return ring_tail - ring_head; }

static void ring_write(const void *bytes, size_t length) {
    size_t at = ring_tail % RING_BYTES, first = length < RING_BYTES - at ? length : RING_BYTES - at;
    memcpy(ring + at, bytes, first);
    memcpy(ring, (const char *)bytes + first, length - first);
    ring_tail += length;
}

static void ring_read(uint64_t from, void *bytes, size_t length) {
    size_t at = from % RING_BYTES, first = length < RING_BYTES - at ? length : RING_BYTES - at;
    memcpy(bytes, ring + at, first);
    memcpy((char *)bytes + first, ring, length - first);
}

static void ring_remove(void) {
    struct entry entry;
    ring_read(ring_head, &entry, sizeof entry);
    ring_head += sizeof entry + entry.length;
    ring_count--;
    if (ring_head == ring_tail) ring_head = ring_tail = 0; /* an idle ring stays in its first pages */
}

static void ring_append(uint16_t queue, const void *record, uint16_t length) {
    struct entry entry = {length, queue};
    while (ring_used() + sizeof entry + length > RING_BYTES) ring_remove(), lost++;
    ring_write(&entry, sizeof entry);
    ring_write(record, length);
    if (ring_count++ == 0 && batch > 1) batch_since = nanoseconds(CLOCK_MONOTONIC);
}

/* While connected only a ring without a batch is filled: the queues press back on their senders, and the ring stays small. */
static bool can_read(void) {
    bool ready = false;
    for (int i = 0; i < queue_count; i++) ready |= queues[i].ready;
    return ready && !stopping && (!connected || ring_count < batch);
}

/* One batch from each queue. */
static void drain_queues(void) {
    for (int i = 0; i < queue_count; i++) {
        for (int n = 0; queues[i].ready && n < READ_BATCH; n++) {
            char record[RECORD_CAPACITY];
            ssize_t length = mq_receive(queues[i].descriptor, record, sizeof record, NULL);
            if (length >= 0) ring_append((uint16_t)i, record, (uint16_t)length);
            else if (errno == EAGAIN) queues[i].ready = false;
            else if (errno != EINTR) fail("mq_receive");
        }
    }
}

/* A record in the wanted form, its length returned; 0 if it is none that this program knows. */
static int format_record(const unsigned char *record, size_t length, int64_t clock_offset, char *text, size_t capacity) {
    struct header h;
    struct system_information s;
    const unsigned char *body = decode_header(record, length, &h);
    if (!body || h.kind != KIND_SYSTEM_INFORMATION || h.body_length < SYSTEM_INFORMATION_BYTES) return 0;
    if (payload == RECORD) {
        if (length > capacity) return 0;
        memcpy(text, record, length);
        return (int)length;
    }
    decode_system_information(body, &s);
    int64_t microseconds = ((int64_t)h.boottime + clock_offset) / 1000;
    const char *synchronised = h.flags & FLAG_CLOCK_SYNCHRONISED ? "true" : "false";
    int written;
#define U(value) (unsigned long long)(value)
    if (payload == INFLUX) written = snprintf(text, capacity,
        "system_information,device=%s,program=cyclic-sysinfo uptime_seconds=%llui,"
        "load1=%u.%04u,load5=%u.%04u,load15=%u.%04u,"
        "memory_total_bytes=%llui,memory_free_bytes=%llui,memory_shared_bytes=%llui,"
        "memory_buffer_bytes=%llui,swap_total_bytes=%llui,swap_free_bytes=%llui,"
        "high_memory_total_bytes=%llui,high_memory_free_bytes=%llui,process_count=%ui,"
        "boot_id=\"%s\",instance=%llui,seq=%llui,dropped=%llui,clock_synced=%s %lld000",
        device, U(s.uptime),
        s.load[0] / 10000, s.load[0] % 10000, s.load[1] / 10000, s.load[1] % 10000, s.load[2] / 10000, s.load[2] % 10000,
        U(s.memory[MEMORY_TOTAL]), U(s.memory[MEMORY_FREE]), U(s.memory[MEMORY_SHARED]),
        U(s.memory[MEMORY_BUFFER]), U(s.memory[SWAP_TOTAL]), U(s.memory[SWAP_FREE]),
        U(s.memory[HIGH_TOTAL]), U(s.memory[HIGH_FREE]), s.processes,
        boot_id, U(h.instance), U(h.sequence), U(h.dropped), synchronised, (long long)microseconds);
    else written = snprintf(text, capacity,
        "{\"v\":1,\"kind\":\"system_information\",\"time\":%lld.%06lld,\"boot_id\":\"%s\",\"instance\":%llu,"
        "\"seq\":%llu,\"dropped\":%llu,\"clock_synced\":%s,\"uptime_seconds\":%llu,"
        "\"load1\":%u.%04u,\"load5\":%u.%04u,\"load15\":%u.%04u,"
        "\"memory_total_bytes\":%llu,\"memory_free_bytes\":%llu,\"memory_shared_bytes\":%llu,"
        "\"memory_buffer_bytes\":%llu,\"swap_total_bytes\":%llu,\"swap_free_bytes\":%llu,"
        "\"high_memory_total_bytes\":%llu,\"high_memory_free_bytes\":%llu,\"process_count\":%u}",
        (long long)microseconds / 1000000, (long long)microseconds % 1000000, boot_id, U(h.instance),
        U(h.sequence), U(h.dropped), synchronised, U(s.uptime),
        s.load[0] / 10000, s.load[0] % 10000, s.load[1] / 10000, s.load[1] % 10000, s.load[2] / 10000, s.load[2] % 10000,
        U(s.memory[MEMORY_TOTAL]), U(s.memory[MEMORY_FREE]), U(s.memory[MEMORY_SHARED]),
        U(s.memory[MEMORY_BUFFER]), U(s.memory[SWAP_TOTAL]), U(s.memory[SWAP_FREE]),
        U(s.memory[HIGH_TOTAL]), U(s.memory[HIGH_FREE]), s.processes);
#undef U
    return written < (int)capacity ? written : 0;
}

static int add_properties(void);

/* libmosquitto may say NO_CONN for a message that it has taken: that counts as in flight too. */
static bool publish(const char *topic, const char *text, int length, bool retained, const mosquitto_property *with) {
    int status = mosquitto_publish_v5(client, NULL, topic, length, text, 1, retained, with);
    if (status != MOSQ_ERR_SUCCESS && status != MOSQ_ERR_NO_CONN) return false;
    in_flight++;
    return true;
}

static void publish_status(const char *state) {
    char json[256];
    int length = snprintf(json, sizeof json,
        "{\"state\":\"%s\",\"published\":%llu,\"refused\":%llu,\"invalid\":%llu,\"lost\":%llu,\"waiting_bytes\":%zu}", state,
        (unsigned long long)published, (unsigned long long)refused, (unsigned long long)invalid,
        (unsigned long long)lost, ring_used());
    status_due = !publish(status_topic, json, length, true, NULL);
}

/* What the record's bytes do not tell, told anew when the clock was set. */
static void describe(int64_t clock_offset) {
    static int64_t described = INT64_MIN;
    char offset[24];
    if (payload != RECORD || llabs(clock_offset - described) < 1000000) return;
    described = clock_offset;
    snprintf(offset, sizeof offset, "%lld", (long long)clock_offset);
    mosquitto_property_free_all(&properties);
    if (add_properties() ||
        mosquitto_property_add_string_pair(&properties, MQTT_PROP_USER_PROPERTY, "boot_id", boot_id) ||
        mosquitto_property_add_string_pair(&properties, MQTT_PROP_USER_PROPERTY, "time_offset_ns", offset)) fail("libmosquitto");
}

/* One record, or as many of one queue as a batch has: an array, lines, or the records' bytes. */
static bool publish_next(int64_t clock_offset) {
    static char text[1 << 20];
    struct entry entry;
    int length = 0, count = 0, queue = -1;
    uint64_t at = ring_head;
    while (count < batch && at < ring_tail && length + JSON_BYTES + 2 < (int)sizeof text) {
        unsigned char record[RECORD_CAPACITY];
        ring_read(at, &entry, sizeof entry);
        if (queue >= 0 && queue != entry.queue) break;
        queue = entry.queue;
        ring_read(at + sizeof entry, record, entry.length);
        at += sizeof entry + entry.length;
        int start = length;
        if (batch > 1 && payload == JSON) text[length++] = count > 0 ? ',' : '[';
        if (count > 0 && payload == INFLUX) text[length++] = '\n';
        int written = format_record(record, entry.length, clock_offset, text + length, JSON_BYTES);
        if (written > 0) length += written, count++;
        else length = start, invalid++, ring_remove();
    }
    if (count == 0) return true;
    if (batch > 1 && payload == JSON) text[length++] = ']';
    if (!publish(queues[queue].topic, text, length, false, properties)) return false;
    while (count-- > 0) ring_remove();
    batch_since = nanoseconds(CLOCK_MONOTONIC);
    return true;
}

static bool batch_is_due(void) {
    return ring_count >= batch ||
        (ring_count > 0 && (stopping || nanoseconds(CLOCK_MONOTONIC) - batch_since >= BATCH_MILLISECONDS * 1000000ll));
}

static void publish_waiting(void) {
    if (!connected || in_flight >= window || (ring_used() == 0 && !status_due)) return;
    if (status_due) publish_status("online");
    int64_t clock_offset = nanoseconds(CLOCK_REALTIME) - nanoseconds(CLOCK_BOOTTIME);
    describe(clock_offset);
    while (connected && in_flight < window && batch_is_due())
        if (!publish_next(clock_offset)) return;
}

static void on_connect(struct mosquitto *c, void *context, int code, int flags, const mosquitto_property *with) {
    (void)c, (void)context, (void)flags;
    uint16_t maximum = WINDOW;
    mosquitto_property_read_int16(with, MQTT_PROP_RECEIVE_MAXIMUM, &maximum, false);
    window = maximum < WINDOW ? maximum : WINDOW;
    connected = status_due = code == 0;
    if (code != 0) fprintf(stderr, "connection refused: %s\n", mosquitto_reason_string(code));
}

static void on_disconnect(struct mosquitto *c, void *context, int code, const mosquitto_property *with) {
    (void)c, (void)context, (void)with;
    connected = false;
    if (!stopping) fprintf(stderr, "disconnected: %s\n", mosquitto_strerror(code));
}

static void on_publish(struct mosquitto *c, void *context, int id, int reason, const mosquitto_property *with) {
    (void)c, (void)context, (void)id, (void)with;
    in_flight--;
    if (reason < 128) published++;
    else if (refused++ == 0) fprintf(stderr, "publish refused: %s\n", mosquitto_reason_string(reason));
}

static int add_properties(void) {
    static const char *const types[] = {"application/json", "text/plain; charset=utf-8", "application/vnd.stats-recording.record"};
    return mosquitto_property_add_string(&properties, MQTT_PROP_CONTENT_TYPE, types[payload]) ||
        mosquitto_property_add_int32(&properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, EXPIRY_SECONDS);
}

static void create_client(const char *device) {
    char name[64];
    snprintf(name, sizeof name, "reference-bridge-%d", (int)getpid());
    mosquitto_lib_init();
    if (!(client = mosquitto_new(name, true, NULL))) fail("mosquitto_new");
    mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_int_option(client, MOSQ_OPT_SEND_MAXIMUM, WINDOW);
    mosquitto_connect_v5_callback_set(client, on_connect);
    mosquitto_disconnect_v5_callback_set(client, on_disconnect);
    mosquitto_publish_v5_callback_set(client, on_publish);
    const char offline[] = "{\"state\":\"offline\"}";
    snprintf(status_topic, sizeof status_topic, "stats/%s/status", device);
    if (mosquitto_will_set_v5(client, status_topic, sizeof offline - 1, offline, 1, true, NULL) ||
        add_properties()) fail("libmosquitto");
}

/* The queues that systemd passed, and those it did not. */
static void open_queues(const char *prefix, char *programs, const char *device) {
    int passed = sd_listen_fds(1);
    for (char *program = strtok(programs, ","); program && queue_count < MAXIMUM_QUEUES; program = strtok(NULL, ",")) {
        struct queue *queue = &queues[queue_count++];
        char name[256];
        snprintf(name, sizeof name, "%s%s", prefix, program);
        snprintf(queue->topic, sizeof queue->topic, "stats/%s/%s", device, program);
        queue->descriptor = -1;
        for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + passed; fd++)
            if (sd_is_mq(fd, name) > 0) queue->descriptor = fd;
        if (queue->descriptor < 0) queue->descriptor = open_queue(prefix, program, O_RDONLY | O_NONBLOCK);
        mq_setattr(queue->descriptor, &(struct mq_attr){.mq_flags = O_NONBLOCK}, NULL);
        queue->ready = true;
    }
}

/* What an event is for: a queue has its index. */
enum { SIGNALS = MAXIMUM_QUEUES, TIMER, SOCKET };

static void watch(int loop, int descriptor, uint32_t events, uint32_t what) {
    struct epoll_event event = {events, {.u32 = what}};
    if (epoll_ctl(loop, EPOLL_CTL_MOD, descriptor, &event) == 0) return;
    if (errno != ENOENT || epoll_ctl(loop, EPOLL_CTL_ADD, descriptor, &event) < 0) fail("epoll_ctl");
}

/* libmosquitto's socket, if its number or what it waits for has changed. */
static int watched_socket = -1;

static void watch_socket(int loop) {
    static uint32_t watched_events;
    int socket = mosquitto_socket(client);
    uint32_t events = mosquitto_want_write(client) ? EPOLLIN | EPOLLOUT : EPOLLIN;
    if (socket >= 0 && (socket != watched_socket || events != watched_events)) watch(loop, socket, events, SOCKET);
    watched_socket = socket, watched_events = events;
}

/* How long to wait at most: until the next batch is due. */
static int waiting(int patience) {
    if (batch == 1 || ring_count == 0 || !connected || in_flight >= window) return patience;
    int64_t left = batch_since / 1000000 + BATCH_MILLISECONDS - nanoseconds(CLOCK_MONOTONIC) / 1000000;
    return left < 1 ? 1 : patience > 0 && patience < left ? patience : (int)left;
}

int main(int count, char **arguments) {
    const char *host = "127.0.0.1", *prefix = DEFAULT_QUEUE_PREFIX;
    char default_program[] = "cyclic-sysinfo", *programs = default_program;
    int port = 1883;
    for (int i = 1; i < count; i += 2) {
        char *value = i + 1 < count ? arguments[i + 1] : NULL;
        if (value && !strcmp(arguments[i], "--host")) host = value;
        else if (value && !strcmp(arguments[i], "--port")) port = atoi(value);
        else if (value && !strcmp(arguments[i], "--queue-prefix")) prefix = value;
        else if (value && !strcmp(arguments[i], "--device-id")) device = value;
        else if (value && !strcmp(arguments[i], "--programs")) programs = value;
        else if (value && !strcmp(arguments[i], "--batch")) batch = atoi(value);
        else if (value && !strcmp(arguments[i], "--payload"))
            payload = !strcmp(value, "influx") ? INFLUX : !strcmp(value, "record") ? RECORD : JSON;
        else usage("reference-bridge [--host NAME] [--port N] [--queue-prefix /NAME.] [--device-id ID] [--programs A,B,C] [--batch N]"
                   " [--payload json|influx|record]");
    }

    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (!file || fscanf(file, "%36s", boot_id) != 1) fail("boot_id");
    fclose(file);
    int signals = open_signals(), timer = open_timer(TICK_MILLISECONDS), loop = epoll_create1(EPOLL_CLOEXEC);
    open_queues(prefix, programs, device);
    create_client(device);
    watch(loop, signals, EPOLLIN, SIGNALS);
    watch(loop, timer, EPOLLIN, TIMER);
    for (int i = 0; i < queue_count; i++) watch(loop, queues[i].descriptor, EPOLLIN | EPOLLET, (uint32_t)i);
    mosquitto_connect_async(client, host, port, KEEP_ALIVE_SECONDS);
    int patience = watchdog_milliseconds(), ticks = 0, ticks_left = 2;
    notify("READY=1");

    while (!stopping || (connected && in_flight > 0 && ticks_left > 0)) {
        if (can_read()) drain_queues();
        publish_waiting();
        watch_socket(loop);
        struct epoll_event events[MAXIMUM_QUEUES + 3];
        int ready = epoll_wait(loop, events, MAXIMUM_QUEUES + 3, can_read() ? 0 : waiting(patience));
        if (ready < 0 && errno != EINTR) fail("epoll_wait");
        for (int i = 0; i < ready; i++) {
            uint32_t what = events[i].data.u32;
            if (what < MAXIMUM_QUEUES) {
                queues[what].ready = true;
            } else if (what == SOCKET) {
                if (events[i].events & EPOLLOUT) mosquitto_loop_write(client, 1);
                if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) mosquitto_loop_read(client, 1);
            } else if (what == TIMER) {
                uint64_t expirations;
                if (read(timer, &expirations, sizeof expirations) < 0) continue;
                if (mosquitto_socket(client) < 0) watched_socket = -1, mosquitto_reconnect_async(client);
                else mosquitto_loop_misc(client);
                if (++ticks % STATUS_TICKS == 0) status_due = connected;
                if (stopping) ticks_left--;
            } else {
                struct signalfd_siginfo signal;
                if (read(signals, &signal, sizeof signal) < 0 || stopping) continue;
                notify("STOPPING=1");
                stopping = true;
                if (connected) publish_status("offline");
            }
        }
        if (patience > 0) notify("WATCHDOG=1");
    }
    mosquitto_disconnect(client);
    mosquitto_destroy(client);
    mosquitto_lib_cleanup();
    return 0;
}
