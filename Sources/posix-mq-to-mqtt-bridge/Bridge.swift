import CLinux
import Daemon
import Linux
import Records

/// Takes records from the queues, keeps them in the outbox until the broker has them.
struct Bridge: ~Copyable {
  enum Source: RawRepresentable {
    case broker, timer
    case queue(Int)

    init?(rawValue: UInt32) {
      switch rawValue {
      case 0: self = .broker
      case 1: self = .timer
      default: self = .queue(Int(rawValue) - 2)
      }
    }

    var rawValue: UInt32 {
      switch self {
      case .broker: 0
      case .timer: 1
      case .queue(let index): UInt32(index) + 2
      }
    }
  }

  private struct InFlight {
    let message: Int32
    /// nil: the status.
    let ticket: Outbox.Ticket?
    let program: Program?
  }

  let options: BridgeOptions
  let log: Log
  var loop: ServiceLoop<Source>
  private let timer: Timer
  private var timerDue = UInt64.max
  var queues: Queues
  var outbox: Outbox
  /// Where records go that the outbox shall not hold any longer; nil: nowhere.
  var spill: Spill?
  var spillDue = UInt64.max
  /// The last thing that went wrong with the spill: the same is told once.
  var spillTrouble = Text()
  var status = BridgeStatus()

  var connection: BrokerConnection?
  private var interest: Readiness = []
  private var inFlight: [InFlight] = []
  private var backoff: Backoff
  private var lastFailure = Text()
  /// The reason that was last logged, by the number of the program: the same refusal is told once.
  private var refusals = [Int32](repeating: 0, count: Int(UInt8.max) + 1)
  private var queuesAreRead = true

  private var connectDue = UInt64.max
  private var connectTimeoutDue = UInt64.max
  private var keepAliveDue = UInt64.max
  private var statusDue = UInt64.max

