import Daemon
import Linux
import Records

/// What the options say.
struct WatchOptions {
  let address: Text
  let filter: UnitFilter
  /// Tell the present state and end.
  let once: Bool
}

/// systemd and logind as they are heard on a bus: connects, subscribes, and makes records of what
/// they say.
///
/// The way of a connection: Hello and the match rules, who systemd is, Subscribe, the list of all
/// units; from then on signals. Whenever systemd or the bus was away, the list is compared with the
/// table of units.
struct SystemdSignals: ~Copyable {
  enum Progress {
    case goingOn
    /// `--once` is done.
    case finished
    /// The machine does not have what is watched, and why.
    case unavailable(Text)
  }

  static var systemd: StaticString { "org.freedesktop.systemd1" }
  static var login: StaticString { "org.freedesktop.login1" }
  static var manager: StaticString { "org.freedesktop.systemd1.Manager" }
  static var messagesAtOnce: Int { 512 }
  static var patienceNanoseconds: UInt64 { 10_000_000_000 }

  let options: WatchOptions
  let log: Log
  var sender: RecordSender
  var table = UnitTable()

  var bus: Bus?
  var calls = Calls()
  /// The unique names of systemd and logind, whose signals alone count; empty: not there.
  var systemdOwner: [UInt8] = []
  var loginOwner: [UInt8] = []
  /// Until when a systemd is waited for that is not on the bus at the start, and the bus's word for that.
  var absence: (until: UInt64, reason: Text)?
  /// Up to now all states are known; false before the list of units has come.
  var isListening = false
  /// There was a first list of units.
  var hasStarted = false
  /// Since when nothing is heard, and what to tell when it is over.
  var gap: (since: UInt64, end: ManagerEvent.Event)?
  var reloadingSince: UInt64?
  var sleepingSince: UInt64?
  /// How often the units were compared.
  var round: UInt32 = 0

  /// When to try something again: to connect, or to list the units.
  var retryAt: UInt64?
  var failedAttempts = 0
  /// More messages may be there than were taken.
  var hasMore = false
  var progress = Progress.goingOn

  /// Records that wait for their unit's properties; the first ones are asked for.
  var fetches: [Fetch] = []
  var propertiesMissed: UInt32 = 0
  var malformed: UInt64 = 0

  init(_ options: WatchOptions, _ sender: consuming RecordSender, _ log: Log) {
    self.options = options
    self.sender = sender
    self.log = log
  }

  /// When ``process()`` is wanted without anything having come, on CLOCK_MONOTONIC.
  var nextDeadline: UInt64? {
    if hasMore { return 1 }
    let deadline = min(
      calls.nextDeadline ?? .max, retryAt ?? .max, absence?.until ?? .max)
    return deadline == .max ? nil : deadline
  }

  /// Deals with all that has come and all that is due.
  mutating func process() throws(SystemError) -> Progress {
    let now = monotonicNanoseconds()
    if let retryAt, now >= retryAt {
      self.retryAt = nil
      if bus == nil { connect() } else { listUnits() }
    }
    guard let bus else { return progress }
    var taken = 0
    while taken < Self.messagesAtOnce, let message = bus.next() {
      taken += 1
      try handle(message)
    }
    hasMore = taken == Self.messagesAtOnce
    if let absence, now >= absence.until {
      self.absence = nil
      progress = .unavailable(missing(absence.reason))
    }
    while let call = calls.takeOverdue(now) { try unanswered(call, "no reply in time") }
    // It may be given up already.
    if self.bus === bus && !bus.isConnected { try lose("the connection was closed") }
    try fetchMore()
    if options.once && isListening && fetches.isEmpty { progress = .finished }
    return progress
  }

  // MARK: The connection

