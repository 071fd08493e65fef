/// That messages of a dlt-daemon, or of a trace file, are missing: how many and why.
///
/// Body in format version 1, 35 bytes; of an optional field (?) that is absent all bits are set:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | text, 4 | ecu |
/// | 6 | u8 | cause: 1 counter_gap, 2 buffer_overflow, 3 connection_gap, 4 garbage, 5 truncated, 6 unreadable |
/// | 7 | u32? | session |
/// | 11 | u32? | lost_messages |
/// | 15 | u64? | lost_bytes |
/// | 23 | u64? | gap_seconds |
/// | 31 | u32? | uptime_seconds |
public struct DLTLoss: RecordBody {
  public static let kind = RecordKind.dltLoss

  public enum Cause: UInt8, FieldName {
    case unknown = 0
    /// The counter of the messages, one byte, went on by more than one.
    case counterGap = 1
    /// The daemon says that its buffer was full.
    case bufferOverflow = 2
    /// There was no connection; the daemon keeps what fits into its buffer meanwhile.
    case connectionGap = 3
    /// Bytes that are no message.
    case garbage = 4
    /// The file ends within a message.
    case truncated = 5
    /// A message about a process that is not as it should be, such as a cut one.
    case unreadable = 6

    public var name: StaticString {
      switch self {
      case .unknown: "unknown"
      case .counterGap: "counter_gap"
      case .bufferOverflow: "buffer_overflow"
      case .connectionGap: "connection_gap"
      case .garbage: "garbage"
      case .truncated: "truncated"
      case .unreadable: "unreadable"
      }
    }
  }

  public var ecu = FixedText<4>()
  public var cause = Cause.unknown
  public var session: UInt32?
  public var lostMessages: UInt32?
  public var lostBytes: UInt64?
  public var gapMilliseconds: UInt64?
  public var uptimeTenThousandths: UInt32?

  public init() {}

  public init(_ cause: Cause) {
    self.cause = cause
  }

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.text(Field("ecu", .none, .identity, "The machine, where it is known"), &ecu)
    visitor.name(
      Field(
        "cause", .none, .identity,
        "counter_gap, buffer_overflow, connection_gap, garbage, truncated or unreadable"),
      &cause)
    visitor.optional(Field("session", .none, .gauge, "The sender's session"), &session)
    visitor.optional(
      Field(
        "lost_messages", .count, .gauge,
        "How many, as far as a counter of one byte can tell, or as the daemon counted"),
      &lostMessages)
    visitor.optional(Field("lost_bytes", .bytes, .gauge, "Bytes that were passed over"), &lostBytes)
    visitor.optional(
      Field(
        "gap_seconds", .seconds, .gauge, decimals: 3, "How long there was no connection"),
      &gapMilliseconds)
    visitor.optional(
      Field(
        "uptime_seconds", .seconds, .gauge, decimals: 4,
        "The time of the message since its machine started; begins again after 4.97 days"),
      &uptimeTenThousandths)
  }

  public static let eventRule = EventRule.always

  public static var topic: StaticString { "{ecu}/loss" }
}
