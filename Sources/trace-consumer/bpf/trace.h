// What the programs have in common. They know nothing of this kernel but its tracepoints, whose fields
// stand where events/*/*/format says; so they need no BTF. Fields of type long are those of a 64-bit kernel.
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#define BUCKETS 64

typedef struct {
  __u64 counts[BUCKETS];
} histogram;

// The bucket of a value, as the manifest's `quantize` has it: 0 for 0, then each power of two.
static __always_inline __u32 bucket_of(__u64 value) {
  __u32 bucket = 0;
#pragma unroll
  for (int bits = 32; bits > 0; bits /= 2)
    if (value >> bits) {
      value >>= bits;
      bucket += bits;
    }
  bucket += value != 0;
  return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

// Maps of one value for each CPU: nothing is shared, so plain additions do.
static __always_inline void add_to_histogram(void *map, __u64 value) {
  __u32 zero = 0;
  histogram *all = bpf_map_lookup_elem(map, &zero);
  if (all) all->counts[bucket_of(value)]++;
}

// `lost` has the number of what found no room in the map.
static __always_inline void count_up(void *map, const void *key, void *lost, __u64 by) {
  __u64 *count = bpf_map_lookup_elem(map, key);
  if (count) {
    *count += by;
    return;
  }
  __u32 zero = 0;
  if (bpf_map_update_elem(map, key, &by, BPF_NOEXIST) == 0) return;
  // On another CPU the key came meanwhile; or there is no room.
  count = bpf_map_lookup_elem(map, key);
  if (!count) count = bpf_map_lookup_elem(lost, &zero);
  if (count) *count += by;
}

// A record that found no room in its ring buffer.
static __always_inline void count_lost(void *lost) {
  __u32 zero = 0;
  __u64 *count = bpf_map_lookup_elem(lost, &zero);
  if (count) *count += 1;
}

struct lost_map {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u64);
};

struct histogram_map {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, histogram);
};

char license_name[] SEC("license") = "GPL";
