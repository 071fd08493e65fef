// Processes that the kernel ends for want of memory.
#include "trace.h"

struct victim {
  __u64 common;
  __s32 pid;
};

struct event {
  __u64 nsecs;
  __u32 pid;
  // Who wanted the memory.
  char trigger[16];
};

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 12);
} victims SEC(".maps");

struct lost_map lost SEC(".maps");

SEC("tp/oom/mark_victim") int on_victim(struct victim *context) {
  struct event *event = bpf_ringbuf_reserve(&victims, sizeof *event, 0);
  if (!event) {
    count_lost(&lost);
    return 0;
  }
  event->nsecs = bpf_ktime_get_ns();
  event->pid = context->pid;
  bpf_get_current_comm(event->trigger, sizeof event->trigger);
  bpf_ringbuf_submit(event, 0);
  return 0;
}
