/// A record of a tracing program: something that it saw.
///
/// Body in format version 1, 361 bytes; of an optional field (?) that is absent all bits are set:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | boolean | notable |
/// | 1 | text, 32 | program |
/// | 35 | text, 32 | record |
/// | 69 | u64? | since boot, CLOCK_BOOTTIME in nanoseconds |
/// | 77 | u32? | pid |
/// | 81 | u32? | cpu |
/// | 85 | text, 16 | comm |
/// | 103 | text, 256 | fields |
public struct TracedEvent: RecordBody {
  public static let kind = RecordKind.traceEvent

  public var isNotable = false
  public var program = FixedText<32>()
  public var record = FixedText<32>()
  public var bootTimeNanoseconds: UInt64?
  public var processID: UInt32?
  public var cpu: UInt32?
  public var command = FixedText<16>()
  public var fields = FixedText<256>()

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.boolean(
      Field("notable", .none, .gauge, "Seldom and important: kept longer where room is short"),
      &isNotable)
    visitor.text(Field("program", .none, .identity, "The tracing program"), &program)
    visitor.text(Field("record", .none, .identity, "Which of its records"), &record)
    visitor.optional(
      Field(
        "since_boot_seconds", .seconds, .gauge, decimals: 9,
        "When it happened, since the machine started"), &bootTimeNanoseconds)
    visitor.optional(Field("pid", .none, .gauge, "The process's id"), &processID)
    visitor.optional(Field("cpu", .none, .gauge, "The CPU on which it happened"), &cpu)
    visitor.text(Field("comm", .none, .identity, "The process's name, 15 bytes at most"), &command)
    visitor.text(
      Field("fields", .none, .gauge, "The record's other fields, name=value with spaces between"),
      &fields)
  }

  public static let eventRule = EventRule.firstField

  public var isEvent: Bool { isNotable }

  public static var topic: StaticString { "event/{program}/{record}" }
}
