/// Tasks are held up for longer than a trigger allows: it began, it goes on, it is over.
///
/// Body in format version 1, 342 bytes:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u8 | state: 1 onset, 2 ongoing, 3 over, 4 gone |
/// | 1 | u8 | resource: 1 cpu, 2 memory, 3 io, 4 irq |
/// | 2 | u8 | scope: 1 some, 2 full |
/// | 3 | u8 | 1: found by reading, because the kernel refused the trigger |
/// | 4 | text, 256 | path of the cgroup; empty: the whole system |
/// | 262, 266 | u32 | threshold and window of the trigger, in microseconds |
/// | 270, 278 | u64 | stall since the trigger's last record, and time since then, in microseconds |
/// | 286, 294 | u64 | time since the onset, and stall since then, in microseconds |
/// | 302 | ``Pressure`` | averages and totals |
public struct PressureStall: RecordBody {
  public static let kind = RecordKind.pressureStall

  public enum State: UInt8, FieldName {
    case unknown = 0
    /// The kernel's trigger fired.
    case onset = 1
    /// The stall of another window was above the threshold.
    case ongoing = 2
    /// It was below: the episode ends here.
    case over = 3
    /// The cgroup was removed during the episode; averages and totals are the last ones known.
    case gone = 4

    public var name: StaticString {
      switch self {
      case .unknown: "unknown"
      case .onset: "onset"
      case .ongoing: "ongoing"
      case .over: "over"
      case .gone: "gone"
      }
    }
  }

  public var state = State.unknown
  public var resource = PressureResource.unknown
  public var scope = PressureScope.unknown
  public var isPolled = false
  public var cgroup = CgroupPath()
  public var thresholdMicroseconds: UInt32 = 0
  public var windowMicroseconds: UInt32 = 0
  public var stallMicroseconds: UInt64 = 0
  public var intervalMicroseconds: UInt64 = 0
  public var episodeMicroseconds: UInt64 = 0
  public var episodeStallMicroseconds: UInt64 = 0
  public var pressure = Pressure()

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.name(
      Field("state", .none, .gauge, "onset, ongoing, over, or gone with its cgroup"), &state)
    visitor.name(
      Field("resource", .none, .identity, "What tasks wait for: cpu, memory, io, irq"), &resource)
    visitor.name(
      Field("scope", .none, .identity, "some: a task is held up; full: all of them are"), &scope)
    visitor.boolean(
      Field("polled", .none, .identity, "Found by reading: the kernel refused the trigger"),
      &isPolled)
    visitor.text(
      Field("cgroup", .none, .identity, "Path of the cgroup; empty for the whole system"), &cgroup)
    visitor.unsigned(
      Field(
        "threshold_seconds", .seconds, .identity, decimals: 6,
        "Stall within a window from which on the trigger fires"),
      &thresholdMicroseconds)
    visitor.unsigned(
      Field("window_seconds", .seconds, .identity, decimals: 6, "Window of the trigger"),
      &windowMicroseconds)
    visitor.unsigned(
      Field(
        "stall_seconds", .seconds, .gauge, decimals: 6,
        "Stall in this scope since the trigger's last record, or since it was set"),
      &stallMicroseconds)
    visitor.unsigned(
      Field(
        "interval_seconds", .seconds, .gauge, decimals: 6,
        "Time since the trigger's last record, or since it was set"),
      &intervalMicroseconds)
    visitor.unsigned(
      Field("episode_seconds", .seconds, .gauge, decimals: 6, "Time since the onset"),
      &episodeMicroseconds)
    visitor.unsigned(
      Field(
        "episode_stall_seconds", .seconds, .gauge, decimals: 6,
        "Stall in this scope since the onset"),
      &episodeStallMicroseconds)
    pressure.visit(&visitor)
  }

  public static var topic: StaticString { "cgroup/{resource}/{cgroup/}|{resource}" }

  public static let eventRule = EventRule.dependsOnFields

  /// Onset and end happen once; what lies between is a sample of an episode.
  public var isEvent: Bool { state != .ongoing }
}
