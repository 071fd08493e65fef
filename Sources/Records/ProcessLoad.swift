/// CPU time and memory of a process, as dlt-system on another machine told it: /proc/[pid]/stat.
///
/// `cpu_ratio` is the CPU time between two messages over the time between them, by the clock of
/// the machine that sent them: 1 is one CPU fully used, and four busy threads are 4.
///
/// Body in format version 1, 166 bytes; of an optional field (?) that is absent all bits are set:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | text, 4 | ecu |
/// | 6 | text, 64 | process |
/// | 72 | text, 32 | comm |
/// | 106 | u32 | pid |
/// | 110 | u64 | start_seconds |
/// | 118 | u32? | cpu_ratio |
/// | 122 | u32? | interval_seconds |
/// | 126 | u64 | cpu_user_seconds |
/// | 134 | u64 | cpu_system_seconds |
/// | 142 | u64 | memory_resident_bytes |
/// | 150 | u64 | memory_virtual_bytes |
/// | 158 | u32 | thread_count |
/// | 162 | u32? | uptime_seconds |
public struct ProcessLoad: RecordBody {
  public static let kind = RecordKind.processLoad

  public var ecu = FixedText<4>()
  public var process = FixedText<64>()
  public var comm = FixedText<32>()
  public var processID: UInt32 = 0
  public var startHundredths: UInt64 = 0
  public var cpuTenThousandths: UInt32?
  public var intervalTenThousandths: UInt32?
  public var cpuUserHundredths: UInt64 = 0
  public var cpuSystemHundredths: UInt64 = 0
  public var residentBytes: UInt64 = 0
  public var virtualBytes: UInt64 = 0
  public var threads: UInt32 = 0
  public var uptimeTenThousandths: UInt32?

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.text(Field("ecu", .none, .identity, "The machine that it runs on"), &ecu)
    visitor.text(
      Field("process", .none, .identity, "The name by which it is watched"), &process)
    visitor.text(Field("comm", .none, .identity, "The name that the kernel has of it"), &comm)
    visitor.unsigned(Field("pid", .none, .identity, "Process id"), &processID)
    visitor.unsigned(
      Field(
        "start_seconds", .seconds, .identity, decimals: 2,
        "When it started, since its machine started"),
      &startHundredths)
    visitor.optional(
      Field(
        "cpu_ratio", .ratio, .gauge, decimals: 4,
        "CPU time over the interval; 1 is one CPU fully used"),
      &cpuTenThousandths)
    visitor.optional(
      Field(
        "interval_seconds", .seconds, .gauge, decimals: 4, "The time that cpu_ratio is about"),
      &intervalTenThousandths)
    visitor.unsigned(
      Field("cpu_user_seconds", .seconds, .counter, decimals: 2, "CPU time in user mode"),
      &cpuUserHundredths)
    visitor.unsigned(
      Field("cpu_system_seconds", .seconds, .counter, decimals: 2, "CPU time in the kernel"),
      &cpuSystemHundredths)
    visitor.unsigned(
      Field("memory_resident_bytes", .bytes, .gauge, "Memory that is in RAM"), &residentBytes)
    visitor.unsigned(
      Field("memory_virtual_bytes", .bytes, .gauge, "Address space"), &virtualBytes)
    visitor.unsigned(Field("thread_count", .count, .gauge, "Threads"), &threads)
    visitor.optional(
      Field(
        "uptime_seconds", .seconds, .gauge, decimals: 4,
        "The time of the message since its machine started; begins again after 4.97 days"),
      &uptimeTenThousandths)
  }

  public static var topic: StaticString { "{ecu}/process/{process}" }
}
