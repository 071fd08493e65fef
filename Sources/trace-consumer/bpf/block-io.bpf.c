// How long requests to block devices take, and how large they are.
#include "trace.h"

struct request {
  __u64 common;
  __u32 device;
  __u64 sector;
  __u32 sectors;
};

struct place {
  __u64 sector;
  __u32 device;
  __u32 unused;
};

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __type(key, struct place);
  __type(value, __u64);
} issued SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
  __uint(max_entries, 256);
  __type(key, __u32);
  __type(value, __u64);
} sectors SEC(".maps");

struct histogram_map microseconds SEC(".maps");
struct histogram_map bytes SEC(".maps");
struct lost_map lost SEC(".maps");

SEC("tp/block/block_rq_issue") int on_issue(struct request *context) {
  struct place place = {context->sector, context->device, 0};
  __u64 now = bpf_ktime_get_ns();
  bpf_map_update_elem(&issued, &place, &now, BPF_ANY);
  return 0;
}

SEC("tp/block/block_rq_complete") int on_complete(struct request *context) {
  struct place place = {context->sector, context->device, 0};
  __u32 device = context->device;
  add_to_histogram(&bytes, (__u64)context->sectors * 512);
  count_up(&sectors, &device, &lost, context->sectors);
  __u64 *since = bpf_map_lookup_elem(&issued, &place);
  if (!since) return 0;
  add_to_histogram(&microseconds, (bpf_ktime_get_ns() - *since) / 1000);
  bpf_map_delete_elem(&issued, &place);
  return 0;
}
