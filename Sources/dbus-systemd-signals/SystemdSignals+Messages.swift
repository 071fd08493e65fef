import Daemon
import Linux
import Records

// What comes over the bus.

extension SystemdSignals {
  mutating func handle(_ message: borrowing Message) throws(SystemError) {
    switch message.type {
    case 2:  // DBUS_MESSAGE_TYPE_METHOD_RETURN
      if let call = calls.take(message.replySerial) { try answered(call, message) }
    case 3:  // DBUS_MESSAGE_TYPE_ERROR
      if let call = calls.take(message.replySerial) { try unanswered(call, message.errorName) }
    case 4:  // DBUS_MESSAGE_TYPE_SIGNAL
      let sender = message.sender
      // Anybody may send us a signal; those of others do not count.
      if sender == "org.freedesktop.DBus" {
        try busSignal(message)
      } else if !systemdOwner.isEmpty && sender == systemdOwner {
        try systemdSignal(message)
      } else if !loginOwner.isEmpty && sender == loginOwner {
        try loginSignal(message)
      }
    default: return
    }
  }

  private mutating func answered(
    _ call: Calls.Call, _ message: borrowing Message
  ) throws(SystemError) {
    switch call.purpose {
    case .hello, .addMatch, .subscribe: return
    case .loginOwner: loginOwner = ownerName(of: message).map { [UInt8]($0.bytes) } ?? []
    case .systemdOwner:
      // NameOwnerChanged may have been faster.
      if let owner = ownerName(of: message), systemdOwner.isEmpty { greet([UInt8](owner.bytes)) }
    case .listUnits:
      guard let rows = UnitRow.rows(of: message) else {
        return try unanswered(call, "a reply of another signature")
      }
      try compareUnits(rows)
    case .properties: try finishFetch(call.serial, UnitProperties(repliedIn: message))
    }
  }

  private mutating func busSignal(_ message: borrowing Message) throws(SystemError) {
    guard message.isSignal("org.freedesktop.DBus", "NameOwnerChanged") else { return }
    guard let body = NameOwnerBody(message) else { return isMalformed("NameOwnerChanged") }
    let owner = [UInt8](body.newOwner.bytes)
    if body.name == Self.login {
      loginOwner = owner
    } else if body.name == Self.systemd {
      try systemdIsGone()
      if !owner.isEmpty { greet(owner) }
    }
  }

  /// systemd has left the bus; when it executes itself anew, it is back with the same signal.
  private mutating func systemdIsGone() throws(SystemError) {
    systemdOwner = []
    isListening = false
    guard hasStarted, gap == nil else { return }
    gap = (bootTimeNanoseconds(), .managerBack)
    try tell(ManagerEvent(.managerGone))
  }

  private mutating func systemdSignal(_ message: borrowing Message) throws(SystemError) {
    if message.isSignal("org.freedesktop.DBus.Properties", "PropertiesChanged") {
      // Before the list of units has come, nothing is known that could have changed.
      if isListening { try propertiesChanged(message) }
    } else if message.isSignal(Self.manager, "JobRemoved") {
      try job(message, .over)
    } else if message.isSignal(Self.manager, "JobNew") {
      try job(message, .queued)
    } else if message.isSignal(Self.manager, "UnitNew") {
      try unit(message, .unitLoaded)
    } else if message.isSignal(Self.manager, "UnitRemoved") {
      try unit(message, .unitUnloaded)
    } else if message.isSignal(Self.manager, "UnitFilesChanged") {
      try tell(ManagerEvent(.unitFilesChanged))
    } else if message.isSignal(Self.manager, "Reloading") {
      guard let isReloading = flag(of: message) else { return isMalformed("Reloading") }
      reloadingSince = try tellPhase(isReloading, reloadingSince, .reloading, .reloaded)
    } else if message.isSignal(Self.manager, "StartupFinished") {
      guard let event = ManagerEvent(startupFinished: message) else {
        return isMalformed("StartupFinished")
      }
      try tell(event)
    }
  }

  private mutating func loginSignal(_ message: borrowing Message) throws(SystemError) {
    let interface: StaticString = "org.freedesktop.login1.Manager"
    if message.isSignal(interface, "PrepareForSleep") {
      guard let isStart = flag(of: message) else { return isMalformed("PrepareForSleep") }
      sleepingSince = try tellPhase(isStart, sleepingSince, .preparingForSleep, .wokeUp)
    } else if message.isSignal(interface, "PrepareForShutdown") {
      guard let isStart = flag(of: message) else { return isMalformed("PrepareForShutdown") }
      try tell(ManagerEvent(isStart ? .preparingForShutdown : .shutdownCanceled))
    }
  }

  /// Tells that something begins, or that it is over and how long it took, time asleep included.
  /// Returns since when it lasts.
  private mutating func tellPhase(
    _ isBeginning: Bool, _ since: UInt64?, _ begins: ManagerEvent.Event,
    _ ends: ManagerEvent.Event
  ) throws(SystemError) -> UInt64? {
    let now = bootTimeNanoseconds()
    var event = ManagerEvent(isBeginning ? begins : ends)
    if !isBeginning, let since { event.durationMicroseconds = (now - since) / 1000 }
    try tell(event)
    return isBeginning ? now : nil
  }

  private mutating func job(
    _ message: borrowing Message, _ state: JobResult.State
  ) throws(SystemError) {
    guard let body = JobBody(message), (body.result != nil) == (state == .over) else {
      return isMalformed("JobNew or JobRemoved")
    }
    let isDone = body.result.map { $0 == "done" } ?? false
    guard options.filter.all || !isDone, options.filter.watches([UInt8](body.unit.bytes)) else {
      return
    }
    var result = JobResult()
    result.unit = FixedText(body.unit.bytes.span)
    result.jobId = body.id
    result.state = state
    if let words = body.result { result.result = FixedText(words.bytes.span) }
    try tell(result)
  }

  private mutating func unit(
    _ message: borrowing Message, _ kind: ManagerEvent.Event
  ) throws(SystemError) {
    guard let name = unitName(of: message) else { return isMalformed("UnitNew or UnitRemoved") }
    guard options.filter.watches([UInt8](name.bytes)) else { return }
    var event = ManagerEvent(kind)
    event.unit = FixedText(name.bytes.span)
    try tell(event)
  }

  mutating func isMalformed(_ signal: StaticString) {
    malformed += 1
    if malformed == 1 {
      log.warning("\(signal): a signature that is not known; left out")
    }
  }
}
