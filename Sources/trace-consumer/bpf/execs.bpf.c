// Programs that are started.
#include "trace.h"

struct command {
  char name[16];
};

struct event {
  __u64 nsecs;
  __u32 pid;
  __u32 cpu;
  char comm[16];
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
  __uint(max_entries, 4096);
  __type(key, struct command);
  __type(value, __u64);
} execs SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 16);
} started SEC(".maps");

struct lost_map lost SEC(".maps");

SEC("tp/sched/sched_process_exec") int on_exec(void *context) {
  struct command command = {};
  bpf_get_current_comm(&command, sizeof command);
  count_up(&execs, &command, &lost, 1);
  struct event *event = bpf_ringbuf_reserve(&started, sizeof *event, 0);
  if (!event) {
    count_lost(&lost);
    return 0;
  }
  event->nsecs = bpf_ktime_get_ns();
  event->pid = bpf_get_current_pid_tgid() >> 32;
  event->cpu = bpf_get_smp_processor_id();
  __builtin_memcpy(event->comm, &command, sizeof command);
  bpf_ringbuf_submit(event, 0);
  return 0;
}
