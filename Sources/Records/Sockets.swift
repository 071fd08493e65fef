/// Sockets in use and what the protocols did: /proc/net/sockstat, sockstat6 and snmp, proc_pid_net(5).
///
/// Counters since the machine started, after RFC 1213 and its successors.
///
/// Body in format version 1, 256 bytes; of an optional field (?) that is absent all bits are set:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u32? | sockets_used |
/// | 4 | u32? | tcp_in_use |
/// | 8 | u32? | tcp_orphaned |
/// | 12 | u32? | tcp_time_wait |
/// | 16 | u32? | tcp_allocated |
/// | 20 | u64? | tcp_memory_bytes |
/// | 28 | u32? | udp_in_use |
/// | 32 | u64? | udp_memory_bytes |
/// | 40 | u32? | udplite_in_use |
/// | 44 | u32? | raw_in_use |
/// | 48 | u32? | fragments_in_use |
/// | 52 | u64? | fragments_memory_bytes |
/// | 60 | u32? | tcp6_in_use |
/// | 64 | u32? | udp6_in_use |
/// | 68 | u32? | udplite6_in_use |
/// | 72 | u32? | raw6_in_use |
/// | 76 | u32? | fragments6_in_use |
/// | 80 | u64? | fragments6_memory_bytes |
/// | 88 | u64? | ip_received_packets |
/// | 96 | u64? | ip_delivered_packets |
/// | 104 | u64? | ip_requested_packets |
/// | 112 | u64? | ip_receive_discards |
/// | 120 | u64? | ip_transmit_discards |
/// | 128 | u64? | tcp_active_opens |
/// | 136 | u64? | tcp_passive_opens |
/// | 144 | u64? | tcp_failed_attempts |
/// | 152 | u64? | tcp_established_resets |
/// | 160 | u64? | tcp_established |
/// | 168 | u64? | tcp_received_segments |
/// | 176 | u64? | tcp_sent_segments |
/// | 184 | u64? | tcp_retransmitted_segments |
/// | 192 | u64? | tcp_receive_errors |
/// | 200 | u64? | tcp_sent_resets |
/// | 208 | u64? | udp_received_datagrams |
/// | 216 | u64? | udp_sent_datagrams |
/// | 224 | u64? | udp_no_port |
/// | 232 | u64? | udp_receive_errors |
/// | 240 | u64? | udp_receive_buffer_errors |
/// | 248 | u64? | udp_send_buffer_errors |
public struct Sockets: RecordBody {
  public static let kind = RecordKind.sockets

