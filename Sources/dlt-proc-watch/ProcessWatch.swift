import Records

/// What there is to send.
enum Report: Equatable {
  case load(ProcessLoad)
  case lifecycle(ProcessLifecycle)
  case loss(DLTLoss)
}

/// Makes records of messages. Reads nothing and sends nothing: what there is to send waits in
/// ``reports``.
struct ProcessWatch {
  let settings: WatchSettings
  var reports: [Report] = []
  private(set) var messageCount: UInt64 = 0
  /// Messages of dlt-system's process watching.
  private(set) var processMessageCount: UInt64 = 0
  private(set) var unreadableCount: UInt64 = 0
  /// Messages about processes for which ``WatchSettings/limit`` had no room.
  private(set) var beyondLimitCount: UInt64 = 0
  private var processes: [WatchedProcess] = []
  private var missing = MissingProcesses()
  private var counters = MessageCounters()

  init(_ settings: WatchSettings) {
    self.settings = settings
  }

  /// Takes a whole message, which arrived at `arrival`, in seconds of any clock; `ecu` is what a
  /// storage header says.
  mutating func take(_ bytes: Span<UInt8>, ecu: Identifier? = nil, arrival: UInt64) {
    guard let message = DLTMessage(parsing: bytes) else {
      unreadable(nil, 0)
      return
    }
    messageCount += 1
    let sender = message.ecu ?? ecu ?? Identifier("")
    if let wanted = settings.ecu, wanted != sender { return }
    // Only where the header says that there is an extended one.
    guard let extended = message.extended else { return }
    if extended.isControlResponse {
      takeControl(bytes, message, sender)
      return
    }
    guard extended.application == Identifier("SYS"), extended.context == Identifier("PROC"),
      extended.isVerbose, extended.isLog
    else { return }
    processMessageCount += 1
    if let lost = counters.take(message, sender) {
      var loss = DLTLoss(.counterGap)
      loss.session = message.session
      loss.lostMessages = lost
      report(loss, sender, message)
    }
    switch ProcessMessage(parsing: bytes, message) {
    case .statistics(let statistics, let comm):
      take(statistics, bytes.extracting(comm), message, sender, arrival)
    case .command(let processID, let command):
      take(command: bytes.extracting(command), processID, sender, arrival)
    case .notRunning(let name):
      take(notRunning: bytes.extracting(name), message, sender)
    case .other: return
    case .unreadable: unreadable(message, sender.bigEndian)
    }
  }

  mutating func report(_ loss: DLTLoss, _ sender: Identifier?, _ message: DLTMessage?) {
    var loss = loss
    if let sender { loss.ecu = sender.text }
    loss.uptimeTenThousandths = message?.timestamp
    reports.append(.loss(loss))
  }

  // MARK: The daemon's own messages

  /// Service 0x14 of the control messages: u32 service, u8 status, u8 1 on overflow, u32 count, of
  /// which older daemons have no count.
  private mutating func takeControl(
    _ bytes: Span<UInt8>, _ message: DLTMessage, _ sender: Identifier
  ) {
    let payload = bytes.extracting(message.payload)
    guard payload.count >= 6 else { return }
    func integer(at offset: Int) -> UInt32 {
      let value = payload.bigEndian32(at: offset)
      return message.isBigEndian ? value : value.byteSwapped
    }
    guard integer(at: 0) == 0x14, payload[5] == 1 else { return }
    var loss = DLTLoss(.bufferOverflow)
    if payload.count >= 10 { loss.lostMessages = integer(at: 6) }
    report(loss, sender, message)
  }

  private mutating func unreadable(_ message: DLTMessage?, _ ecu: UInt32) {
    unreadableCount += 1
    var loss = DLTLoss(.unreadable)
    loss.session = message?.session
    loss.lostMessages = 1
    report(loss, message?.ecu, message)
  }

  // MARK: Processes

