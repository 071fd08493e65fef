/// How fast a CPU runs: cpufreq in sysfs, `scaling_cur_freq` and `scaling_max_freq`.
///
/// Body in format version 1, 26 bytes; of an optional field (?) that is absent all bits are set:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | text, 8 | cpu |
/// | 10 | u64 | frequency_hertz |
/// | 18 | u64? | frequency_limit_hertz |
public struct CPUFrequency: RecordBody {
  public static let kind = RecordKind.cpuFrequency

  public var cpu = FixedText<8>()
  public var frequencyHertz: UInt64 = 0
  public var frequencyLimitHertz: UInt64?

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.text(Field("cpu", .none, .identity, "Its number"), &cpu)
    visitor.unsigned(
      Field("frequency_hertz", .hertz, .gauge, "The present frequency"), &frequencyHertz)
    visitor.optional(
      Field("frequency_limit_hertz", .hertz, .gauge, "The highest that is allowed at present"),
      &frequencyLimitHertz)
  }

  public static var topic: StaticString { "cpu_frequency/{cpu}" }
}
