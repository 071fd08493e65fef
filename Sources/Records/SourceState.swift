/// Whether a program can do its work: sent when it starts, when it ends, and when its source is not
/// there. The bridge keeps the last one of each program in the retained status.
///
/// Body in format version 1, 163 bytes:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u8 | state: 1 running, 2 stopped, 3 unavailable |
/// | 1 | text, 160 | why, and how to get it |
public struct SourceState: RecordBody {
  public static let kind = RecordKind.sourceState

  public enum State: UInt8, FieldName {
    case unknown = 0
    case running = 1
    case stopped = 2
    /// The machine does not have what the program watches.
    case unavailable = 3

    public var name: StaticString {
      switch self {
      case .unknown: "unknown"
      case .running: "running"
      case .stopped: "stopped"
      case .unavailable: "unavailable"
      }
    }
  }

  public var state = State.unknown
  public var reason = FixedText<160>()

  public init() {}

  public init(_ state: State) {
    self.state = state
  }

  public init(_ state: State, reason: Span<UInt8>) {
    self.state = state
    self.reason = FixedText(reason)
  }

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.name(
      Field("state", .none, .gauge, "running, stopped or unavailable"), &state)
    visitor.text(
      Field("reason", .none, .gauge, "Why it is unavailable, and how to get it"), &reason)
  }

  public static let eventRule = EventRule.always

  public static var topic: StaticString { "state" }
}