  private var json = JSON()
  private var topics: Topics
  private var topic: [CChar] = []
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
    try loop.events.add(timer.descriptor.raw, .timer)
    for index in 0..<queues.count { try loop.events.add(queues.descriptor(index), .queue(index)) }
    buffer = [UInt8](
      repeating: 0,
      count: max(queues.messageSize, outbox.memory.inboxSize) + BootStamp.encodedSize)
    topics = options.topics
    self.options = options
    self.log = log
    self.loop = loop
    self.timer = timer
    self.queues = queues
    self.outbox = outbox
    self.spill = spill
    backoff = Backoff(maximum: options.reconnectMaximum)
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
    case .queue(let index): try drain(index)
    case .broker:
      do throws(BrokerError) { try connection?.process(readiness) } catch { lose(error) }
    case .timer: timer.expirations()
    }
    takeAcknowledgements()
    welcome()
    publishWaiting()
    try attendToTime()
    try updateInterest()
  }

  /// Does what is due, and sets the timer to what is due next.
  private mutating func attendToTime() throws(SystemError) {
    let now = monotonicNanoseconds()
    if now >= connectDue { try connect(now) }
    if now >= connectTimeoutDue {
      lose(BrokerError("no answer for \(options.connectTimeout.description)"))
    }
    if now >= keepAliveDue {
      keepAliveDue = now + options.broker.keepAlive.nanoseconds / 4
      do throws(BrokerError) { try connection?.keepAlive() } catch { lose(error) }
    }
    if now >= statusDue {
      statusDue = now + options.statusInterval.nanoseconds
      publishStatus("online")
    }
    if now >= spillDue { spillWaiting() }
    let due = min(min(connectDue, connectTimeoutDue), min(keepAliveDue, statusDue, spillDue))
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
  private mutating func updateInterest() throws(SystemError) {
    if let connection, let socket = connection.socket, connection.interest != interest {
      interest = connection.interest
      try loop.events.change(socket, .broker, interest)
    }
    let limit = queuesAreRead ? 75 : 50
    let read = connection?.isConnected != true || outbox.usedPercent < limit
    if read != queuesAreRead {
      queuesAreRead = read
      for index in 0..<queues.count {
        try loop.events.change(queues.descriptor(index), .queue(index), read ? .reading : [])
      }
    }
  }

  // MARK: From the queues to the broker

  private mutating func drain(_ index: Int) throws(SystemError) {
    let (noteworthy, lost) = (queues.noteworthy, outbox.lost)
    // A bound, so that a flood in one queue cannot starve the others or the connection.
    drain: for _ in 0..<64 {
      switch try queues.receive(index, into: &buffer, through: outbox, log) {
      case .none: break drain
      case .skipped: outbox.memory.clearInbox()
      case .record(let length, let priority):
        outbox.append(buffer, length, origin: UInt8(index), priority)
        outbox.memory.clearInbox()
      }
    }
    if connection?.isConnected != true && outbox.usedPercent >= 75 { spillBeforeItIsFull() }
    if noteworthy != queues.noteworthy { hurryStatus() }
    if lost == 0 && outbox.lost > 0 {
      log.warning("the outbox is full: the oldest samples are given up until the broker is back")
    }
  }

  private mutating func publishWaiting() {
    guard let connection, connection.isConnected else { return }
    let window = min(options.window, connection.receiveMaximum)
    guard inFlight.count < window else { return }
    refill(window)
    guard outbox.count > outbox.inFlight else { return }
    envelope.clock = readClock()
    while inFlight.count < window, let entry = outbox.take(into: &buffer) {
      let program = queues.program(Int(entry.origin))
      do throws(RecordError) {
        let (record, envelope) = try record(entry)
        json.write(record, envelope)
        topics.name(record, of: program, &topic)
      } catch {
        // Checked when it came from its queue: the outbox itself would have to be damaged.
        refuse(program, entry.ticket, "the record \(error.description)", reason: 0)
        continue
      }
      do throws(BrokerConnection.PublishError) {
        let message = try connection.publish(
          topic, json.bytes, retain: false)
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

  private mutating func takeAcknowledgements() {
    guard let connection else { return }
    for acknowledgement in connection.acknowledgements {
      guard let index = inFlight.firstIndex(where: { $0.message == acknowledgement.message })
      else { continue }
      let entry = inFlight.remove(at: index)
      guard acknowledgement.reason >= 0x80 else {
        if let ticket = entry.ticket {
          outbox.acknowledge(ticket)
          status.published += 1
        }
        if let program = entry.program { refusals[Int(program.rawValue)] = 0 }
        continue
      }
      let words = BrokerConnection.words(of: acknowledgement.reason)
      if let ticket = entry.ticket, let program = entry.program {
        refuse(program, ticket, words, reason: acknowledgement.reason)
      } else {
        log.error("broker refused the status: \(words) (\(acknowledgement.reason))")
      }
    }
    connection.forgetAcknowledgements()
  }

  /// The broker will never take this record: it leaves the outbox, is counted and told.
  private mutating func refuse(
    _ program: Program, _ ticket: Outbox.Ticket, _ words: Text, reason: Int32
  ) {
    outbox.acknowledge(ticket)
    status.refused += 1
    status.refusal = (words: words, reason: reason)
    let index = Int(program.rawValue)
    if refusals[index] != reason || reason == 0 && status.refused == 1 {
      log.error(
        "records of \(program.name) are refused: \(words)\(reason == 0 ? "" : " (\(reason))")"
          + (reason == 135 ? "; the broker's access list must allow the topic" : ""))
      refusals[index] = reason
    }
    hurryStatus()
  }

  // MARK: The connection

  private mutating func connect(_ now: UInt64) throws(SystemError) {
    connectDue = .max
    do throws(BrokerError) {
      let connection = try BrokerConnection(
        options.broker, clientID: "stats-recording-\(options.topics.deviceID)",
        will: (topic: options.topics.status, payload: BridgeStatus.will),
        messageExpirySeconds: UInt32(options.messageExpiry.nanoseconds / 1_000_000_000),
        attempt: backoff.attempts)
      connectTimeoutDue = now + options.connectTimeout.nanoseconds
      self.connection = connection
    } catch {
      return lose(error)
    }
    guard let connection, let socket = connection.socket else { return }
    interest = connection.interest
    try loop.events.add(socket, .broker, interest)
  }

  /// Notices that the broker has answered, once.
  private mutating func welcome() {
    guard let connection, connection.isConnected, connectTimeoutDue != .max else { return }
    (connectTimeoutDue, spillDue) = (.max, .max)
    status.connections += 1
    let attempts = backoff.attempts
    backoff.succeeded()
    lastFailure = ""
    let now = monotonicNanoseconds()
    keepAliveDue = now + options.broker.keepAlive.nanoseconds / 4
    statusDue = now
    log.information(
      "connected to \(options.broker.address) as \(options.topics.deviceID)"
        + (attempts == 0 ? "" : " after \(attempts + 1) attempts")
        + (outbox.count == 0 ? "" : ", \(outbox.count) records wait"))
    loop.notifier.status("connected to \(options.broker.address)")
  }

  /// The connection is gone, or none came to be: everything in flight waits again.
  private mutating func lose(_ error: BrokerError) {
    connection = nil
    inFlight.removeAll(keepingCapacity: true)
    outbox.returnInFlight()
    (connectTimeoutDue, keepAliveDue, statusDue) = (.max, .max, .max)
    if spillDue == .max { spillDue = monotonicNanoseconds() + options.spillAfter.nanoseconds }
    let delay = backoff.next()
    connectDue = monotonicNanoseconds() + delay
    // The same reason again is not news, until it has lasted.
    if lastFailure != error.description || backoff.attempts % 20 == 0 {
      lastFailure = error.description
      log.warning(
        "broker \(options.broker.address): \(error.description); trying again, "
          + "first in \(Interval(nanoseconds: delay / 1_000_000 * 1_000_000).description)")
    }
    loop.notifier.status("no connection to \(options.broker.address): \(error.description)")
  }

  // MARK: The status

  private mutating func publishStatus(_ state: StaticString) {
    guard let connection, connection.isConnected else { return }
    envelope.clock = readClock()
    noteSpill()
    status.write(state, queues: queues, outbox: outbox, envelope, into: &json)
    do throws(BrokerConnection.PublishError) {
      let message = try connection.publish(
        options.topics.status, json.bytes, retain: true)
      inFlight.append(InFlight(message: message, ticket: nil, program: nil))
    } catch {
      switch error {
      case .notTaken(let words): log.error("the status cannot be published: \(words)")
      case .connectionLost(let error): lose(error)
      }
    }
  }

  /// Something was lost: the status says so within a second.
  private mutating func hurryStatus() {
    guard statusDue != .max else { return }
    statusDue = min(statusDue, monotonicNanoseconds() + 1_000_000_000)
  }

  // MARK: The end

  /// Publishes what waits, says that it stops, and leaves; a few seconds at most.
  private mutating func finish() throws(SystemError) {
    let deadline = monotonicNanoseconds() + 5_000_000_000
    for index in 0..<queues.count {
      try drain(index)
      try loop.events.change(queues.descriptor(index), .queue(index), [])
    }
    queuesAreRead = false
    // What is on disk already can stay there.
    try work(until: deadline) { $0.count(.samples) + $0.count(.events) == 0 }
    publishStatus("offline")
    try work(until: monotonicNanoseconds() + 2_000_000_000) { _ in true }
    connection?.disconnect()
    connection = nil
    outbox.returnInFlight()
    let spilled = outbox.count > 0 ? spillWaiting() : 0
    log.information(
      """
      stopped: \(status.published) records published, \(outbox.count) left in the outbox\
      \(spilled == 0 ? "" : ", \(spilled) on disk")
      """)
  }

  /// Goes on with the connection until nothing is in flight and `done`, or the time is over.
  private mutating func work(
    until deadline: UInt64, _ done: (borrowing Outbox) -> Bool
  ) throws(SystemError) {
    publishWaiting()
    while let connection, connection.isConnected, !(inFlight.isEmpty && done(outbox)) {
      let now = monotonicNanoseconds()
      guard now < deadline else { return }
      try updateInterest()
      guard
        case .ready(let source, let readiness) = try loop.events.next(
          milliseconds: Int32(clamping: (deadline - now) / 1_000_000 + 1))
      else { return }
      guard case .broker = source else {
        timer.expirations()
        continue
      }
      do throws(BrokerError) { try connection.process(readiness) } catch { lose(error) }
      takeAcknowledgements()
      publishWaiting()
    }
  }
}
