// Files that could not be opened.
#include "trace.h"

struct system_call_exit {
  __u64 common;
  __s64 number;
  __s64 result;
};

struct failure {
  char comm[16];
  __u32 error;
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
  __uint(max_entries, 4096);
  __type(key, struct failure);
  __type(value, __u64);
} failures SEC(".maps");

struct lost_map lost SEC(".maps");

static __always_inline int count(struct system_call_exit *context) {
  if (context->result >= 0) return 0;
  struct failure failure = {.error = -context->result};
  bpf_get_current_comm(failure.comm, sizeof failure.comm);
  count_up(&failures, &failure, &lost, 1);
  return 0;
}

SEC("tp/syscalls/sys_exit_openat") int on_openat(struct system_call_exit *context) {
  return count(context);
}

SEC("tp/syscalls/sys_exit_openat2") int on_openat2(struct system_call_exit *context) {
  return count(context);
}
