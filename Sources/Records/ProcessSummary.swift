/// The processes of one command name that ended within an interval.
///
/// Body in format version 1, 123 bytes:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | text, 16 | command name |
/// | 18 | u8 | these are all the names that found no room in the table |
/// | 19 | u64 | length of the interval in milliseconds |
/// | 27, 35, 43, 51 | u64 | processes: all, failed, ended by a signal, dumped core |
/// | 59 | u64 | processes without exec after fork |
/// | 67, 75 | u64 | user and system time in hundredths of a second |
/// | 83, 91 | u64 | elapsed time, sum and longest, in hundredths of a second |
/// | 99 | u64 | largest virtual memory in bytes |
/// | 107, 115 | u64 | minor and major page faults |
public struct ProcessSummary: RecordBody {
  public static let kind = RecordKind.processSummary

  public var command = FixedText<16>()
  public var isOther = false
  public var intervalMilliseconds: UInt64 = 0
  public var processes: UInt64 = 0
  public var failed: UInt64 = 0
  public var endedBySignal: UInt64 = 0
  public var dumpedCore: UInt64 = 0
  public var forkedWithoutExec: UInt64 = 0
  public var userHundredths: UInt64 = 0
  public var systemHundredths: UInt64 = 0
  public var elapsedHundredths: UInt64 = 0
  public var longestHundredths: UInt64 = 0
  public var largestMemoryBytes: UInt64 = 0
  public var minorFaults: UInt64 = 0
  public var majorFaults: UInt64 = 0

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.text(Field("comm", .none, .identity, "Command name, or other"), &command)
    visitor.boolean(
      Field("is_other", .none, .identity, "These are all names that found no room in the table"),
      &isOther)
    visitor.unsigned(
      Field("interval_seconds", .seconds, .gauge, decimals: 3, "Length of the interval"),
      &intervalMilliseconds)
    visitor.unsigned(Field("process_count", .count, .gauge, "Processes that ended"), &processes)
    visitor.unsigned(
      Field("failed_count", .count, .gauge, "Of these: exit code not 0, or ended by a signal"),
      &failed)
    visitor.unsigned(
      Field("signaled_count", .count, .gauge, "Of these: ended by a signal"), &endedBySignal)
    visitor.unsigned(
      Field("core_dumped_count", .count, .gauge, "Of these: dumped core"), &dumpedCore)
    visitor.unsigned(
      Field("forked_without_exec_count", .count, .gauge, "Of these: never called execve(2)"),
      &forkedWithoutExec)
    visitor.unsigned(
      Field("user_seconds", .seconds, .gauge, decimals: 2, "CPU time, user, of all together"),
      &userHundredths)
    visitor.unsigned(
      Field("system_seconds", .seconds, .gauge, decimals: 2, "CPU time, system, of all together"),
      &systemHundredths)
    visitor.unsigned(
      Field("elapsed_seconds", .seconds, .gauge, decimals: 2, "Elapsed time of all together"),
      &elapsedHundredths)
    visitor.unsigned(
      Field("elapsed_max_seconds", .seconds, .gauge, decimals: 2, "Elapsed time of the longest"),
      &longestHundredths)
    visitor.unsigned(
      Field("virtual_memory_max_bytes", .bytes, .gauge, "Address space of the largest"),
      &largestMemoryBytes)
    visitor.unsigned(
      Field("minor_faults", .count, .gauge, "Page faults without disk access"), &minorFaults)
    visitor.unsigned(
      Field("major_faults", .count, .gauge, "Page faults with disk access"), &majorFaults)
  }

  public static var topic: StaticString { "summary/{comm}" }
}
