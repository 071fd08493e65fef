/// What systemd tells of itself and of the machine, and when it could not be heard.
///
/// Body in format version 1, 327 bytes; of an optional field (?) that is absent all bits are set:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u8 | event, the numbers of ``Event`` |
/// | 1 | u64? | duration_seconds, in microseconds |
/// | 9 | u64? | firmware_seconds, in microseconds |
/// | 17 | u64? | loader_seconds, in microseconds |
/// | 25 | u64? | kernel_seconds, in microseconds |
/// | 33 | u64? | initrd_seconds, in microseconds |
/// | 41 | u64? | userspace_seconds, in microseconds |
/// | 49 | u64? | total_seconds, in microseconds |
/// | 57 | u32? | units |
/// | 61 | u32? | failed_units |
/// | 65 | u32? | changed_units |
/// | 69 | text, 256 | unit |
public struct ManagerEvent: RecordBody {
  public static let kind = RecordKind.managerEvent

  public enum Event: UInt8, FieldName {
    case unknown = 0
    /// The state of all units was read: at the start, and after every gap.
    case snapshot = 1
    case reloading = 2
    case reloaded = 3
    case startupFinished = 4
    case unitFilesChanged = 5
    case preparingForSleep = 6
    case wokeUp = 7
    case preparingForShutdown = 8
    case shutdownCanceled = 9
    /// systemd is not on the bus, as while it executes itself anew.
    case managerGone = 10
    case managerBack = 11
    /// The connection to the bus is lost: nothing can be heard.
    case busGone = 12
    case busBack = 13
    /// Told only with `--all`, like the next one.
    case unitLoaded = 14
    case unitUnloaded = 15

    public var name: StaticString {
      switch self {
      case .unknown: "unknown"
      case .snapshot: "snapshot"
      case .reloading: "reloading"
      case .reloaded: "reloaded"
      case .startupFinished: "startup_finished"
      case .unitFilesChanged: "unit_files_changed"
      case .preparingForSleep: "preparing_for_sleep"
      case .wokeUp: "woke_up"
      case .preparingForShutdown: "preparing_for_shutdown"
      case .shutdownCanceled: "shutdown_canceled"
      case .managerGone: "manager_gone"
      case .managerBack: "manager_back"
      case .busGone: "bus_gone"
      case .busBack: "bus_back"
      case .unitLoaded: "unit_loaded"
      case .unitUnloaded: "unit_unloaded"
      }
    }
  }

  public var event = Event.unknown
  public var durationMicroseconds: UInt64?
  public var firmwareMicroseconds: UInt64?
  public var loaderMicroseconds: UInt64?
  public var kernelMicroseconds: UInt64?
  public var initrdMicroseconds: UInt64?
  public var userspaceMicroseconds: UInt64?
  public var totalMicroseconds: UInt64?
  public var units: UInt32?
  public var failedUnits: UInt32?
  public var changedUnits: UInt32?
  public var unit = FixedText<256>()

  public init() {}

  public init(_ event: Event) {
    self.event = event
  }

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.name(Field("event", .none, .gauge, "What happened"), &event)
    visitor.optional(
      Field(
        "duration_seconds", .seconds, .gauge, decimals: 6,
        "How long it took, or for how long nothing could be heard"), &durationMicroseconds)
    visitor.optional(
      Field("firmware_seconds", .seconds, .gauge, decimals: 6, "Starting up: in the firmware"),
      &firmwareMicroseconds)
    visitor.optional(
      Field("loader_seconds", .seconds, .gauge, decimals: 6, "Starting up: in the boot loader"),
      &loaderMicroseconds)
    visitor.optional(
      Field("kernel_seconds", .seconds, .gauge, decimals: 6, "Starting up: in the kernel"),
      &kernelMicroseconds)
    visitor.optional(
      Field("initrd_seconds", .seconds, .gauge, decimals: 6, "Starting up: in the initrd"),
      &initrdMicroseconds)
    visitor.optional(
      Field("userspace_seconds", .seconds, .gauge, decimals: 6, "Starting up: after all of these"),
      &userspaceMicroseconds)
    visitor.optional(
      Field("total_seconds", .seconds, .gauge, decimals: 6, "Starting up: all in all"),
      &totalMicroseconds)
    visitor.optional(
      Field("units", .count, .gauge, "Units that systemd has loaded"), &units)
    visitor.optional(
      Field("failed_units", .count, .gauge, "Units among them that have failed"), &failedUnits)
    visitor.optional(
      Field("changed_units", .count, .gauge, "Units whose new state the comparison has found"),
      &changedUnits)
    visitor.text(
      Field("unit", .none, .gauge, "The unit that was loaded or unloaded"), &unit)
  }

  public static var topic: StaticString { "manager" }

  public static let eventRule = EventRule.dependsOnFields

  public var isEvent: Bool {
    switch event {
    case .unitLoaded, .unitUnloaded, .snapshot: false
    default: true
    }
  }
}
