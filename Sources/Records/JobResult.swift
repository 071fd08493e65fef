/// A job of systemd that is over: what came of starting, stopping or reloading a unit.
///
/// Body in format version 1, 297 bytes:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | text, 256 | unit |
/// | 258 | u32 | job_id |
/// | 262 | u8 | state: 1 queued, 2 over |
/// | 263 | text, 32 | result |
public struct JobResult: RecordBody {
  public static let kind = RecordKind.jobResult

  public enum State: UInt8, FieldName {
    case unknown = 0
    /// Told only with `--all`.
    case queued = 1
    case over = 2

    public var name: StaticString {
      switch self {
      case .unknown: "unknown"
      case .queued: "queued"
      case .over: "over"
      }
    }
  }

  public var unit = FixedText<256>()
  public var jobId: UInt32 = 0
  public var state = State.unknown
  public var result = FixedText<32>()

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.text(Field("unit", .none, .identity, "The unit that the job is for"), &unit)
    visitor.unsigned(Field("job_id", .none, .gauge, "The number that systemd gave it"), &jobId)
    visitor.name(Field("state", .none, .gauge, "queued or over"), &state)
    visitor.text(
      Field(
        "result", .none, .gauge,
        "done, failed, timeout, dependency, canceled, skipped, …; empty while it is queued"),
      &result)
  }

  public static var topic: StaticString { "job/{unit}" }

  public static let eventRule = EventRule.dependsOnFields

  /// Something went wrong; canceled and skipped are what somebody wanted.
  public var isEvent: Bool {
    state == .over
      && !(result == FixedText("done") || result == FixedText("canceled")
        || result == FixedText("skipped") || result == FixedText("once"))
  }
}
