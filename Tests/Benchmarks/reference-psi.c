/* The honest C program of the shape of epoll-psi: the kernel's pressure triggers, a record when a stall begins, goes on, ends. */
#include "proc-text.h"

enum { PRESSURE_STALL = 16, MAXIMUM_TRIGGERS = 8, DEADLINE = MAXIMUM_TRIGGERS };
enum { ONSET = 1, ONGOING = 2, OVER = 3 };

static const char *const resources[] = {"?", "cpu", "memory", "io"};

static struct trigger {
    int descriptor;
    uint8_t resource, scope; /* scope: 1 some, 2 full */
    bool running;
    uint32_t threshold, window; /* microseconds */
    uint64_t recorded_total, onset_total;
    int64_t recorded, onset; /* nanoseconds */
} triggers[MAXIMUM_TRIGGERS];
static int trigger_count, deadline;

struct averages { uint32_t over10, over60, over300; uint64_t total; };

/* `some avg10=0.15 avg60=0.03 avg300=0.00 total=21459217`; all bits set where there is no such line. */
static struct averages parse_line(const char *word) {
    struct averages a;
    memset(&a, 0xff, sizeof a);
    const char *line = strstr(text, word);
    uint32_t *const values[] = {&a.over10, &a.over60, &a.over300};
    for (int i = 0; line && i < 3; i++) {
        line = strchr(line, '=') + 1;
        uint64_t whole = next_number(&line);
        line++; /* the point: two decimals of a percent are ten-thousandths */
        *values[i] = (uint32_t)(whole * 100 + next_number(&line));
    }
    if (line) line = strchr(line, '=') + 1, a.total = next_number(&line);
    return a;
}

static void put_averages(unsigned char **at, struct averages a) {
    put32(at, a.over10), put32(at, a.over60), put32(at, a.over300), put64(at, a.total);
}

/* Reads the trigger's file; the total of its scope. */
static uint64_t read_pressure(struct trigger *trigger, struct averages *some, struct averages *full) {
    char buffer[256];
    ssize_t length = pread(trigger->descriptor, buffer, sizeof buffer - 1, 0);
    if (length < 0) fail("pressure");
    buffer[length] = '\0', text = buffer;
    *some = parse_line("some"), *full = parse_line("full");
    text = NULL;
    return trigger->scope == 1 ? some->total : full->total;
}

static void tell(struct trigger *trigger, uint8_t state, uint64_t total, struct averages some, struct averages full) {
    int64_t now = nanoseconds(CLOCK_MONOTONIC);
    if (state == ONSET) trigger->onset = now, trigger->onset_total = total;
    unsigned char *at = begin_body();
    put8(&at, state), put8(&at, trigger->resource), put8(&at, trigger->scope), put8(&at, 0);
    put_text(&at, "", 0, 256), put32(&at, trigger->threshold), put32(&at, trigger->window);
    put64(&at, total - trigger->recorded_total), put64(&at, (uint64_t)(now - trigger->recorded) / 1000);
    put64(&at, (uint64_t)(now - trigger->onset) / 1000), put64(&at, total - trigger->onset_total);
    put_averages(&at, some), put_averages(&at, full);
    send_body(PRESSURE_STALL, at);
    trigger->recorded = now, trigger->recorded_total = total, trigger->running = state != OVER;
}

static void look(struct trigger *trigger, bool fired) {
    struct averages some, full;
    uint64_t total = read_pressure(trigger, &some, &full);
    uint64_t elapsed = (uint64_t)(nanoseconds(CLOCK_MONOTONIC) - trigger->recorded) / 1000;
    bool above = (total - trigger->recorded_total) * trigger->window >= trigger->threshold * elapsed;
    if (!trigger->running) tell(trigger, ONSET, total, some, full);
    else if (elapsed >= trigger->window / 10 * 9) tell(trigger, fired || above ? ONGOING : OVER, total, some, full);
}

/* The timer goes to what is due first: a stall that the kernel is silent about is looked at after 1.25 windows. */
static void set_deadline(void) {
    int64_t first = 0;
    for (int i = 0; i < trigger_count; i++) {
        int64_t due = triggers[i].recorded + triggers[i].window * INT64_C(1250);
        if (triggers[i].running && (!first || due < first)) first = due;
    }
    struct itimerspec time = {.it_value = {first / 1000000000, first % 1000000000}};
    if (timerfd_settime(deadline, TFD_TIMER_ABSTIME, &time, NULL) < 0) fail("timerfd");
}

static void set_trigger(uint8_t resource, uint8_t scope, uint32_t threshold, uint32_t window) {
    char path[160], command[64];
    struct averages some, full;
    struct trigger *trigger = &triggers[trigger_count];
    snprintf(path, sizeof path, "%s/pressure/%s", procfs, resources[resource]);
    *trigger = (struct trigger){.descriptor = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC), .resource = resource,
                                .scope = scope, .threshold = threshold, .window = window};
    if (trigger->descriptor < 0) fail(path);
    int length = snprintf(command, sizeof command, "%s %u %u", scope == 1 ? "some" : "full", threshold, window) + 1;
    if (write(trigger->descriptor, command, (size_t)length) < 0) fail("trigger");
    trigger->recorded = nanoseconds(CLOCK_MONOTONIC), trigger->recorded_total = read_pressure(trigger, &some, &full);
    watch(trigger->descriptor, EPOLLPRI, (uint32_t)trigger_count++);
}

int main(int count, char **arguments) {
    procfs = option(count, arguments, "--procfs", procfs);
    const char *cpu = option(count, arguments, "--cpu-trigger", NULL);
    unsigned threshold, window;
    if (count % 2 == 0 || (cpu && sscanf(cpu, "%u/%u", &threshold, &window) != 2))
        usage("reference-psi [--queue-prefix /NAME.] [--procfs DIR] [--cpu-trigger THRESHOLD/WINDOW, in microseconds]");
    begin("epoll-psi", count, arguments);
    if ((deadline = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) < 0) fail("timerfd_create");
    watch(deadline, EPOLLIN, DEADLINE);
    if (cpu) set_trigger(1, 1, threshold, window);
    else set_trigger(1, 1, 1000000, 2000000), set_trigger(2, 1, 200000, 2000000), set_trigger(2, 2, 100000, 2000000),
         set_trigger(3, 1, 500000, 2000000), set_trigger(3, 2, 300000, 2000000);
    notify("READY=1");
    for (int source; (source = next_ready(NULL)) >= 0; set_deadline()) {
        if (source != DEADLINE) {
            look(&triggers[source], true);
            continue;
        }
        take_expirations(deadline);
        int64_t now = nanoseconds(CLOCK_MONOTONIC);
        for (int i = 0; i < trigger_count; i++)
            if (triggers[i].running && triggers[i].recorded + triggers[i].window * INT64_C(1250) <= now)
                look(&triggers[i], false);
    }
    return 0;
}
