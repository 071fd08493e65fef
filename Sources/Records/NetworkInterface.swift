/// What passed a network interface: /proc/net/dev, proc_pid_net(5), and /sys/class/net.
///
/// Counters since the interface came; OpenTelemetry's system.network.io, .packets, .errors, .dropped.
///
/// Body in format version 1, 159 bytes; of an optional field (?) that is absent all bits are set:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | text, 16 | interface |
/// | 18 | u64 | receive_bytes |
/// | 26 | u64 | receive_packets |
/// | 34 | u64 | receive_errors |
/// | 42 | u64 | receive_dropped |
/// | 50 | u64 | receive_fifo_errors |
/// | 58 | u64 | receive_frame_errors |
/// | 66 | u64 | receive_compressed |
/// | 74 | u64 | receive_multicast |
/// | 82 | u64 | transmit_bytes |
/// | 90 | u64 | transmit_packets |
/// | 98 | u64 | transmit_errors |
/// | 106 | u64 | transmit_dropped |
/// | 114 | u64 | transmit_fifo_errors |
/// | 122 | u64 | transmit_collisions |
/// | 130 | u64 | transmit_carrier_errors |
/// | 138 | u64 | transmit_compressed |
/// | 146 | u8 | state |
/// | 147 | u64? | speed_bits_per_second |
/// | 155 | u32? | carrier_changes |
public struct NetworkInterface: RecordBody {
  public static let kind = RecordKind.networkInterface

  public enum State: UInt8, FieldName {
    case unknown = 0
    case notPresent = 1
    case down = 2
    case lowerLayerDown = 3
    case testing = 4
    case dormant = 5
    case up = 6

    public var name: StaticString {
      switch self {
      case .unknown: "unknown"
      case .notPresent: "notpresent"
      case .down: "down"
      case .lowerLayerDown: "lowerlayerdown"
      case .testing: "testing"
      case .dormant: "dormant"
      case .up: "up"
      }
    }
  }

  public var interface = FixedText<16>()
  public var receiveBytes: UInt64 = 0
  public var receivePackets: UInt64 = 0
  public var receiveErrors: UInt64 = 0
  public var receiveDropped: UInt64 = 0
  public var receiveFifoErrors: UInt64 = 0
  public var receiveFrameErrors: UInt64 = 0
  public var receiveCompressed: UInt64 = 0
  public var receiveMulticast: UInt64 = 0
  public var transmitBytes: UInt64 = 0
  public var transmitPackets: UInt64 = 0
  public var transmitErrors: UInt64 = 0
  public var transmitDropped: UInt64 = 0
  public var transmitFifoErrors: UInt64 = 0
  public var transmitCollisions: UInt64 = 0
  public var transmitCarrierErrors: UInt64 = 0
  public var transmitCompressed: UInt64 = 0
  public var state = State.unknown
  public var speedBitsPerSecond: UInt64?
  public var carrierChanges: UInt32?

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.text(Field("interface", .none, .identity, "Its name"), &interface)
    visitor.unsigned(Field("receive_bytes", .bytes, .counter, "Bytes received"), &receiveBytes)
    visitor.unsigned(
      Field("receive_packets", .count, .counter, "Packets received"), &receivePackets)
    visitor.unsigned(
      Field("receive_errors", .count, .counter, "Packets with errors"), &receiveErrors)
    visitor.unsigned(Field("receive_dropped", .count, .counter, "Packets dropped"), &receiveDropped)
    visitor.unsigned(
      Field("receive_fifo_errors", .count, .counter, "Buffer overruns"), &receiveFifoErrors)
    visitor.unsigned(
      Field("receive_frame_errors", .count, .counter, "Framing errors"), &receiveFrameErrors)
    visitor.unsigned(
      Field("receive_compressed", .count, .counter, "Compressed packets received"),
      &receiveCompressed)
    visitor.unsigned(
      Field("receive_multicast", .count, .counter, "Multicast packets received"), &receiveMulticast)
    visitor.unsigned(Field("transmit_bytes", .bytes, .counter, "Bytes sent"), &transmitBytes)
    visitor.unsigned(Field("transmit_packets", .count, .counter, "Packets sent"), &transmitPackets)
    visitor.unsigned(
      Field("transmit_errors", .count, .counter, "Packets that could not be sent"), &transmitErrors)
    visitor.unsigned(
      Field("transmit_dropped", .count, .counter, "Packets dropped"), &transmitDropped)
    visitor.unsigned(
      Field("transmit_fifo_errors", .count, .counter, "Buffer overruns"), &transmitFifoErrors)
    visitor.unsigned(
      Field("transmit_collisions", .count, .counter, "Collisions"), &transmitCollisions)
    visitor.unsigned(
      Field("transmit_carrier_errors", .count, .counter, "Losses of carrier"),
      &transmitCarrierErrors)
    visitor.unsigned(
      Field("transmit_compressed", .count, .counter, "Compressed packets sent"),
      &transmitCompressed)
    visitor.name(
      Field("state", .none, .gauge, "Its operational state after RFC 2863; up is the good one"),
      &state)
    visitor.optional(
      Field("speed_bits_per_second", .bitsPerSecond, .gauge, "The speed of the link"),
      &speedBitsPerSecond)
    visitor.optional(
      Field("carrier_changes", .count, .counter, "How often the carrier came or went"),
      &carrierChanges)
  }

  public static var topic: StaticString { "network/{interface}" }
}
