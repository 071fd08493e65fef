// Processes that a signal ends.
#include "trace.h"

struct delivery {
  __u64 common;
  __s32 signal;
  __s32 error;
  __s32 code;
  __u64 handler;
};

struct generation {
  __u64 common;
  __s32 signal;
  __s32 error;
  __s32 code;
  char comm[16];
  __s32 pid;
  __s32 group;
  __s32 result;
};

struct process_exit {
  __u64 common;
  char comm[16];
  __s32 pid;
};

struct death {
  char comm[16];
  __u32 signal;
};

struct event {
  __u64 nsecs;
  __u32 pid;
  __u32 cpu;
  __u32 signal;
  char comm[16];
};

// The first signal that ends a process counts: its other threads are then ended by SIGKILL.
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 1024);
  __type(key, __u32);
  __type(value, __u8);
} ending SEC(".maps");

// A signal that ends a process at once is delivered as SIGKILL; this is which one it was.
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __type(key, __u32);
  __type(value, __u32);
} generated SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
  __uint(max_entries, 1024);
  __type(key, struct death);
  __type(value, __u64);
} exits SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 14);
} ended SEC(".maps");

struct lost_map lost SEC(".maps");

// signal(7): CHLD, CONT, URG and WINCH are ignored by default; STOP, TSTP, TTIN, TTOU stop.
#define HARMLESS (1ull << 17 | 1ull << 18 | 1ull << 23 | 1ull << 28 | 1ull << 19 | 1ull << 20 | \
                  1ull << 21 | 1ull << 22)

static __always_inline int is_harmless(__u32 signal) {
  return signal < 64 && (HARMLESS >> signal & 1);
}

SEC("tp/signal/signal_generate") int on_generation(struct generation *context) {
  __u32 pid = context->pid, signal = context->signal;
  // 0: it was not ignored.
  if (context->result == 0 && !is_harmless(signal))
    bpf_map_update_elem(&generated, &pid, &signal, BPF_ANY);
  return 0;
}

SEC("tp/signal/signal_deliver") int on_delivery(struct delivery *context) {
  __u64 id = bpf_get_current_pid_tgid();
  __u32 process = id >> 32, thread = id, signal = context->signal;
  if (context->handler != 0) {
    bpf_map_delete_elem(&generated, &process);
    bpf_map_delete_elem(&generated, &thread);
    return 0;
  }
  __u8 one = 1;
  if (is_harmless(signal) || bpf_map_update_elem(&ending, &process, &one, BPF_NOEXIST) != 0)
    return 0;
  __u32 *cause = bpf_map_lookup_elem(&generated, &process);
  if (!cause) cause = bpf_map_lookup_elem(&generated, &thread);
  struct death death = {.signal = signal == 9 && cause ? *cause : signal};
  bpf_get_current_comm(death.comm, sizeof death.comm);
  count_up(&exits, &death, &lost, 1);
  struct event *event = bpf_ringbuf_reserve(&ended, sizeof *event, 0);
  if (!event) {
    count_lost(&lost);
    return 0;
  }
  event->nsecs = bpf_ktime_get_ns();
  event->pid = process;
  event->cpu = bpf_get_smp_processor_id();
  event->signal = death.signal;
  __builtin_memcpy(event->comm, death.comm, sizeof death.comm);
  bpf_ringbuf_submit(event, 0);
  return 0;
}

SEC("tp/sched/sched_process_exit") int on_exit(struct process_exit *context) {
  __u32 process = bpf_get_current_pid_tgid() >> 32;
  // The process id may be used again.
  if ((__u32)context->pid == process) bpf_map_delete_elem(&ending, &process);
  process = context->pid;
  bpf_map_delete_elem(&generated, &process);
  return 0;
}
