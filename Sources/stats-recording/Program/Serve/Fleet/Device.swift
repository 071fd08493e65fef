import Records

/// What is known of a device beside the lines of its charts.
struct Device: Sendable {
  /// As the bridge's retained status says it.
  enum State: String, Encodable, Sendable {
    /// Records came, but no status.
    case unknown
    /// Nothing came; it is in a recording.
    case recorded
    case online
    /// The bridge has said goodbye.
    case offline
    /// The broker says so for the bridge: the connection is gone.
    case lost
  }

  let id: String
  private(set) var state = State.unknown
  private(set) var status: [JSONMember] = []
  /// When the last message was published, by the device's clock; a last will has no such time.
  private(set) var lastHeard: Double?
  private(set) var bootID: String?
  private var ledgers: [String: ProgramLedger] = [:]
  private var lastTimes: [String: Double] = [:]
  private var programStates: [String: String] = [:]
  private(set) var events: [DeviceEvent] = []
  private(set) var eventsDropped = 0
  /// Records of programs beyond ``programLimit``.
  private(set) var recordsRefused = 0
  var processes = ProcessTable()
  /// From when to when a recording tells of it, Unix time in seconds.
  private(set) var recorded: ClosedRange<Double>?

  static let programLimit = 64

  init(id: String) { self.id = id }

  /// It is in a recording, with messages from then to then.
  mutating func note(recorded times: ClosedRange<Double>) {
    recorded = times
    if state == .unknown && ledgers.isEmpty { state = .recorded }
    lastHeard = max(lastHeard ?? times.upperBound, times.upperBound)
  }

  /// What a status tells that is new. `now` is Unix time in seconds.
  mutating func take(status members: [JSONMember], now: Double) -> DeviceEvent? {
    let before = state
    status = members
    switch members["state"]?.text {
    case "online": state = .online
    case "offline": state = members["time"] == nil ? .lost : .offline
    default: state = .unknown
    }
    let time = members["time"]?.double.flatMap { $0.isFinite ? $0 : nil }
    if let time { lastHeard = max(lastHeard ?? time, time) }
    if let id = members["boot_id"]?.text { bootID = id }
    // What was so before we came is no news.
    guard before != state, ![.unknown, .recorded].contains(before) else { return nil }
    switch state {
    case .online: return DeviceEvent(.state, .good, "online", at: time ?? now)
    case .offline:
      return DeviceEvent(.state, .plain, "offline: the bridge has ended", at: time ?? now)
    case .lost:
      // Nobody knows more than when it was heard last.
      return DeviceEvent(.state, .bad, "lost: the connection is gone", at: lastHeard ?? now)
    case .unknown, .recorded: return nil
    }
  }

  /// How a record stands to those before it; nil: the device has too many programs.
  mutating func note(_ record: PublishedRecord) -> (arrival: ProgramLedger.Arrival, missing: Int)? {
    let program = record.topic.program
    guard ledgers[program] != nil || ledgers.count < Self.programLimit else {
      recordsRefused += 1
      return nil
    }
    if state == .recorded { state = .unknown }
    lastHeard = max(lastHeard ?? record.time, record.time)
    lastTimes[program] = max(lastTimes[program] ?? record.time, record.time)
    if record.kind == "source_state" {
      programStates[program] = record.fields["state"]?.text
    }
    let droppedBefore = ledgers[program]?.droppedAtSource ?? 0
    let arrival = ledgers[program, default: ProgramLedger()].note(record)
    let ledger = ledgers[program] ?? ProgramLedger()
    if let event = event(of: arrival, record, dropped: ledger.droppedAtSource - droppedBefore) {
      keep(event)
    }
    if case .newRun = arrival { bootID = record.bootID }
    return (arrival, ledger.missing)
  }

