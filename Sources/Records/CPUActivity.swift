/// What the CPUs were asked for: the other lines of /proc/stat, proc_stat(5).
///
/// Counters since the machine started.
///
/// Body in format version 1, 48 bytes; of an optional field (?) that is absent all bits are set:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u64 | context_switches |
/// | 8 | u64 | interrupts |
/// | 16 | u64? | soft_interrupts |
/// | 24 | u64 | processes_created |
/// | 32 | u32? | processes_running |
/// | 36 | u32? | processes_blocked |
/// | 40 | u64 | boot_time_seconds |
public struct CPUActivity: RecordBody {
  public static let kind = RecordKind.cpuActivity

  public var contextSwitches: UInt64 = 0
  public var interrupts: UInt64 = 0
  public var softInterrupts: UInt64?
  public var processesCreated: UInt64 = 0
  public var processesRunning: UInt32?
  public var processesBlocked: UInt32?
  public var bootTimeSeconds: UInt64 = 0

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.unsigned(
      Field("context_switches", .count, .counter, "Switches from one thread to another"),
      &contextSwitches)
    visitor.unsigned(Field("interrupts", .count, .counter, "Interrupts served"), &interrupts)
    visitor.optional(
      Field("soft_interrupts", .count, .counter, "Soft interrupts served"), &softInterrupts)
    visitor.unsigned(
      Field("processes_created", .count, .counter, "Processes and threads started"),
      &processesCreated)
    visitor.optional(
      Field("processes_running", .count, .gauge, "Threads that run or could run"),
      &processesRunning)
    visitor.optional(
      Field("processes_blocked", .count, .gauge, "Threads that wait for a disk"), &processesBlocked)
    visitor.unsigned(
      Field("boot_time_seconds", .seconds, .gauge, "When the machine started, in Unix time"),
      &bootTimeSeconds)
  }

  public static var topic: StaticString { "cpu_activity" }
}