  private mutating func take(
    _ statistics: ProcessStatistics, _ comm: Span<UInt8>, _ message: DLTMessage,
    _ sender: Identifier, _ arrival: UInt64
  ) {
    var previous: UInt32?
    var found = index(sender, statistics.processID)
    if let place = found, let start = processes[place].startTicks, start != statistics.startTicks {
      // Another process with the id of that one; the command of that one says nothing of it.
      let isOfTheSameName = processes[place].comm == FixedText<32>(comm)
      let name = processes[place].name
      let wasGone = processes[place].isGone
      processes.remove(at: place)
      found = nil
      if isOfTheSameName || settings.watches(comm) {
        guard
          let place = admit(
            sender, statistics.processID,
            isOfTheSameName ? name : FixedText<64>(comm), arrival)
        else { return }
        found = place
        if isOfTheSameName && !wasGone { previous = statistics.processID }
      }
    }
    if found == nil {
      guard settings.watches(comm) else { return }
      found = admit(sender, statistics.processID, FixedText<64>(comm), arrival)
    }
    guard let place = found else { return }

    if processes[place].startTicks == nil {
      processes[place].startTicks = statistics.startTicks
      if let before = announce(place, statistics, message, sender, reusedID: previous) {
        processes.remove(at: before)
      }
    }
    // Its place may have moved up.
    guard let place = index(sender, statistics.processID) else { return }
    processes[place].comm = FixedText<32>(comm)
    processes[place].isGone = false
    missing.remove(sender.bigEndian, processes[place].name)
    let interval = processes[place].advance(
      ticks: statistics.userTicks.addingReportingOverflow(statistics.systemTicks).partialValue,
      timestamp: message.timestamp, arrival: arrival, ticksPerSecond: settings.ticksPerSecond)
    processes[place].lastTimestamp = message.timestamp
    processes[place].lastArrival = arrival
    processes[place].lastMessage = messageCount
    if interval == .repeats { return }

    var load = ProcessLoad()
    load.ecu = sender.text
    load.process = processes[place].name
    load.comm = processes[place].comm
    load.processID = statistics.processID
    load.startHundredths = settings.hundredths(statistics.startTicks)
    if case .measured(let cpu, let duration) = interval {
      load.cpuTenThousandths = cpu
      load.intervalTenThousandths = duration
    }
    load.cpuUserHundredths = settings.hundredths(statistics.userTicks)
    load.cpuSystemHundredths = settings.hundredths(statistics.systemTicks)
    load.residentBytes = settings.bytes(pages: statistics.residentPages)
    load.virtualBytes = statistics.virtualBytes
    load.threads = statistics.threads
    load.uptimeTenThousandths = message.timestamp
    reports.append(.load(load))
  }

  /// Returns the process that had the name before, if the new one takes over from it.
  private mutating func announce(
    _ place: Int, _ statistics: ProcessStatistics, _ message: DLTMessage, _ sender: Identifier,
    reusedID: UInt32?
  ) -> Int? {
    var event = ProcessLifecycle()
    event.ecu = sender.text
    event.process = processes[place].name
    event.processID = statistics.processID
    event.startHundredths = settings.hundredths(statistics.startTicks)
    event.uptimeTenThousandths = message.timestamp
    event.event = .started
    var predecessor: Int?
    if let reusedID {
      event.event = .restarted
      event.previousProcessID = reusedID
    } else if let before = latest(of: processes[place].name, sender, besides: place) {
      if processes[before].isGone {
        event.previousProcessID = processes[before].processID
        predecessor = before
      } else if startedAfter(before, statistics.startTicks), isAlone(before, besides: place) {
        event.event = .restarted
        event.previousProcessID = processes[before].processID
        predecessor = before
      }
    }
    reports.append(.lifecycle(event))
    return predecessor
  }

  private func latest(
    of name: FixedText<64>, _ sender: Identifier, besides place: Int
  ) -> Int? {
    var found: Int?
    for index in processes.indices
    where index != place && processes[index].ecu == sender.bigEndian
      && processes[index].startTicks != nil && processes[index].name == name
    {
      if let other = found, processes[other].lastMessage > processes[index].lastMessage { continue }
      found = index
    }
    return found
  }