  private func event(
    of arrival: ProgramLedger.Arrival, _ record: PublishedRecord, dropped: Int
  ) -> DeviceEvent? {
    let program = record.topic.program
    switch arrival {
    case .next(let missing) where missing > 0:
      let reason = dropped > 0 ? ", \(dropped) of them dropped at a full queue" : ""
      return DeviceEvent(
        .loss, .bad, "\(missing) records of \(program) are missing\(reason)", at: record.time)
    case .newRun(isFirst: false, let isNewBoot):
      return DeviceEvent(
        .state, .plain, "\(program) started anew\(isNewBoot ? ", the device too" : "")",
        at: record.time)
    case .next, .late, .duplicate, .newRun: return nil
    }
  }

  /// The events that were kept since somebody asked last, for the stream.
  private(set) var newEvents: [DeviceEvent] = []
  private static let eventLimit = 1000

  mutating func keep(_ event: DeviceEvent) {
    newEvents.append(event)
    if newEvents.count > Self.eventLimit { newEvents.removeFirst() }
  }

  /// Numbers the new events and moves them to the others.
  mutating func takeNewEvents(number: () -> Int) -> [DeviceEvent] {
    let taken = newEvents.map { event in
      var event = event
      event.id = number()
      return event
    }
    newEvents = []
    events += taken
    let excess = events.count - Self.eventLimit
    if excess > 0 {
      events.removeFirst(excess)
      eventsDropped += excess
    }
    return taken
  }

  var summary: DeviceSummary {
    DeviceSummary(
      id: id, state: state, reason: status["reason"]?.text, lastHeard: lastHeard, bootID: bootID,
      version: status["version"]?.text, refusal: status["refusal"]?.text,
      bridge: Dictionary(
        status.compactMap { member in member.value.unsigned.map { (member.name, $0) } },
        uniquingKeysWith: { first, _ in first }
      ).filter { $0.key.hasPrefix("records_") || $0.key.hasPrefix("messages_") },
      programs: programSummaries, eventsDropped: eventsDropped, recordsRefused: recordsRefused,
      recorded: recorded.map { .init(from: $0.lowerBound, to: $0.upperBound) })
  }

  private var programSummaries: [ProgramSummary] {
    // A program that never sent a record, as its source is not there, is in the status alone.
    var states = programStates
    for member in status where member.name.hasSuffix("_state") {
      let name = String(member.name.dropLast(6)).replacing("_", with: "-")
      if states[name] == nil { states[name] = member.value.text }
    }
    let names = Set(ledgers.keys).union(states.keys)
    return names.sorted().prefix(Self.programLimit).map { name in
      let ledger = ledgers[name] ?? ProgramLedger()
      return ProgramSummary(
        name: name, state: states[name],
        reason: status[name.replacing("-", with: "_") + "_reason"]?.text,
        lastTime: lastTimes[name], received: ledger.received, duplicated: ledger.duplicated,
        missing: ledger.missing, droppedAtSource: ledger.droppedAtSource, restarts: ledger.restarts)
    }
  }
}

/// A device as `/api/devices` and the page's list show it.
struct DeviceSummary: Encodable, Sendable {
  let id: String
  let state: Device.State
  /// Of the status: why it is not online.
  let reason: String?
  let lastHeard: Double?
  let bootID: String?
  /// Of the bridge.
  let version: String?
  /// The broker's words when it refused a record.
  let refusal: String?
  /// What the bridge counts: `records_lost`, `messages_invalid` and so on.
  let bridge: [String: UInt64]
  let programs: [ProgramSummary]
  let eventsDropped: Int
  let recordsRefused: Int
  /// What recordings hold of it; absent without any.
  let recorded: Recorded?

  /// Unix time in seconds.
  struct Recorded: Encodable, Sendable {
    let from: Double
    let to: Double
  }
}

struct ProgramSummary: Encodable, Sendable {
  let name: String
  /// `running`, `stopped`, `unavailable`, as it said last.
  let state: String?
  let reason: String?
  let lastTime: Double?
  let received: Int
  let duplicated: Int
  let missing: Int
  let droppedAtSource: Int
  let restarts: Int
}
