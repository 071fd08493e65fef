import Linux
import CLinux
import Records

/// Active and sub state: `active` and `running`.
struct State: Equatable {
  var active = FixedText<32>()
  var sub = FixedText<32>()

  /// What systemd says of a unit that it has not loaded.
  static var unloaded: State { State(active: FixedText("inactive"), sub: FixedText("dead")) }

  init(active: FixedText<32>, sub: FixedText<32>) {
    self.active = active
    self.sub = sub
  }

  init(_ active: Characters, _ sub: Characters) {
    self.active = FixedText(active.bytes.span)
    self.sub = FixedText(sub.bytes.span)
  }

  var isFailed: Bool { isActive("failed") }
  var isInactive: Bool { isActive("inactive") }
  var isActive: Bool { isActive("active") }
  var isAutoRestart: Bool { sub == FixedText("auto-restart") }

  @inline(never)
  private func isActive(_ word: StaticString) -> Bool { active == FixedText(word) }
}

/// Which units and which of their states are told.
struct UnitFilter {
  /// `--all`: every state of every unit.
  let all: Bool
  private let globs: [[CChar]]

  init(all: Bool, globs: [Text] = []) {
    self.all = all
    self.globs = globs.map { $0.bytes.map { CChar(bitPattern: $0) } + [0] }
  }

  /// Whether the unit is watched at all. Devices and slices cannot fail.
  func watches(_ unit: [UInt8]) -> Bool {
    if !all && (unit.ends(with: ".device") || unit.ends(with: ".slice")) { return false }
    return globs.isEmpty || matches(unit)
  }

  private func matches(_ unit: [UInt8]) -> Bool {
    let name = unit.map { CChar(bitPattern: $0) } + [0]
    for glob in globs where fnmatch(glob, name, 0) == 0 { return true }
    return false
  }

  /// Whether a new state is told; `again`: the state is the same as was told, but was left meanwhile.
  ///
  /// Of all units that they fail and that they no longer do; of services also that they are active,
  /// inactive or about to be restarted. The states between are told with `--all`.
  func tells(_ unit: [UInt8], from told: State, to state: State, again: Bool) -> Bool {
    guard state != told || again else { return false }
    if all || state.isFailed { return true }
    let settled = state.isActive || state.isInactive
    if told.isFailed && settled { return true }
    return unit.ends(with: ".service") && (settled || state.isAutoRestart)
  }
}