  mutating func connect() {
    do throws(BusError) {
      let bus = try Bus(address: options.address)
      self.bus = bus
    } catch {
      guard hasStarted else {
        progress = .unavailable(missing(error.description))
        return
      }
      log.detail(error.description)
      retryLater()
      return
    }
    failedAttempts = 0
    call(.hello, toBus("Hello"))
    for rule in matchRules {
      let message = toBus("AddMatch")
      message.append(rule)
      call(.addMatch, message)
    }
    for (purpose, name) in [(Calls.Purpose.systemdOwner, Self.systemd), (.loginOwner, Self.login)] {
      let message = toBus("GetNameOwner")
      message.append(name)
      call(purpose, message)
    }
  }

  private func toBus(_ member: StaticString) -> Message {
    Message(
      to: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", "org.freedesktop.DBus", member)
  }

  mutating func call(_ purpose: Calls.Purpose, _ message: borrowing Message) {
    guard let bus else { return }
    calls.add(bus.send(message), purpose)
  }

  /// From 100 ms to 30 s: the bus is on the same machine, nobody is troubled by many attempts.
  private mutating func retryLater() {
    let delay = min(UInt64(30_000_000_000), 100_000_000 << UInt64(min(failedAttempts, 10)))
    failedAttempts += 1
    retryAt = monotonicNanoseconds() + delay
  }

  /// The connection is lost: tell it, and try again.
  mutating func lose(_ reason: Text) throws(SystemError) {
    bus?.close()
    bus = nil
    calls.removeAll()
    hasMore = false
    systemdOwner = []
    loginOwner = []
    try giveUpFetches()
    guard hasStarted else {
      progress = .unavailable(missing(reason))
      return
    }
    retryLater()
    isListening = false
    if let gap, gap.end == .busBack { return }
    log.warning("\(options.address): \(reason); trying to connect again")
    // A bus that ends lets go of systemd first.
    gap = (gap?.since ?? bootTimeNanoseconds(), .busBack)
    try tell(ManagerEvent(.busGone))
  }

  private func missing(_ reason: Text) -> Text {
    "no systemd on \(options.address) (needs systemd as PID 1 and apt install dbus): \(reason)"
  }

  // MARK: systemd

  /// systemd has got a name on the bus: subscribes and asks for all units.
  mutating func greet(_ owner: [UInt8]) {
    systemdOwner = owner
    absence = nil
    call(
      .subscribe,
      Message(to: Self.systemd, path: "/org/freedesktop/systemd1", Self.manager, "Subscribe"))
    listUnits()
  }

  mutating func listUnits() {
    guard !systemdOwner.isEmpty else { return }
    call(
      .listUnits,
      Message(to: Self.systemd, path: "/org/freedesktop/systemd1", Self.manager, "ListUnits"))
  }

  /// A call that was answered with an error, or not at all.
  mutating func unanswered(_ call: Calls.Call, _ reason: Text) throws(SystemError) {
    switch call.purpose {
    case .hello: try lose("Hello: \(reason)")
    case .addMatch: log.error("AddMatch: \(reason)")
    // Without a name nobody is there; NameOwnerChanged tells when somebody comes.
    case .loginOwner: return
    case .systemdOwner:
      // While the machine starts, systemd may come to the bus after us: NameOwnerChanged tells.
      if !hasStarted && systemdOwner.isEmpty {
        absence = (
          monotonicNanoseconds() + (options.once ? 0 : Self.patienceNanoseconds), reason
        )
      }
    case .subscribe:
      // systemd remembers its subscribers while it executes itself anew.
      if !(reason == "org.freedesktop.systemd1.AlreadySubscribed") {
        log.warning("Subscribe: \(reason)")
      }
    case .listUnits:
      log.warning("ListUnits: \(reason); asking again")
      retryAt = monotonicNanoseconds() + 5_000_000_000
    case .properties: try finishFetch(call.serial, nil)
    }
  }

  // MARK: Records

  mutating func tell<Body: RecordBody>(_ body: Body) throws(SystemError) {
    let outcome = try sender.send(body)
    if let warning = outcome.warning { log.warning(warning) }
    log.detail("told: \(Body.kind.constantName)")
  }
}
