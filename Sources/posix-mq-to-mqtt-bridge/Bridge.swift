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
    let program: Program?
    var tickets: [Outbox.Ticket] = []
    let byteCount: Int
  }

  let options: BridgeOptions
  let log: Log
  var loop: ServiceLoop<Source>
  let timer: Timer
  private var timerDue = UInt64.max
  var queues: Queues
  let outbox: Outbox
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
  var bytesInFlight = 0
  /// Records that were taken from the outbox and wait for others of their program, by its number.
  var batches: [Batch]
  /// Lists that are not in use at present, so that none is made for each message.
  var spareTickets: [[Outbox.Ticket]] = []
  var backoff: Backoff
  var lastFailure = Text()
  /// The reason that was last logged, by the number of the program: the same refusal is told once.
  var refusals = [Int32](repeating: 0, count: Int(UInt8.max) + 1)
  var queuesAreRead = true
  private var pace = ReadingPace()

  var connectDue = UInt64.max
  var connectTimeoutDue = UInt64.max
  var keepAliveDue = UInt64.max
  var statusDue = UInt64.max
  var acknowledgementDue = UInt64.max
  var batchDue = UInt64.max
  var isFinishing = false
  /// When the broker last acknowledged something, or was last given something after a pause.
  var acknowledgedAt: UInt64 = 0

  var json = JSON()
  var payload: Payload
  var topic = TopicLevels()
  var buffer: [UInt8]
  var clock = RecordClock()
  var envelope: Envelope

  /// Errors: those of the queues, of mmap(2), epoll(7) and timerfd(2).
  init(_ options: BridgeOptions, _ log: Log) throws(SystemError) {
    let envelope = Envelope(bootID: try bootID(), clock: clock.read())
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
    payload = Payload(options.payload, deviceID: options.topics.deviceID.bytes.span)
    batches = (0...Program.highestNumber).map { _ in Batch() }
    inFlight.reserveCapacity(options.window)
    // So that the first burst allocates nothing either; a list for a batch grows with its first message.
    for _ in 0..<(options.batch == 1 ? min(options.window, 128) : 0) {
      var tickets: [Outbox.Ticket] = []
      tickets.reserveCapacity(1)
      spareTickets.append(tickets)
    }
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
    outbox.isUsed(percent: Spill.fullPercent) || !outbox.hasRoom(for: queues.messageSize)
  }

  var isDisconnected: Bool { connection?.isConnected != true }

  /// Does what is due, and sets the timer to what is due next.
  private mutating func attendToTime() throws(SystemError) {
    let now = monotonicNanoseconds()
    pace.look(
      waiting: isDisconnected ? nil : outbox.count - outbox.inFlight,
      acknowledged: status.published, now)
    if now >= connectDue { try connect(now) }
    if now >= connectTimeoutDue { loseForSilence() }
    if now >= keepAliveDue { keepAlive(now) }
    if now >= acknowledgementDue || now >= statusDue { readAcknowledgements() }
    if now >= statusDue {
      statusDue = now + options.statusInterval.nanoseconds
      publishStatus("online")
    }
    if now >= spillDue { spillWaiting() }
    if now >= batchDue { publishWaiting() }
    if inFlight.isEmpty || !acknowledgementsMayWait {
      acknowledgementDue = .max
    } else if acknowledgementDue == .max {
      acknowledgementDue = now + 3_000_000_000
    }
    // Two or three at a time: a fourth would make an array at each turn.
    let due = min(
      min(connectDue, connectTimeoutDue, acknowledgementDue),
      min(keepAliveDue, statusDue, spillDue), min(batchDue, pace.due))
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
  /// See also ``ReadingPace``.
  @inline(never)
  mutating func updateInterest() throws(SystemError) {
    if let connection, let socket = connection.socket {
      let wanted = acknowledgementsMayWait ? .hangUp : connection.interest
      if wanted != interest {
        interest = wanted
        try loop.events.change(socket, .broker, interest)
      }
    }
    let hasRoom =
      !pace.isPausing && !(queuesAreRead ? outboxIsFull : outbox.isUsed(percent: 75))
    let read = !isFinishing && (isDisconnected || hasRoom)
    if read != queuesAreRead {
      queuesAreRead = read
      for index in 0..<queues.count {
        try loop.events.change(queues.descriptor(index), .queue(index), read ? .reading : [])
      }
    }
  }

  // MARK: From the queues to the outbox

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
        outbox.memory.clearInbox()
      }
    }
    if noteworthy != queues.noteworthy { hurryStatus() }
    if lost == 0 && outbox.lost > 0 {
      log.warning("the outbox is full: the oldest samples are given up until the broker is back")
    }
  }
}