  /// Whether these ticks since the machine's start come after the last message of a process.
  private func startedAfter(_ place: Int, _ startTicks: UInt64) -> Bool {
    guard let last = processes[place].lastTimestamp else { return false }
    let difference = Int32(bitPattern: settings.timestamp(startTicks) &- last)
    // The start is told in whole ticks, rounded down.
    return difference > -Int32(clamping: 10_000 / settings.ticksPerSecond + 1)
  }

  /// Whether no other process of this name was told in the same second: of several workers, a new
  /// one is none that came again.
  private func isAlone(_ place: Int, besides new: Int) -> Bool {
    let last = processes[place].lastTimestamp ?? 0
    for index in processes.indices
    where index != place && index != new && processes[index].ecu == processes[place].ecu
      && processes[index].name == processes[place].name
    {
      if last &- (processes[index].lastTimestamp ?? 0) < 10_000 { return false }
    }
    return true
  }

  private mutating func take(
    command: Span<UInt8>, _ processID: UInt32, _ sender: Identifier, _ arrival: UInt64
  ) {
    if let place = index(sender, processID) {
      processes[place].command = FixedText<64>(command)
      missing.remove(sender.bigEndian, processes[place].command)
      return
    }
    guard !settings.names.isEmpty, !command.isEmpty, settings.watches(command),
      let place = admit(sender, processID, FixedText<64>(command), arrival)
    else { return }
    processes[place].command = FixedText<64>(command)
  }

  private mutating func take(
    notRunning command: Span<UInt8>, _ message: DLTMessage, _ sender: Identifier
  ) {
    let text = FixedText<64>(command)
    var isKnown = false
    for place in processes.indices
    where processes[place].ecu == sender.bigEndian
      && (processes[place].name == text || processes[place].command == text)
    {
      isKnown = true
      if processes[place].isGone { continue }
      processes[place].isGone = true
      processes[place].base = nil
      reportMissing(processes[place].name, processes[place].processID, message, sender)
    }
    if !isKnown && settings.watches(command) { reportMissing(text, nil, message, sender) }
  }

  /// dlt-system says it again and again: once is enough.
  private mutating func reportMissing(
    _ name: FixedText<64>, _ processID: UInt32?, _ message: DLTMessage, _ sender: Identifier
  ) {
    guard missing.insert(sender.bigEndian, name) else { return }
    var event = ProcessLifecycle()
    event.ecu = sender.text
    event.process = name
    event.event = .notRunning
    event.previousProcessID = processID
    event.uptimeTenThousandths = message.timestamp
    reports.append(.lifecycle(event))
  }

  private func index(_ sender: Identifier, _ processID: UInt32) -> Int? {
    for index in processes.indices
    where processes[index].processID == processID && processes[index].ecu == sender.bigEndian {
      return index
    }
    return nil
  }

  /// A place for one more process; where there is none, of one that is gone or silent.
  private mutating func admit(
    _ sender: Identifier, _ processID: UInt32, _ name: FixedText<64>, _ arrival: UInt64
  ) -> Int? {
    if processes.count >= settings.limit {
      var stalest = 0
      for index in processes.indices where isStaler(index, than: stalest) { stalest = index }
      let last = processes[stalest].lastArrival
      guard processes[stalest].isGone || arrival > last &+ 60 else {
        beyondLimitCount += 1
        return nil
      }
      processes.remove(at: stalest)
    }
    var process = WatchedProcess(ecu: sender.bigEndian, processID: processID, name: name)
    process.lastArrival = arrival
    process.lastMessage = messageCount
    processes.append(process)
    return processes.count - 1
  }

  private func isStaler(_ one: Int, than other: Int) -> Bool {
    if processes[one].isGone != processes[other].isGone { return processes[one].isGone }
    return processes[one].lastMessage < processes[other].lastMessage
  }
}
