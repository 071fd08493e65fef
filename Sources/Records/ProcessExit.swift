/// A process that ended, as BSD process accounting tells it: acct(5).
///
/// Body in format version 1, 122 bytes:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0, 4 | u32 | process id, id of the parent |
/// | 8, 12 | u32 | real user id, real group id |
/// | 16 | text, 16 | command name |
/// | 34 | text, 16 | controlling terminal, empty if there is none |
/// | 52 | u8 | exit code |
/// | 53 | u8 | signal, 0 if it was not one that ended the process |
/// | 54, 55, 56, 57 | u8 | ended by a signal, dumped core, no exec after fork, used superuser rights |
/// | 58 | u64 | start in seconds since 1970 |
/// | 66 | u64 | elapsed time in hundredths of a second |
/// | 74, 82 | u64 | user and system time in hundredths of a second |
/// | 90 | u64 | virtual memory at the end in bytes |
/// | 98, 106 | u64 | minor and major page faults |
/// | 114 | u64 | ac_io as it was found |
public struct ProcessExit: RecordBody {
  public static let kind = RecordKind.processExit

  public var processID: UInt32 = 0
  public var parentID: UInt32 = 0
  public var userID: UInt32 = 0
  public var groupID: UInt32 = 0
  public var command = FixedText<16>()
  public var terminal = FixedText<16>()
  public var exitCode: UInt8 = 0
  public var signal: UInt8 = 0
  public var endedBySignal = false
  public var dumpedCore = false
  public var forkedWithoutExec = false
  public var usedSuperuser = false
  public var startSeconds: UInt64 = 0
  public var elapsedHundredths: UInt64 = 0
  public var userHundredths: UInt64 = 0
  public var systemHundredths: UInt64 = 0
  public var virtualMemoryBytes: UInt64 = 0
  public var minorFaults: UInt64 = 0
  public var majorFaults: UInt64 = 0
  public var io: UInt64 = 0

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.unsigned(
      Field(
        "pid", .none, .identity, "Process id in the pid namespace that accounting was turned on in"),
      &processID)
    visitor.unsigned(
      Field("parent_pid", .none, .identity, "Process id of the parent; 0 if it is outside"),
      &parentID)
    visitor.unsigned(
      Field("user_id", .none, .identity, "Real user id, as who turned accounting on sees it"),
      &userID)
    visitor.unsigned(Field("group_id", .none, .identity, "Real group id, likewise"), &groupID)
    visitor.text(
      Field("comm", .none, .identity, "Command name, of which the kernel keeps 15 bytes"), &command)
    visitor.text(
      Field("tty", .none, .identity, "Controlling terminal, or major:minor; empty if none"),
      &terminal)
    visitor.unsigned(Field("exit_code", .none, .gauge, "What it gave to exit(3)"), &exitCode)
    visitor.unsigned(Field("signal", .none, .gauge, "The signal that ended it, or 0"), &signal)
    visitor.boolean(
      Field("killed_by_signal", .none, .gauge, "A signal ended it"), &endedBySignal)
    visitor.boolean(Field("core_dumped", .none, .gauge, "It dumped core"), &dumpedCore)
    visitor.boolean(
      Field("forked_without_exec", .none, .gauge, "It never called execve(2)"), &forkedWithoutExec)
    visitor.boolean(
      Field("superuser", .none, .gauge, "It used superuser privileges"), &usedSuperuser)
    visitor.unsigned(
      Field("start_time_seconds", .seconds, .gauge, "Start in Unix time, to about a second"),
      &startSeconds)
    visitor.unsigned(
      Field("elapsed_seconds", .seconds, .gauge, decimals: 2, "Time from its start to its end"),
      &elapsedHundredths)
    visitor.unsigned(
      Field("user_seconds", .seconds, .gauge, decimals: 2, "CPU time of all its threads, user"),
      &userHundredths)
    visitor.unsigned(
      Field("system_seconds", .seconds, .gauge, decimals: 2, "CPU time of all its threads, system"),
      &systemHundredths)
    visitor.unsigned(
      Field(
        "virtual_memory_bytes", .bytes, .gauge,
        "ac_mem, called average memory: Linux gives the address space at the end"),
      &virtualMemoryBytes)
    visitor.unsigned(
      Field("minor_faults", .count, .gauge, "Page faults without disk access"), &minorFaults)
    visitor.unsigned(
      Field("major_faults", .count, .gauge, "Page faults with disk access"), &majorFaults)
    visitor.unsigned(
      Field("ac_io", .none, .gauge, "ac_io as the kernel wrote it: 0 on mainline Linux"), &io)
  }

  public static let eventRule = EventRule.dependsOnFields

  /// A process that failed is an event; one that ended well is a sample.
  public var isEvent: Bool { endedBySignal || exitCode != 0 }
}
