// How long tasks wait for a CPU once they can run.
#include "trace.h"

struct wakeup {
  __u64 common;
  char comm[16];
  __s32 pid;
};

struct sched_switch {
  __u64 common;
  char prev_comm[16];
  __s32 prev_pid;
  __s32 prev_prio;
  __s64 prev_state;
  char next_comm[16];
  __s32 next_pid;
};

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 16384);
  __type(key, __s32);
  __type(value, __u64);
} runnable_since SEC(".maps");

struct histogram_map microseconds SEC(".maps");

static __always_inline void begin(__s32 pid) {
  __u64 now = bpf_ktime_get_ns();
  if (pid) bpf_map_update_elem(&runnable_since, &pid, &now, BPF_ANY);
}

SEC("tp/sched/sched_wakeup") int on_wakeup(struct wakeup *context) {
  begin(context->pid);
  return 0;
}

SEC("tp/sched/sched_wakeup_new") int on_wakeup_new(struct wakeup *context) {
  begin(context->pid);
  return 0;
}

SEC("tp/sched/sched_switch") int on_switch(struct sched_switch *context) {
  // Preempted: it can run on, bit 8 or no bit at all.
  if ((context->prev_state & 0xFF) == 0) begin(context->prev_pid);
  __s32 pid = context->next_pid;
  __u64 *since = bpf_map_lookup_elem(&runnable_since, &pid);
  if (!since) return 0;
  __u64 now = bpf_ktime_get_ns();
  add_to_histogram(&microseconds, now > *since ? (now - *since) / 1000 : 0);
  bpf_map_delete_elem(&runnable_since, &pid);
  return 0;
}
