// System calls by program.
#include "trace.h"

struct command {
  char name[16];
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
  __uint(max_entries, 4096);
  __type(key, struct command);
  __type(value, __u64);
} calls SEC(".maps");

struct lost_map lost SEC(".maps");

SEC("tp/raw_syscalls/sys_enter") int on_enter(void *context) {
  struct command command = {};
  bpf_get_current_comm(&command, sizeof command);
  count_up(&calls, &command, &lost, 1);
  return 0;
}
