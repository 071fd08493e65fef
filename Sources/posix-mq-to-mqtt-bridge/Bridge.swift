import CLinux
import Daemon
import Linux
import Records

/// Takes records from the queues, keeps them in the outbox until the broker has them.
struct Bridge: ~Copyable {
  enum Source: RawRepresentable {
    case broker, timer, nameLookup
    case queue(Int)

    init?(rawValue: UInt32) {
      switch rawValue {
      case 0: self = .broker
      case 1: self = .timer
      case 2: self = .nameLookup
      default: self = .queue(Int(rawValue) - 3)
      }
    }

    var rawValue: UInt32 {
      switch self {
      case .broker: 0
      case .timer: 1
      case .nameLookup: 2
      case .queue(let index): UInt32(index) + 3
      }
    }
  }

  struct InFlight {
    let message: Int32
    /// nil: the status.
    let ticket: Outbox.Ticket?
    let program: Program?
  }

  let options: BridgeOptions
  let log: Log
  var loop: ServiceLoop<Source>
  let timer: Timer
  private var timerDue = UInt64.max
  var queues: Queues
  var outbox: Outbox
  /// Where records go that the outbox shall not hold any longer; nil: nowhere.
  var spill: Spill?
  var spillDue = UInt64.max
  /// The last thing that went wrong with the spill since the broker was there: the same is told once.
  var spillTrouble = Text()
  /// The last time nothing could be written.
  var spillFails = false
  var spilledSinceConnected = false
  var status = BridgeStatus()
  /// The broker would not take it: told once.
  var statusIsRefused = false

  var connection: BrokerConnection?
  var nameLookup: NameLookup?
  var interest: Readiness = []
  var inFlight: [InFlight] = []
  var backoff: Backoff
  var lastFailure = Text()
  /// The reason that was last logged, by the number of the program: the same refusal is told once.
  private var refusals = [Int32](repeating: 0, count: Int(UInt8.max) + 1)
  var queuesAreRead = true

  var connectDue = UInt64.max
  var connectTimeoutDue = UInt64.max
  var keepAliveDue = UInt64.max
  var statusDue = UInt64.max
  var acknowledgementDue = UInt64.max
  var isFinishing = false
  /// When the broker last acknowledged something, or was last given something after a pause.
  var acknowledgedAt: UInt64 = 0

  var json = JSON()
  private var topic = TopicLevels()
  var buffer: [UInt8]
  var envelope: Envelope

  /// Errors: those of the queues, of mmap(2), epoll(7) and timerfd(2).
  init(_ options: BridgeOptions, _ log: Log) throws(SystemError) {
    let envelope = Envelope(bootID: try bootID(), clock: readClock())
    let loop = try ServiceLoop<Source>()
    let timer = try Timer()
    let queues = try Queues(prefix: options.output.queuePrefix)
    let spill = try openSpill(options, log)
    let outbox = try openOutbox(options, queues.messageSize, spill, BootStamp(envelope), log)
    queues.restoreStates(outbox.memory)
    try loop.events.add(timer.descriptor.raw, .timer)
    for index in 0..<queues.count { try loop.events.add(queues.descriptor(index), .queue(index)) }
    buffer = [UInt8](
      repeating: 0,
      count: max(queues.messageSize, outbox.memory.inboxSize) + BootStamp.encodedSize)
    self.options = options
    self.log = log
    self.loop = loop
    self.timer = timer
    self.queues = queues
    self.outbox = outbox
    self.spill = spill
    backoff = Backoff(maximum: options.reconnectMaximum)
    nameLookup = nil
    self.envelope = envelope
    inFlight.reserveCapacity(options.window)
  }

  // MARK: The loop

  /// Runs until SIGTERM or SIGINT. Errors: those of epoll(7), timerfd(2) and the queues.
  mutating func run() throws(SystemError) {
    loop.notifier.ready("connecting to \(options.broker.address)")
    connectDue = monotonicNanoseconds()
    spillDue = connectDue + options.spillAfter.nanoseconds
    try attendToTime()
    while let (source, readiness) = try loop.next() {
      try handle(source, readiness)
    }
    try finish()
  }

