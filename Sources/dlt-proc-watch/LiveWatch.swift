import CLinux
import Daemon
import Linux
import Records

/// Watches a dlt-daemon: connects, reads as fast as it can, connects anew when that ends.
///
/// It never sends anything: a control message would change what all other clients get. And it never
/// waits while it is connected: a client that does not read stops the daemon for everybody.
struct LiveWatch: ~Copyable {
  private enum Phase { case waiting, connecting, connected }

  private let options: WatchOptions
  private let once: Bool
  private let log: Log
  private var sender: RecordSender
  private var watch: ProcessWatch
  private var framer = MessageFramer(.connection)
  private var chunk = [UInt8](repeating: 0, count: 8192)
  private var backoff = Backoff(maximum: .seconds(30))
  private let timer: Timer

  private var phase = Phase.waiting
  private var socket: FileDescriptor?
  private var addresses: ArraySlice<DaemonAddress> = []
  /// What was announced last; nil: nothing yet.
  private var isRunning: Bool?
  /// Connected, but nothing came: only a message makes it running again.
  private var wasIdle = false
  private var lostAt: UInt64?
  private var lastMessageAt: UInt64 = 0
  private var lastProcessMessageAt: UInt64 = 0
  private var saysLimit = false

  init(
    _ options: WatchOptions, once: Bool, _ sender: consuming RecordSender, _ log: Log
  ) throws(SystemError) {
    let timer = try Timer()
    self.options = options
    self.once = once
    self.log = log
    self.sender = sender
    self.timer = timer
    watch = ProcessWatch(options.settings)
  }

  mutating func run() throws(SystemError) -> Int32 {
    var loop = try ServiceLoop<Source>()
    try loop.events.add(timer.descriptor.raw, .timer)
    let limit = try Timer()
    if once {
      try loop.events.add(limit.descriptor.raw, .limit)
      try limit.set(after: Self.onceLimit)
    }
    loop.notifier.ready("connecting to \(place)")
    try connect(loop.events)
    while let (source, _) = try loop.next() {
      switch source {
      case .socket:
        if phase == .connecting { try finishConnecting(loop.events) } else { try receive() }
      case .timer:
        timer.expirations()
        try timerFired(loop.events)
      case .limit:
        return unavailable(
          "\(place): no process was told twice within 8 s; is dlt-system running, with "
            + "LogProcessesEnable = 1 and LogProcessMode = 2?")
      case .queue: break
      }
      if once, try printed() { return 0 }
      if once, phase == .waiting, let failure { return unavailable(failure) }
      try sendReports()
    }
    try sender.announce(.stopped)
    return 0
  }

  private static var onceLimit: UInt64 { 8_000_000_000 }
  private static var connectLimit: UInt64 { 5_000_000_000 }
  private var failure: Text?

  private var place: Text {
    let isIPv6 = options.host.bytes.contains(UInt8(ascii: ":"))
    return isIPv6
      ? "[\(options.host)]:\(options.port)" : "\(options.host):\(options.port)"
  }

  private func unavailable(_ reason: Text) -> Int32 {
    log.error(reason)
    return EX_UNAVAILABLE
  }

  // MARK: Connecting

  private mutating func connect(_ events: borrowing EventLoop<Source>) throws(SystemError) {
    if addresses.isEmpty {
      do throws(ConnectionError) {
        addresses = try DaemonAddress.resolve(options.host, options.port)[...]
      } catch {
        try fail(error.reason)
        return
      }
    }
    guard let address = addresses.popFirst() else {
      try fail("\(options.host) has no address")
      return
    }
    do throws(SystemError) {
      let socket = try address.connect()
      try events.add(socket.raw, .socket, .writing)
      self.socket = consume socket
    } catch {
      try attemptFailed(error.errno, events)
      return
    }
    phase = .connecting
    try timer.set(after: Self.connectLimit)
  }

  private mutating func finishConnecting(
    _ events: borrowing EventLoop<Source>
  ) throws(SystemError) {
    var outcome: Int32 = ENOTCONN
    var raw: Int32 = -1
    switch socket {
    case .some(let socket):
      outcome = DaemonAddress.outcome(socket)
      raw = socket.raw
    case .none: break
    }
    guard outcome == 0 else {
      try attemptFailed(outcome, events)
      return
    }
    try events.change(raw, .socket, .reading)
    phase = .connected
    addresses = []
    lastMessageAt = monotonicNanoseconds()
    lastProcessMessageAt = lastMessageAt
    try timer.set(after: options.idle.nanoseconds)
    log.information("connected to \(place)")
    if let lostAt {
      var loss = DLTLoss(.connectionGap)
      loss.gapMilliseconds = (lastMessageAt - lostAt) / 1_000_000
      watch.report(loss, nil, nil)
    }
    lostAt = nil
    if !wasIdle { try announceRunning() }
  }

