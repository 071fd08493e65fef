/// How long a CPU, or all of them together, did what: the `cpu` lines of /proc/stat, proc_stat(5).
///
/// Counters in hundredths of a second since the machine started; OpenTelemetry's system.cpu.time.
///
/// Body in format version 1, 90 bytes; of an optional field (?) that is absent all bits are set:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | text, 8 | cpu |
/// | 10 | u64 | user_seconds |
/// | 18 | u64 | nice_seconds |
/// | 26 | u64 | system_seconds |
/// | 34 | u64 | idle_seconds |
/// | 42 | u64 | iowait_seconds |
/// | 50 | u64 | interrupt_seconds |
/// | 58 | u64 | soft_interrupt_seconds |
/// | 66 | u64? | steal_seconds |
/// | 74 | u64? | guest_seconds |
/// | 82 | u64? | guest_nice_seconds |
public struct CPUTimes: RecordBody {
  public static let kind = RecordKind.cpuTimes

  public var cpu = FixedText<8>()
  public var userHundredths: UInt64 = 0
  public var niceHundredths: UInt64 = 0
  public var systemHundredths: UInt64 = 0
  public var idleHundredths: UInt64 = 0
  public var iowaitHundredths: UInt64 = 0
  public var interruptHundredths: UInt64 = 0
  public var softInterruptHundredths: UInt64 = 0
  public var stealHundredths: UInt64?
  public var guestHundredths: UInt64?
  public var guestNiceHundredths: UInt64?

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.text(Field("cpu", .none, .identity, "Its number, or total"), &cpu)
    visitor.unsigned(
      Field("user_seconds", .seconds, .counter, decimals: 2, "Programs, guests included"),
      &userHundredths)
    visitor.unsigned(
      Field(
        "nice_seconds", .seconds, .counter, decimals: 2, "Programs of low priority, guests included"
      ),
      &niceHundredths)
    visitor.unsigned(
      Field("system_seconds", .seconds, .counter, decimals: 2, "The kernel, for programs"),
      &systemHundredths)
    visitor.unsigned(
      Field("idle_seconds", .seconds, .counter, decimals: 2, "Nothing"), &idleHundredths)
    visitor.unsigned(
      Field(
        "iowait_seconds", .seconds, .counter, decimals: 2,
        "Nothing, while a program waited for a disk"),
      &iowaitHundredths)
    visitor.unsigned(
      Field("interrupt_seconds", .seconds, .counter, decimals: 2, "Interrupts"),
      &interruptHundredths)
    visitor.unsigned(
      Field("soft_interrupt_seconds", .seconds, .counter, decimals: 2, "Soft interrupts"),
      &softInterruptHundredths)
    visitor.optional(
      Field("steal_seconds", .seconds, .counter, decimals: 2, "Other guests of the same host ran"),
      &stealHundredths)
    visitor.optional(
      Field("guest_seconds", .seconds, .counter, decimals: 2, "Guests ran"), &guestHundredths)
    visitor.optional(
      Field("guest_nice_seconds", .seconds, .counter, decimals: 2, "Guests of low priority ran"),
      &guestNiceHundredths)
  }

  public static var topic: StaticString { "cpu/{cpu}" }
}
