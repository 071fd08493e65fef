import CLinux
import Daemon
import Linux
import Records

/// Replays a trace with storage headers through the code that reads a daemon's messages.
///
/// The file keeps what is not taken, so a full queue is waited for, and nothing is lost.
struct Replay: ~Copyable {
  private let options: WatchOptions
  private let path: Text
  private let once: Bool
  private let log: Log
  private var sender: RecordSender
  private var loop: ServiceLoop<Source>
  private let timer: Timer
  private var watch: ProcessWatch
  private var framer = MessageFramer(.file)
  private var pace: Pace
  private var skippedBefore: UInt64 = 0

  init(
    _ options: WatchOptions, _ path: Text, once: Bool, _ sender: consuming RecordSender,
    _ log: Log
  ) throws(SystemError) {
    let loop = try ServiceLoop<Source>()
    let timer = try Timer()
    try loop.events.add(timer.descriptor.raw, .timer)
    if let queue = sender.queueDescriptor { try loop.events.add(queue, .queue, []) }
    self.options = options
    self.path = path
    self.once = once
    self.log = log
    self.sender = sender
    self.loop = loop
    self.timer = timer
    watch = ProcessWatch(options.settings)
    pace = Pace(speed: UInt64(options.speed))
  }

  mutating func run() throws(SystemError) -> Int32 {
    var opened: FileDescriptor?
    do throws(SystemError) {
      opened = try FileDescriptor.open(path)
    } catch {
      log.error(error.description)
      try sender.announce(.unavailable, error.description)
      return EX_UNAVAILABLE
    }
    guard let file = opened.take() else { return EX_UNAVAILABLE }
    try sender.announce(.running)
    loop.notifier.ready("replaying \(path)")
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = read(file.raw, &chunk, chunk.count)
      if count < 0 {
        let errno = clinux_errno()
        if errno == EINTR { continue }
        throw SystemError("read", errno: errno, path)
      }
      framer.append(chunk, count)
      if let status = try takeMessages(isEnd: count == 0) { return status }
      if count == 0 { return try end() }
    }
  }

  /// nil: go on.
  private mutating func takeMessages(isEnd: Bool) throws(SystemError) -> Int32? {
    while true {
      let step = framer.next(isEnd: isEnd)
      reportSkipped()
      guard case .message(let range, let header) = step else {
        if isEnd && framer.truncatedBytes > 0 {
          var loss = DLTLoss(.truncated)
          loss.lostBytes = framer.truncatedBytes
          watch.report(loss, nil, nil)
        }
        return try sendReports() ? nil : stopped()
      }
      // A reference to the same bytes, let go of before the framer has more.
      let bytes = framer.bytes
      let timestamp = DLTMessage(parsing: bytes.span.extracting(range))?.timestamp
      let delay = pace.delay(to: timestamp, now: monotonicNanoseconds())
      // Even without waiting, SIGTERM and the watchdog have their turn.
      if delay > 0 || watch.messageCount % 1024 == 1023 {
        if try !wait(delay) { return try stopped() }
      }
      watch.take(
        bytes.span.extracting(range), ecu: header?.ecu,
        arrival: UInt64(header?.seconds ?? 0))
      if once {
        for report in watch.reports {
          if case .load(let body) = report, body.cpuTenThousandths != nil {
            _ = try sender.send(body)
            return 0
          }
        }
        watch.reports.removeAll(keepingCapacity: true)
      } else if try !sendReports() {
        return try stopped()
      }
    }
  }

  private mutating func reportSkipped() {
    guard framer.skippedBytes > skippedBefore else { return }
    var loss = DLTLoss(.garbage)
    loss.lostBytes = framer.skippedBytes - skippedBefore
    skippedBefore = framer.skippedBytes
    watch.report(loss, nil, nil)
  }

  private mutating func end() throws(SystemError) -> Int32 {
    if framer.truncatedBytes > 0 {
      log.warning("\(path) ends within a message: \(framer.truncatedBytes) bytes")
    }
    if framer.skippedBytes > 0 {
      log.warning("\(path): \(framer.skippedBytes) bytes belong to no message")
    }
    if watch.beyondLimitCount > 0 { log.warning(watch.limitWarning) }
    guard watch.processMessageCount > 0, !once else {
      let reason: Text =
        watch.processMessageCount > 0
        ? "\(path): no watched process was told twice"
        : "\(path): no message of SYS/PROC among \(watch.messageCount) messages"
      log.error(reason)
      try sender.announce(.unavailable, reason)
      return EX_UNAVAILABLE
    }
    log.information(
      "\(path): \(watch.messageCount) messages, \(watch.processMessageCount) of SYS/PROC")
    return try stopped()
  }

  private mutating func stopped() throws(SystemError) -> Int32 {
    try sender.announce(.stopped)
    return 0
  }

  // MARK: Waiting; false when it is time to end

  private mutating func wait(_ nanoseconds: UInt64) throws(SystemError) -> Bool {
    try timer.set(after: max(1, nanoseconds))
    while let (source, _) = try loop.next() {
      guard source == .timer else { continue }
      timer.expirations()
      return true
    }
    return false
  }

  private mutating func sendReports() throws(SystemError) -> Bool {
    for index in watch.reports.indices {
      while try !offer(watch.reports[index]) {
        if try !waitForQueue() { return false }
      }
    }
    watch.reports.removeAll(keepingCapacity: true)
    return true
  }

  private mutating func offer(_ report: Report) throws(SystemError) -> Bool {
    switch report {
    case .load(let body): try sender.offer(body)
    case .lifecycle(let body): try sender.offer(body)
    case .loss(let body): try sender.offer(body)
    }
  }

  private mutating func waitForQueue() throws(SystemError) -> Bool {
    guard let queue = sender.queueDescriptor else { return true }
    try loop.events.change(queue, .queue, .writing)
    while let (source, _) = try loop.next() {
      guard source == .queue else { continue }
      try loop.events.change(queue, .queue, [])
      return true
    }
    return false
  }
}