  /// Another address may answer; else it is tried again later.
  private mutating func attemptFailed(
    _ errno: Int32, _ events: borrowing EventLoop<Source>
  ) throws(SystemError) {
    socket = nil
    if !addresses.isEmpty {
      try connect(events)
      return
    }
    try fail(
      "no dlt-daemon at \(place) (apt install dlt-daemon there, or name its place with "
        + "--host and --port): \(Text(cString: strerror(errno)))")
  }

  /// Closes what there is, says why, and waits before it is tried again.
  private mutating func fail(_ reason: Text) throws(SystemError) {
    if phase == .connected {
      lostAt = monotonicNanoseconds()
      if framer.pendingBytes > 0 {
        var loss = DLTLoss(.truncated)
        loss.lostBytes = UInt64(framer.pendingBytes)
        watch.report(loss, nil, nil)
      }
    }
    socket = nil
    phase = .waiting
    framer.removeAll()
    addresses = []
    failure = reason
    let delay = backoff.next()
    try timer.set(after: delay)
    try announceUnavailable(reason)
    log.detail("\(reason); trying again in \(delay / 1_000_000) ms")
  }

  // MARK: What the bridge and the log are told

  private mutating func announceRunning() throws(SystemError) {
    wasIdle = false
    if isRunning == true { return }
    isRunning = true
    try sender.announce(.running)
  }

  private mutating func announceUnavailable(_ reason: Text) throws(SystemError) {
    if isRunning == false { return }
    isRunning = false
    if !once { log.warning("\(reason); trying again") }
    try sender.announce(.unavailable, reason)
  }

  // MARK: Receiving

  private mutating func timerFired(_ events: borrowing EventLoop<Source>) throws(SystemError) {
    switch phase {
    case .waiting: try connect(events)
    case .connecting: try attemptFailed(ETIMEDOUT, events)
    case .connected:
      let now = monotonicNanoseconds()
      let idle = options.idle
      if now - lastMessageAt >= idle.nanoseconds {
        wasIdle = true
        try fail("no message from \(place) for \(idle.description)")
      } else {
        if now - lastProcessMessageAt >= idle.nanoseconds {
          try announceUnavailable(
            "\(place) sends messages, but none of SYS/PROC for \(idle.description): "
              + "set LogProcessesEnable = 1 in dlt-system.conf")
        }
        try timer.set(after: max(1, lastMessageAt + idle.nanoseconds - now))
      }
    }
  }

  /// Takes what is there, some of it if there is much: SIGTERM and the watchdog have their turn.
  private mutating func receive() throws(SystemError) {
    for _ in 0..<16 {
      guard phase == .connected else { return }
      var raw: Int32 = -1
      switch socket {
      case .some(let socket): raw = socket.raw
      case .none: return
      }
      let count = recv(raw, &chunk, chunk.count, 0)
      if count > 0 {
        try take(count)
      } else if count == 0 {
        try fail("\(place) closed the connection")
      } else {
        let errno = clinux_errno()
        if errno == EAGAIN { return }
        if errno == EINTR { continue }
        try fail("connection to \(place): \(Text(cString: strerror(errno)))")
      }
    }
  }

  private mutating func take(_ count: Int) throws(SystemError) {
    let now = monotonicNanoseconds()
    framer.append(chunk, count)
    while true {
      switch framer.next() {
      case .needsMore: return
      case .broken:
        var loss = DLTLoss(.garbage)
        loss.lostBytes = UInt64(framer.pendingBytes)
        watch.report(loss, nil, nil)
        framer.removeAll()
        try fail("\(place) sends what is no DLT message")
        return
      case .message(let range, _):
        let before = watch.processMessageCount
        // A reference to the same bytes, let go of before the framer has more.
        let bytes = framer.bytes
        watch.take(bytes.span.extracting(range), arrival: now / 1_000_000_000)
        backoff.succeeded()
        lastMessageAt = now
        if watch.processMessageCount > before {
          lastProcessMessageAt = now
          try announceRunning()
        }
        if once, try printed() { return }
        if !once { try sendReports() }
      }
    }
  }

  private mutating func sendReports() throws(SystemError) {
    for index in watch.reports.indices {
      let outcome =
        switch watch.reports[index] {
        case .load(let body): try sender.send(body)
        case .lifecycle(let body): try sender.send(body)
        case .loss(let body): try sender.send(body)
        }
      if let warning = outcome.warning { log.warning(warning) }
    }
    watch.reports.removeAll(keepingCapacity: true)
    if watch.beyondLimitCount > 0 && !saysLimit {
      saysLimit = true
      log.warning(watch.limitWarning)
    }
  }

  private var hasPrinted = false

  /// Prints the first process whose load is known; true from then on.
  private mutating func printed() throws(SystemError) -> Bool {
    if hasPrinted { return true }
    for index in watch.reports.indices {
      if case .load(let body) = watch.reports[index], body.cpuTenThousandths != nil {
        _ = try sender.send(body)
        hasPrinted = true
        return true
      }
    }
    watch.reports.removeAll(keepingCapacity: true)
    return false
  }
}

extension ProcessWatch {
  var limitWarning: Text {
    "more than \(settings.limit) processes: the others are left out; see --limit"
  }
}
