/// A unit of systemd in a new state: that it failed, was started, stopped or restarted.
///
/// The words are systemd's own, as `systemctl show` has them; where a unit has none they are empty.
///
/// Body in format version 1, 450 bytes; of an optional field (?) that is absent all bits are set:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | text, 256 | unit |
/// | 258 | text, 32 | active_state |
/// | 292 | text, 32 | sub_state |
/// | 326 | text, 32 | old_active_state |
/// | 360 | text, 32 | old_sub_state |
/// | 394 | text, 32 | result |
/// | 428 | u8 | main_process_exit: 0 none, 1 exited, 2 killed, 3 dumped, 255 unknown |
/// | 429 | u32? | main_process_status |
/// | 433 | u32? | main_process_id |
/// | 437 | u32? | restarts |
/// | 441 | u8 | found_by_comparing |
/// | 442 | u32 | properties_missed |
/// | 446 | u32 | units_forgotten |
public struct UnitState: RecordBody {
  public static let kind = RecordKind.unitState

  /// How the main process ended: ExecMainCode, which is si_code of SIGCHLD, sigaction(2).
  public enum Exit: UInt8, FieldName {
    case none = 0
    case exited = 1
    case killed = 2
    /// Killed, with a core dump.
    case dumped = 3
    case unknown = 255

    public var name: StaticString {
      switch self {
      case .none: "none"
      case .exited: "exited"
      case .killed: "killed"
      case .dumped: "dumped"
      case .unknown: "unknown"
      }
    }
  }

  public var unit = FixedText<256>()
  public var activeState = FixedText<32>()
  public var subState = FixedText<32>()
  public var oldActiveState = FixedText<32>()
  public var oldSubState = FixedText<32>()
  public var result = FixedText<32>()
  public var mainProcessExit = Exit.none
  public var mainProcessStatus: UInt32?
  public var mainProcessId: UInt32?
  public var restarts: UInt32?
  public var foundByComparing = false
  public var propertiesMissed: UInt32 = 0
  public var unitsForgotten: UInt32 = 0

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.text(Field("unit", .none, .identity, "Its name"), &unit)
    visitor.text(
      Field("active_state", .none, .gauge, "active, inactive, failed, activating, …"),
      &activeState)
    visitor.text(
      Field("sub_state", .none, .gauge, "The finer state, such as running or auto-restart"),
      &subState)
    visitor.text(
      Field("old_active_state", .none, .gauge, "The state told before; empty: not known"),
      &oldActiveState)
    visitor.text(
      Field("old_sub_state", .none, .gauge, "The finer state told before"), &oldSubState)
    visitor.text(
      Field("result", .none, .gauge, "success, exit-code, signal, timeout, …; empty: not known"),
      &result)
    visitor.name(
      Field("main_process_exit", .none, .gauge, "How it ended: none, exited, killed or dumped"),
      &mainProcessExit)
    visitor.optional(
      Field("main_process_status", .none, .gauge, "Its exit status, or the number of the signal"),
      &mainProcessStatus)
    visitor.optional(
      Field("main_process_id", .none, .gauge, "The process id it has or had"), &mainProcessId)
    visitor.optional(
      Field("restarts", .count, .counter, "How often systemd has restarted it by itself"),
      &restarts)
    visitor.boolean(
      Field(
        "found_by_comparing", .none, .gauge, "Seen in a list of units, not told as it happened"),
      &foundByComparing)
    visitor.unsigned(
      Field(
        "properties_missed", .count, .counter,
        "Records up to now whose result could not be asked for"), &propertiesMissed)
    visitor.unsigned(
      Field(
        "units_forgotten", .count, .counter, "Units up to now for which the table had no room"),
      &unitsForgotten)
  }

  public static var topic: StaticString { "unit/{unit}" }

  public static let eventRule = EventRule.dependsOnFields

  /// It failed, or its main process did.
  public var isEvent: Bool {
    activeState == FixedText("failed") || !(result.isEmpty || result == FixedText("success"))
  }
}
