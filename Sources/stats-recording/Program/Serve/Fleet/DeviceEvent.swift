import Records

/// Something that happened once, for the event lane.
struct DeviceEvent: Encodable, Equatable, Sendable {
  /// Counts up over all devices.
  var id = 0
  /// Unix time in seconds at which it ended, or at which it was.
  let time: Double
  /// When it began, if it lasted.
  var begin: Double?
  let lane: Lane
  let severity: Severity
  let text: String

  /// The rows of the event lane.
  enum Lane: String, Encodable, CaseIterable, Sendable {
    case crash, unit, pressure, process, state, loss
  }

  enum Severity: String, Encodable, Sendable { case bad, good, plain }

  /// The id that it has where it was recorded: below 0, the same each time that it is read.
  var recordedID: Int {
    // FNV-1a of 64 bits, of which a number of JavaScript holds 53.
    let sum = "\(lane) \(time) \(text)".utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
    return -1 - Int(sum >> 12)
  }

  init(
    _ lane: Lane, _ severity: Severity, _ text: String, at time: Double, begin: Double? = nil
  ) {
    self.lane = lane
    self.severity = severity
    self.text = String(text.prefix(400))
    self.time = time
    self.begin = begin
  }
}

extension DeviceEvent {
  /// What a record tells that happened; nil for samples, and for kinds of later versions.
  init?(_ record: PublishedRecord) {
    guard let kind = ChartReading.kind(of: record) else { return nil }
    let words = EventWords(record)
    let event: DeviceEvent? =
      switch kind {
      case .coreDump: words.coreDump()
      case .processExit: words.processExit()
      case .unitState: words.unitState()
      case .jobResult: words.jobResult()
      case .managerEvent: words.managerEvent()
      case .pressureStall: words.pressureStall()
      case .processLifecycle: words.processLifecycle()
      case .dltLoss: words.dltLoss()
      case .sourceState: words.sourceState()
      case .accountingState: words.accountingState()
      case .traceEvent: words.traceEvent()
      case .traceLoss: words.traceLoss()
      case .systemInformation, .cpuTimes, .cpuActivity, .cpuFrequency, .memory, .pageActivity,
        .networkInterface, .sockets, .wireless, .disk, .fileSystem, .flashWear, .processCounts,
        .process, .thermalZone, .sensor, .raspberryPi, .pressureSample, .processSummary,
        .processLoad, .traceValue, .traceHistogram:
        nil
      }
    guard let event else { return nil }
    self = event
  }
}

/// The words for each kind of record that tells of something.
private struct EventWords {
  let time: Double
  let program: String
  let fields: [String: JSONValue]

  init(_ record: PublishedRecord) {
    time = record.time
    program = record.topic.program
    fields = Dictionary(record.fields)
  }

  func text(_ name: String) -> String { fields[name]?.readableText ?? "" }
  func flag(_ name: String) -> Bool { fields[name] == .boolean(true) }

  func event(
    _ lane: DeviceEvent.Lane, _ severity: DeviceEvent.Severity, _ text: String,
    lasting: Double? = nil
  ) -> DeviceEvent {
    let begin = lasting.flatMap { $0.isFinite && $0 > 0 ? time - $0 : nil }
    return DeviceEvent(lane, severity, text, at: time, begin: begin)
  }

  func coreDump() -> DeviceEvent {
    let signal = text("signal_name").isEmpty ? "signal \(text("signal"))" : text("signal_name")
    let unit = text("unit").isEmpty ? "" : " in \(text("unit"))"
    return event(
      .crash, .bad, "\(text("comm")) (\(text("pid"))) crashed\(unit): \(signal), core dumped")
  }

  func processExit() -> DeviceEvent? {
    let name = "\(text("comm")) (\(text("pid")))"
    if flag("killed_by_signal") {
      let core = flag("core_dumped") ? ", core dumped" : ""
      return event(.process, .bad, "\(name) ended by signal \(text("signal"))\(core)")
    }
    guard text("exit_code") != "0" else { return nil }
    return event(.process, .bad, "\(name) ended with status \(text("exit_code"))")
  }

  func unitState() -> DeviceEvent {
    let unit = text("unit")
    if text("active_state") == "failed" {
      let status =
        fields["main_process_status"] == nil ? "" : ", status \(text("main_process_status"))"
      return event(.unit, .bad, "\(unit) failed: \(text("result"))\(status)")
    }
    let old = text("old_active_state")
    let words = "\(unit) is \(text("active_state")) (\(text("sub_state")))"
    if old == "failed" { return event(.unit, .good, "\(words), no longer failed") }
    return event(.unit, text("sub_state") == "auto-restart" ? .bad : .plain, words)
  }

  func jobResult() -> DeviceEvent? {
    guard text("state") == "over", text("result") != "done" else { return nil }
    return event(.unit, .bad, "job of \(text("unit")): \(text("result"))")
  }

  func managerEvent() -> DeviceEvent {
    let name = text("event")
    let unit = text("unit").isEmpty ? "" : " \(text("unit"))"
    let isBad = ["manager_gone", "bus_gone"].contains(name)
    return event(.state, isBad ? .bad : .plain, "systemd: \(name.replacing("_", with: " "))\(unit)")
  }

  func pressureStall() -> DeviceEvent? {
    let cgroup = text("cgroup").isEmpty ? "" : " in \(text("cgroup"))"
    let who = text("scope") == "full" ? "all tasks wait" : "tasks wait"
    let what = "\(who) for \(text("resource"))\(cgroup)"
    let lasting = fields["episode_seconds"]?.double
    switch text("state") {
    case "onset": return event(.pressure, .bad, what)
    case "over", "gone":
      return event(
        .pressure, .bad, "\(what): over after \(text("episode_seconds")) s", lasting: lasting)
    default: return nil
    }
  }

  func processLifecycle() -> DeviceEvent {
    let name = text("event")
    return event(
      .process, name == "started" ? .plain : .bad,
      "\(text("process")) on \(text("ecu")): \(name.replacing("_", with: " "))")
  }

  func dltLoss() -> DeviceEvent {
    event(
      .loss, .bad, "DLT of \(text("ecu")): \(text("lost_messages")) messages lost, \(text("cause"))"
    )
  }

  func traceEvent() -> DeviceEvent? {
    guard flag("notable") else { return nil }
    let process = text("pid").isEmpty ? "" : " \(text("comm")) (\(text("pid")))"
    return event(
      .process, .bad, "\(text("program")): \(text("record"))\(process) \(text("fields"))")
  }

  func traceLoss() -> DeviceEvent {
    event(.loss, .bad, "\(text("program")): \(text("lost_count")) found no room")
  }

  func sourceState() -> DeviceEvent {
    let state = text("state")
    let reason = text("reason").isEmpty ? "" : ": \(text("reason"))"
    return event(
      .state, state == "unavailable" ? .bad : .plain, "\(program) is \(state)\(reason)")
  }

  func accountingState() -> DeviceEvent {
    let state = text("state")
    let isGood = ["on", "resumed", "rotated"].contains(state)
    return event(isGood ? .state : .loss, isGood ? .plain : .bad, "process accounting: \(state)")
  }
}