  public var socketsUsed: UInt32?
  public var tcpInUse: UInt32?
  public var tcpOrphaned: UInt32?
  public var tcpTimeWait: UInt32?
  public var tcpAllocated: UInt32?
  public var tcpMemoryBytes: UInt64?
  public var udpInUse: UInt32?
  public var udpMemoryBytes: UInt64?
  public var udpliteInUse: UInt32?
  public var rawInUse: UInt32?
  public var fragmentsInUse: UInt32?
  public var fragmentsMemoryBytes: UInt64?
  public var tcp6InUse: UInt32?
  public var udp6InUse: UInt32?
  public var udplite6InUse: UInt32?
  public var raw6InUse: UInt32?
  public var fragments6InUse: UInt32?
  public var fragments6MemoryBytes: UInt64?
  public var ipReceivedPackets: UInt64?
  public var ipDeliveredPackets: UInt64?
  public var ipRequestedPackets: UInt64?
  public var ipReceiveDiscards: UInt64?
  public var ipTransmitDiscards: UInt64?
  public var tcpActiveOpens: UInt64?
  public var tcpPassiveOpens: UInt64?
  public var tcpFailedAttempts: UInt64?
  public var tcpEstablishedResets: UInt64?
  public var tcpEstablished: UInt64?
  public var tcpReceivedSegments: UInt64?
  public var tcpSentSegments: UInt64?
  public var tcpRetransmittedSegments: UInt64?
  public var tcpReceiveErrors: UInt64?
  public var tcpSentResets: UInt64?
  public var udpReceivedDatagrams: UInt64?
  public var udpSentDatagrams: UInt64?
  public var udpNoPort: UInt64?
  public var udpReceiveErrors: UInt64?
  public var udpReceiveBufferErrors: UInt64?
  public var udpSendBufferErrors: UInt64?

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.optional(
      Field("sockets_used", .count, .gauge, "Sockets of all protocols"), &socketsUsed)
    visitor.optional(Field("tcp_in_use", .count, .gauge, "TCP over IPv4 sockets in use"), &tcpInUse)
    visitor.optional(
      Field("tcp_orphaned", .count, .gauge, "TCP sockets that no process holds any more"),
      &tcpOrphaned)
    visitor.optional(
      Field("tcp_time_wait", .count, .gauge, "TCP connections in TIME_WAIT"), &tcpTimeWait)
    visitor.optional(Field("tcp_allocated", .count, .gauge, "TCP sockets allocated"), &tcpAllocated)
    visitor.optional(
      Field("tcp_memory_bytes", .bytes, .gauge, "Memory of TCP buffers"), &tcpMemoryBytes)
    visitor.optional(Field("udp_in_use", .count, .gauge, "UDP over IPv4 sockets in use"), &udpInUse)
    visitor.optional(
      Field("udp_memory_bytes", .bytes, .gauge, "Memory of UDP buffers"), &udpMemoryBytes)
    visitor.optional(
      Field("udplite_in_use", .count, .gauge, "UDP-Lite over IPv4 sockets in use"), &udpliteInUse)
    visitor.optional(Field("raw_in_use", .count, .gauge, "Raw IPv4 sockets in use"), &rawInUse)
    visitor.optional(
      Field("fragments_in_use", .count, .gauge, "IPv4 packets being put together"), &fragmentsInUse)
    visitor.optional(
      Field("fragments_memory_bytes", .bytes, .gauge, "Memory of their fragments"),
      &fragmentsMemoryBytes)
    visitor.optional(
      Field("tcp6_in_use", .count, .gauge, "TCP over IPv6 sockets in use"), &tcp6InUse)
    visitor.optional(
      Field("udp6_in_use", .count, .gauge, "UDP over IPv6 sockets in use"), &udp6InUse)
    visitor.optional(
      Field("udplite6_in_use", .count, .gauge, "UDP-Lite over IPv6 sockets in use"), &udplite6InUse)
    visitor.optional(Field("raw6_in_use", .count, .gauge, "Raw IPv6 sockets in use"), &raw6InUse)
    visitor.optional(
      Field("fragments6_in_use", .count, .gauge, "IPv6 packets being put together"),
      &fragments6InUse)
    visitor.optional(
      Field("fragments6_memory_bytes", .bytes, .gauge, "Memory of their fragments"),
      &fragments6MemoryBytes)
    visitor.optional(
      Field("ip_received_packets", .count, .counter, "IPv4 packets received"), &ipReceivedPackets)
    visitor.optional(
      Field("ip_delivered_packets", .count, .counter, "Those handed to a protocol"),
      &ipDeliveredPackets)
    visitor.optional(
      Field("ip_requested_packets", .count, .counter, "IPv4 packets that protocols asked to send"),
      &ipRequestedPackets)
    visitor.optional(
      Field(
        "ip_receive_discards", .count, .counter, "Received IPv4 packets dropped for want of room"),
      &ipReceiveDiscards)
    visitor.optional(
      Field(
        "ip_transmit_discards", .count, .counter, "IPv4 packets to send dropped for want of room"),
      &ipTransmitDiscards)
    visitor.optional(
      Field("tcp_active_opens", .count, .counter, "Connections opened from here"), &tcpActiveOpens)
    visitor.optional(
      Field("tcp_passive_opens", .count, .counter, "Connections opened to here"), &tcpPassiveOpens)
    visitor.optional(
      Field("tcp_failed_attempts", .count, .counter, "Connections that did not come about"),
      &tcpFailedAttempts)
    visitor.optional(
      Field("tcp_established_resets", .count, .counter, "Connections that were reset"),
      &tcpEstablishedResets)
    visitor.optional(
      Field("tcp_established", .count, .gauge, "Connections at present"), &tcpEstablished)
    visitor.optional(
      Field("tcp_received_segments", .count, .counter, "TCP segments received"),
      &tcpReceivedSegments)
    visitor.optional(
      Field("tcp_sent_segments", .count, .counter, "TCP segments sent"), &tcpSentSegments)
    visitor.optional(
      Field("tcp_retransmitted_segments", .count, .counter, "TCP segments sent again"),
      &tcpRetransmittedSegments)
    visitor.optional(
      Field("tcp_receive_errors", .count, .counter, "TCP segments received with errors"),
      &tcpReceiveErrors)
    visitor.optional(
      Field("tcp_sent_resets", .count, .counter, "Segments sent with RST"), &tcpSentResets)
    visitor.optional(
      Field("udp_received_datagrams", .count, .counter, "UDP datagrams received"),
      &udpReceivedDatagrams)
    visitor.optional(
      Field("udp_sent_datagrams", .count, .counter, "UDP datagrams sent"), &udpSentDatagrams)
    visitor.optional(
      Field("udp_no_port", .count, .counter, "UDP datagrams that nobody waited for"), &udpNoPort)
    visitor.optional(
      Field("udp_receive_errors", .count, .counter, "UDP datagrams that could not be delivered"),
      &udpReceiveErrors)
    visitor.optional(
      Field(
        "udp_receive_buffer_errors", .count, .counter, "Those for which the buffer had no room"),
      &udpReceiveBufferErrors)
    visitor.optional(
      Field(
        "udp_send_buffer_errors", .count, .counter,
        "UDP datagrams to send for which the buffer had no room"),
      &udpSendBufferErrors)
  }

  public static var topic: StaticString { "sockets" }
}
