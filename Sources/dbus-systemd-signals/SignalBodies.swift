import Records

// What is in the messages of systemd and logind: org.freedesktop.systemd1(5) and
// org.freedesktop.login1(5). Each is nil for a message of another signature.

/// `JobRemoved(u id, o job, s unit, s result)`, and `JobNew(u id, o job, s unit)`.
struct JobBody {
  let id: UInt32
  let unit: Characters
  /// nil: it is new.
  let result: Characters?

  init?(_ message: borrowing Message) {
    let isRemoved = message.hasSignature("uoss")
    guard isRemoved || message.hasSignature("uos") else { return nil }
    var values = message.values
    guard let id = values.unsigned32(), values.text() != nil, let unit = values.text() else {
      return nil
    }
    self.id = id
    self.unit = unit
    result = values.text()
  }
}

/// `UnitNew(s id, o unit)` and `UnitRemoved(s id, o unit)`: the name alone.
func unitName(of message: borrowing Message) -> Characters? {
  guard message.hasSignature("so") else { return nil }
  var values = message.values
  return values.text()
}

/// `Reloading(b active)`, `PrepareForSleep(b start)`, `PrepareForShutdown(b start)`.
func flag(of message: borrowing Message) -> Bool? {
  guard message.hasSignature("b") else { return nil }
  var values = message.values
  return values.boolean()
}

/// `NameOwnerChanged(s name, s old_owner, s new_owner)`, D-Bus Specification.
struct NameOwnerBody {
  let name: Characters
  /// Empty: nobody has the name any more.
  let newOwner: Characters

  init?(_ message: borrowing Message) {
    guard message.hasSignature("sss") else { return nil }
    var values = message.values
    guard let name = values.text(), values.text() != nil, let newOwner = values.text() else {
      return nil
    }
    self.name = name
    self.newOwner = newOwner
  }
}

/// The reply of `GetNameOwner`: `s unique_name`.
func ownerName(of message: borrowing Message) -> Characters? {
  guard message.hasSignature("s") else { return nil }
  var values = message.values
  return values.text()
}

extension ManagerEvent {
  /// `StartupFinished(t firmware, t loader, t kernel, t initrd, t userspace, t total)`, in µs.
  init?(startupFinished message: borrowing Message) {
    guard message.hasSignature("tttttt") else { return nil }
    var values = message.values
    self.init(.startupFinished)
    firmwareMicroseconds = values.unsigned64()
    loaderMicroseconds = values.unsigned64()
    kernelMicroseconds = values.unsigned64()
    initrdMicroseconds = values.unsigned64()
    userspaceMicroseconds = values.unsigned64()
    totalMicroseconds = values.unsigned64()
  }
}

/// A row of the reply of `ListUnits`: `a(s name, s description, s load_state, s active_state,
/// s sub_state, s following, o unit, u job_id, s job_type, o job)`.
struct UnitRow {
  let name: Characters
  let activeState: Characters
  let subState: Characters

  /// Takes the next row; nil behind the last one.
  init?(_ rows: inout MessageValues) {
    guard var row = rows.structure(), let name = row.text() else { return nil }
    row.skip()
    row.skip()
    guard let activeState = row.text(), let subState = row.text() else { return nil }
    self.name = name
    self.activeState = activeState
    self.subState = subState
  }

  static func rows(of message: borrowing Message) -> MessageValues? {
    guard message.hasSignature("a(ssssssouso)") else { return nil }
    var values = message.values
    return values.array()
  }
}

/// Of a unit's properties those that are of interest; what a message does not have is nil.
struct UnitProperties {
  var activeState: Characters?
  var subState: Characters?
  /// Microseconds of CLOCK_MONOTONIC; 0: never.
  var activeEnter: UInt64?
  var inactiveEnter: UInt64?
  /// From here on of a service, and `result` of other types too.
  var result: Characters?
  var exitCode: Int32?
  var exitStatus: Int32?
  var processId: UInt32?
  var restarts: UInt32?

  /// `PropertiesChanged(s interface, a{sv} changed, as invalidated)`, D-Bus Specification.
  init?(changedIn message: borrowing Message) {
    guard message.hasSignature("sa{sv}as") else { return nil }
    var values = message.values
    values.skip()
    self.init(&values)
  }

  /// The reply of `GetAll`: `a{sv} properties`.
  init?(repliedIn message: borrowing Message) {
    guard message.hasSignature("a{sv}") else { return nil }
    var values = message.values
    self.init(&values)
  }

  private init?(_ values: inout MessageValues) {
    guard var entries = values.array() else { return nil }
    while var entry = entries.entry() {
      guard let name = entry.text(), var value = entry.variant() else { continue }
      if name == "ActiveState" {
        activeState = value.text()
      } else if name == "SubState" {
        subState = value.text()
      } else if name == "ActiveEnterTimestampMonotonic" {
        activeEnter = value.unsigned64()
      } else if name == "InactiveEnterTimestampMonotonic" {
        inactiveEnter = value.unsigned64()
      } else if name == "Result" {
        result = value.text()
      } else if name == "ExecMainCode" {
        exitCode = value.signed32()
      } else if name == "ExecMainStatus" {
        exitStatus = value.signed32()
      } else if name == "ExecMainPID" {
        processId = value.unsigned32()
      } else if name == "NRestarts" {
        restarts = value.unsigned32()
      }
    }
  }
}