  private mutating func handle(_ source: Source, _ readiness: Readiness) throws(SystemError) {
    switch source {
    case .queue(let index):
      try drain(index)
      if acknowledgementsMayWait { readAcknowledgements() }
    case .broker:
      do throws(BrokerError) { try connection?.process(readiness) } catch { lose(error) }
    case .timer: timer.expirations()
    case .nameLookup: try takeNameLookup()
    }
    takeAcknowledgements()
    welcome()
    publishWaiting()
    try attendToTime()
    try updateInterest()
  }

  private var outboxIsFull: Bool {
    mutating get {
      outbox.usedPercent >= Spill.fullPercent || !outbox.hasRoom(for: queues.messageSize)
    }
  }

  var isDisconnected: Bool { connection?.isConnected != true }

  /// Does what is due, and sets the timer to what is due next.
  private mutating func attendToTime() throws(SystemError) {
    let now = monotonicNanoseconds()
    if now >= connectDue { try connect(now) }
    if now >= connectTimeoutDue { loseForSilence() }
    if now >= keepAliveDue { keepAlive(now) }
    if now >= acknowledgementDue || now >= statusDue { readAcknowledgements() }
    if now >= statusDue {
      statusDue = now + options.statusInterval.nanoseconds
      publishStatus("online")
    }
    if now >= spillDue { spillWaiting() }
    if inFlight.isEmpty || !acknowledgementsMayWait {
      acknowledgementDue = .max
    } else if acknowledgementDue == .max {
      acknowledgementDue = now + 3_000_000_000
    }
    let due = min(
      min(connectDue, connectTimeoutDue, acknowledgementDue), min(keepAliveDue, statusDue, spillDue)
    )
    if due != timerDue {
      timerDue = due
      let later = monotonicNanoseconds()
      try timer.set(after: due == .max ? 0 : due > later ? due - later : 1)
    }
  }

  /// Waits for what libmosquitto wants, and reads queues only while the outbox has room to spare.
  ///
  /// With a broker that takes records slower than they come, the rest waits in the queues, where
  /// the programs see it and count what they drop. Without a broker the outbox decides what goes.
  mutating func updateInterest() throws(SystemError) {
    if let connection, let socket = connection.socket {
      let wanted = acknowledgementsMayWait ? .hangUp : connection.interest
      if wanted != interest {
        interest = wanted
        try loop.events.change(socket, .broker, interest)
      }
    }
    let read = isDisconnected || !(queuesAreRead ? outboxIsFull : outbox.usedPercent >= 75)
    if read != queuesAreRead {
      queuesAreRead = read
      for index in 0..<queues.count {
        try loop.events.change(queues.descriptor(index), .queue(index), read ? .reading : [])
      }
    }
  }

  // MARK: From the queues to the broker

  mutating func drain(_ index: Int) throws(SystemError) {
    let (noteworthy, lost) = (queues.noteworthy, outbox.lost)
    // A bound, so that a flood in one queue cannot starve the others or the connection.
    drain: for _ in 0..<64 {
      if outboxIsFull {
        guard isDisconnected else { break }
        spillBeforeItIsFull()
      }
      switch try queues.receive(index, into: &buffer, through: outbox, log) {
      case .none: break drain
      case .skipped: outbox.memory.clearInbox()
      case .record(let length, let priority):
        let origin = queues.program(index).rawValue
        outbox.append(buffer, length, origin: origin, priority)
        outbox.keepState(buffer, length, origin: origin)
        outbox.memory.clearInbox()
      }
    }
    if noteworthy != queues.noteworthy { hurryStatus() }
    if lost == 0 && outbox.lost > 0 {
      log.warning("the outbox is full: the oldest samples are given up until the broker is back")
    }
  }

