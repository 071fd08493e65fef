/// What one process uses: one of those that use most.
///
/// Body in format version 1, 163 bytes:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0, 4 | u32 | process id, parent's process id |
/// | 8 | u64 | time of its start since the machine's, in hundredths of a second |
/// | 16 | text, 64 | name |
/// | 82 | u8 | state, see ``ProcessState`` |
/// | 83 | u32 | effective user id; all bits set: unknown |
/// | 87, 95 | u64 | CPU time in user and in kernel mode, in hundredths of a second |
/// | 103 | u32 | CPU use since the last sample, in ten-thousandths of one CPU; all bits set: no sample before |
/// | 107, 115 | u64 | resident and virtual memory in bytes |
/// | 123 | u32 | threads |
/// | 127, 135 | u64 | minor and major page faults |
/// | 143, 151 | u64 | bytes read from and written to storage; all bits set: we may not know |
/// | 159 | i32 | nice value |
public struct ProcessUsage: RecordBody {
  public static let kind = RecordKind.process

  public var processID: UInt32 = 0
  public var parentProcessID: UInt32 = 0
  public var startHundredths: UInt64 = 0
  public var name = FixedText<64>()
  public var state = ProcessState.unknown
  public var userID: UInt32?
  public var userHundredths: UInt64 = 0
  public var systemHundredths: UInt64 = 0
  public var cpuTenThousandths: UInt32?
  public var residentBytes: UInt64 = 0
  public var virtualBytes: UInt64 = 0
  public var threadCount: UInt32 = 0
  public var minorFaultCount: UInt64 = 0
  public var majorFaultCount: UInt64 = 0
  public var readBytes: UInt64?
  public var writeBytes: UInt64?
  public var nice: Int32 = 0

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.unsigned(Field("pid", .none, .identity, "Process id"), &processID)
    visitor.unsigned(
      Field("parent_pid", .none, .gauge, "Process id of its parent"), &parentProcessID)
    visitor.unsigned(
      Field(
        "start_seconds", .seconds, .identity, decimals: 2,
        "When it started, after the start of the machine"), &startHundredths)
    visitor.text(Field("name", .none, .identity, "Name of the command"), &name)
    visitor.name(Field("state", .none, .gauge, "What it is doing"), &state)
    visitor.optional(Field("uid", .none, .gauge, "Effective user id"), &userID)
    visitor.unsigned(
      Field("cpu_user_seconds", .seconds, .counter, decimals: 2, "CPU time in user mode"),
      &userHundredths)
    visitor.unsigned(
      Field("cpu_system_seconds", .seconds, .counter, decimals: 2, "CPU time in the kernel"),
      &systemHundredths)
    visitor.optional(
      Field(
        "cpu_ratio", .ratio, .gauge, decimals: 4,
        "CPU use since the last sample, where 1 is one CPU all the time"), &cpuTenThousandths)
    visitor.unsigned(
      Field("memory_resident_bytes", .bytes, .gauge, "Memory that is in RAM"), &residentBytes)
    visitor.unsigned(
      Field("memory_virtual_bytes", .bytes, .gauge, "Address space"), &virtualBytes)
    visitor.unsigned(Field("thread_count", .count, .gauge, "Threads"), &threadCount)
    visitor.unsigned(
      Field("minor_fault_count", .count, .counter, "Page faults that needed no reading"),
      &minorFaultCount)
    visitor.unsigned(
      Field("major_fault_count", .count, .counter, "Page faults that had to read from storage"),
      &majorFaultCount)
    visitor.optional(
      Field("read_bytes", .bytes, .counter, "Bytes read from storage"), &readBytes)
    visitor.optional(
      Field("write_bytes", .bytes, .counter, "Bytes written to storage"), &writeBytes)
    visitor.signed(Field("nice", .none, .gauge, "Nice value"), &nice)
  }

  public static var topic: StaticString { "process/{pid}" }
}
