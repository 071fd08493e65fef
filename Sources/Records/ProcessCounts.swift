/// How many processes there are, and what they do.
///
/// Body in format version 1, 48 bytes:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u32 | processes, kernel threads among them |
/// | 4 | u32 | threads of all processes |
/// | 8 | u32 | kernel threads |
/// | 12, 16, 20, 24 | u32 | running, sleeping, in disk sleep, idle |
/// | 28, 32, 36 | u32 | stopped, stopped by a debugger, zombies |
/// | 40 | u32 | in another state |
/// | 44 | u32 | processes that ended while they were counted |
public struct ProcessCounts: RecordBody {
  public static let kind = RecordKind.processCounts

  public var processCount: UInt32 = 0
  public var threadCount: UInt32 = 0
  public var kernelThreadCount: UInt32 = 0
  public var runningCount: UInt32 = 0
  public var sleepingCount: UInt32 = 0
  public var diskSleepCount: UInt32 = 0
  public var idleCount: UInt32 = 0
  public var stoppedCount: UInt32 = 0
  public var tracingStopCount: UInt32 = 0
  public var zombieCount: UInt32 = 0
  public var otherCount: UInt32 = 0
  public var endedCount: UInt32 = 0

  public init() {}

  public mutating func count(_ state: ProcessState) {
    processCount += 1
    switch state {
    case .running: runningCount += 1
    case .sleeping: sleepingCount += 1
    case .diskSleep: diskSleepCount += 1
    case .idle: idleCount += 1
    case .stopped: stoppedCount += 1
    case .tracingStop: tracingStopCount += 1
    case .zombie: zombieCount += 1
    case .dead, .parked, .unknown: otherCount += 1
    }
  }

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.unsigned(
      Field("process_count", .count, .gauge, "Processes, kernel threads among them"), &processCount)
    visitor.unsigned(
      Field("thread_count", .count, .gauge, "Threads of all processes"), &threadCount)
    visitor.unsigned(
      Field("kernel_thread_count", .count, .gauge, "Threads of the kernel"), &kernelThreadCount)
    visitor.unsigned(
      Field("running_count", .count, .gauge, "Processes that run or could run"), &runningCount)
    visitor.unsigned(
      Field("sleeping_count", .count, .gauge, "Processes that wait"), &sleepingCount)
    visitor.unsigned(
      Field("disk_sleep_count", .count, .gauge, "Processes that wait and cannot be interrupted"),
      &diskSleepCount)
    visitor.unsigned(
      Field("idle_count", .count, .gauge, "Kernel threads that have nothing to do"), &idleCount)
    visitor.unsigned(Field("stopped_count", .count, .gauge, "Stopped processes"), &stoppedCount)
    visitor.unsigned(
      Field("tracing_stop_count", .count, .gauge, "Processes stopped by a debugger"),
      &tracingStopCount)
    visitor.unsigned(
      Field("zombie_count", .count, .gauge, "Processes that ended and whose parent did not ask"),
      &zombieCount)
    visitor.unsigned(
      Field("other_count", .count, .gauge, "Processes in another state"), &otherCount)
    visitor.unsigned(
      Field("ended_count", .count, .gauge, "Processes that ended while they were counted"),
      &endedCount)
  }

  public static var topic: StaticString { "process_counts" }
}