  mutating func publishWaiting() {
    guard let connection, connection.isConnected else { return }
    guard inFlight.count < window else { return }
    refill(window)
    guard outbox.count > outbox.inFlight else { return }
    envelope.clock = readClock()
    if inFlight.isEmpty { acknowledgedAt = monotonicNanoseconds() }
    while inFlight.count < window, let entry = outbox.take(into: &buffer) {
      guard let program = Program(rawValue: entry.origin) else {
        refuse(nil, entry.ticket, "a program that this version does not know", reason: 0)
        continue
      }
      do throws(RecordError) {
        let (record, envelope) = try record(entry)
        json.write(record, envelope)
        options.topics.name(record, of: program, &topic)
      } catch {
        // Checked when it came from its queue: the outbox itself would have to be damaged.
        refuse(program, entry.ticket, "the record \(error.description)", reason: 0)
        continue
      }
      do throws(BrokerConnection.PublishError) {
        let message = try connection.publish(
          topic.bytes, json.bytes, retain: false)
        inFlight.append(InFlight(message: message, ticket: entry.ticket, program: program))
        log.detail("published \(program.name), \(json.bytes.count) bytes")
      } catch {
        switch error {
        case .notTaken(let words): refuse(program, entry.ticket, words, reason: 0)
        case .connectionLost(let error): return lose(error)
        }
      }
    }
  }

  /// How many messages may be on their way at once.
  private var window: Int { min(options.window, connection?.receiveMaximum ?? 0) }

  /// A few acknowledgements need not wake the bridge: they are read when a record comes, or in 3 s. So a
  /// record a second is one wake-up a second.
  private var acknowledgementsMayWait: Bool {
    guard let connection, connection.isConnected, !isFinishing else { return false }
    return inFlight.count <= min(4, window / 2) && connection.interest == .reading
  }

  private mutating func readAcknowledgements() {
    acknowledgementDue = .max
    guard let connection, connection.isConnected else { return }
    do throws(BrokerError) { try connection.process(.reading) } catch { lose(error) }
    takeAcknowledgements()
  }

  mutating func takeAcknowledgements() {
    guard let connection, !connection.acknowledgements.isEmpty else { return }
    acknowledgedAt = monotonicNanoseconds()
    for acknowledgement in connection.acknowledgements {
      guard let index = inFlight.firstIndex(where: { $0.message == acknowledgement.message })
      else { continue }
      let entry = inFlight.remove(at: index)
      guard acknowledgement.reason >= 0x80 else {
        if let ticket = entry.ticket {
          outbox.acknowledge(ticket)
          status.published += 1
        } else {
          statusIsRefused = false
        }
        if let program = entry.program { refusals[Int(program.rawValue)] = 0 }
        continue
      }
      let words = BrokerConnection.words(of: acknowledgement.reason)
      if let ticket = entry.ticket, let program = entry.program {
        refuse(program, ticket, words, reason: acknowledgement.reason)
      } else {
        if !statusIsRefused {
          log.error("broker refused the status: \(words) (\(acknowledgement.reason))")
        }
        statusIsRefused = true
      }
    }
    connection.forgetAcknowledgements()
  }

  /// The broker will never take this record: it leaves the outbox, is counted and told.
  private mutating func refuse(
    _ program: Program?, _ ticket: Outbox.Ticket, _ words: Text, reason: Int32
  ) {
    outbox.acknowledge(ticket)
    status.refused += 1
    status.refusal = (words: words, reason: reason)
    let index = Int(program?.rawValue ?? 0)
    if refusals[index] != reason || reason == 0 && status.refused == 1 {
      log.error(
        "records of \(program?.name ?? "another version") are refused: \(words)\(reason == 0 ? "" : " (\(reason))")"
          + (reason == 135 ? "; the broker's access list must allow the topic" : ""))
      refusals[index] = reason
    }
    hurryStatus()
  }
}
