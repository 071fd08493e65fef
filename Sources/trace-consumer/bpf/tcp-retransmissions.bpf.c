// TCP segments that are sent again.
#include "trace.h"

struct retransmission {
  __u64 common;
  __u64 buffer;
  __u64 socket;
  __s32 state;
  __u16 source_port;
  __u16 destination_port;
};

struct ports {
  __u16 source;
  __u16 destination;
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
  __uint(max_entries, 4096);
  __type(key, struct ports);
  __type(value, __u64);
} retransmissions SEC(".maps");

struct lost_map lost SEC(".maps");

SEC("tp/tcp/tcp_retransmit_skb") int on_retransmission(struct retransmission *context) {
  struct ports ports = {context->source_port, context->destination_port};
  count_up(&retransmissions, &ports, &lost, 1);
  return 0;
}
