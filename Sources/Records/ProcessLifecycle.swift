/// That a watched process came, came again or is not there, as dlt-system's messages show it.
///
/// Body in format version 1, 93 bytes; of an optional field (?) that is absent all bits are set:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | text, 4 | ecu |
/// | 6 | text, 64 | process |
/// | 72 | u8 | event: 1 started, 2 restarted, 3 not_running |
/// | 73 | u32? | pid |
/// | 77 | u64? | start_seconds |
/// | 85 | u32? | previous_pid |
/// | 89 | u32? | uptime_seconds |
public struct ProcessLifecycle: RecordBody {
  public static let kind = RecordKind.processLifecycle

  public enum Event: UInt8, FieldName {
    case unknown = 0
    /// Told for the first time; `start_seconds` says since when it runs.
    case started = 1
    /// It started after the process that had its name, or its id, was last told.
    case restarted = 2
    /// dlt-system finds no such process.
    case notRunning = 3

    public var name: StaticString {
      switch self {
      case .unknown: "unknown"
      case .started: "started"
      case .restarted: "restarted"
      case .notRunning: "not_running"
      }
    }
  }

  public var ecu = FixedText<4>()
  public var process = FixedText<64>()
  public var event = Event.unknown
  public var processID: UInt32?
  public var startHundredths: UInt64?
  public var previousProcessID: UInt32?
  public var uptimeTenThousandths: UInt32?

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.text(Field("ecu", .none, .identity, "The machine that it runs on"), &ecu)
    visitor.text(
      Field("process", .none, .identity, "The name by which it is watched"), &process)
    visitor.name(Field("event", .none, .gauge, "started, restarted or not_running"), &event)
    visitor.optional(Field("pid", .none, .gauge, "Process id"), &processID)
    visitor.optional(
      Field(
        "start_seconds", .seconds, .gauge, decimals: 2,
        "When it started, since its machine started"),
      &startHundredths)
    visitor.optional(
      Field("previous_pid", .none, .gauge, "Process id of the one before it"),
      &previousProcessID)
    visitor.optional(
      Field(
        "uptime_seconds", .seconds, .gauge, decimals: 4,
        "The time of the message since its machine started; begins again after 4.97 days"),
      &uptimeTenThousandths)
  }

  public static let eventRule = EventRule.always

  public static var topic: StaticString { "{ecu}/lifecycle/{process}" }
}
