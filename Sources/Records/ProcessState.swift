/// What a process is doing, by the letter that /proc/PID/stat has for it; the numbers are ours.
public enum ProcessState: UInt8, FieldName {
  case unknown = 0
  case running = 1
  case sleeping = 2
  /// Waits for a device and cannot be interrupted.
  case diskSleep = 3
  /// A kernel thread that has nothing to do.
  case idle = 4
  case stopped = 5
  /// Stopped by a debugger.
  case tracingStop = 6
  /// Has ended, and its parent has not asked how.
  case zombie = 7
  case dead = 8
  case parked = 9

  /// proc_pid_stat(5), field 3.
  public init(letter: UInt8) {
    switch letter {
    case UInt8(ascii: "R"): self = .running
    case UInt8(ascii: "S"): self = .sleeping
    case UInt8(ascii: "D"): self = .diskSleep
    case UInt8(ascii: "I"): self = .idle
    case UInt8(ascii: "T"): self = .stopped
    case UInt8(ascii: "t"): self = .tracingStop
    case UInt8(ascii: "Z"): self = .zombie
    case UInt8(ascii: "X"), UInt8(ascii: "x"): self = .dead
    case UInt8(ascii: "P"): self = .parked
    default: self = .unknown
    }
  }

  public var name: StaticString {
    switch self {
    case .unknown: "unknown"
    case .running: "running"
    case .sleeping: "sleeping"
    case .diskSleep: "disk_sleep"
    case .idle: "idle"
    case .stopped: "stopped"
    case .tracingStop: "tracing_stop"
    case .zombie: "zombie"
    case .dead: "dead"
    case .parked: "parked"
    }
  }
}
