import CLinux
import Daemon
import Linux
import Records

enum Source: UInt32 { case changed, queue, pace, check, summary }

/// Reads the accounting files as they grow, as fast as the queue takes it.
///
/// The kernel tells of every write. While many processes end, that would be a wake-up each: so after
/// some were read, it waits for a timer instead, and reads many at once.
final class AccountingLoop {
  private enum Progress { case idle, more, blocked }
  private enum Waiting { case changes, timer, room }

  private let source: AccountingSource
  private let recorder: Recorder
  private var loop: ServiceLoop<Source>
  private let pace: Timer
  private let check: Timer
  private let summary: Timer
  private var waiting = Waiting.changes
  private var lastTold: UInt64 = 0
  private let checkInterval: UInt64
  private let summaryInterval: UInt64
  private var condition: AccountingCondition
  private var positionWritten = monotonicNanoseconds()
  private var positionFailed = false
  private let log: Log

  /// How long to let records gather while many come.
  private static let paceNanoseconds: UInt64 = 10_000_000
  /// Records closer together than this are many.
  private static let busyNanoseconds: UInt64 = 50_000_000
  private static let positionNanoseconds: UInt64 = 60_000_000_000
  /// How often own files are kept within bounds while nobody takes the records.
  private static let boundNanoseconds: UInt64 = 1_000_000_000

  init(
    _ source: AccountingSource, _ recorder: Recorder, _ options: PacctOptions, _ log: Log
  ) throws(SystemError) {
    let loop = try ServiceLoop<Source>()
    let pace = try Timer()
    let check = try Timer()
    let summary = try Timer()
    try loop.events.add(source.inotify.descriptor.raw, .changed)
    try loop.events.add(pace.descriptor.raw, .pace)
    try loop.events.add(check.descriptor.raw, .check)
    try loop.events.add(summary.descriptor.raw, .summary)
    if let queue = recorder.queueDescriptor { try loop.events.add(queue, .queue, []) }
    self.source = source
    self.recorder = recorder
    self.loop = loop
    self.pace = pace
    self.check = check
    self.summary = summary
    self.log = log
    checkInterval = options.checkInterval.nanoseconds
    summaryInterval = options.summaryInterval.nanoseconds
    condition = AccountingCondition(options)
  }

  /// Until it is time to end.
  func run() throws(SystemError) {
    try check.set(after: checkInterval, every: checkInterval)
    if summaryInterval > 0 { try summary.set(after: summaryInterval, every: summaryInterval) }
    loop.notifier.ready("\(condition.text)\(source.name)")
    try look()
    try step()
    log.detail("reading \(source.name)")
    while let ready = try loop.next() {
      switch ready.source {
      case .changed: try forgetChanges()
      case .pace:
        pace.expirations()
        try forgetChanges()
      case .queue: break
      case .check:
        check.expirations()
        try look()
      case .summary:
        summary.expirations()
        recorder.closeInterval()
      }
      try step()
    }
    try finish()
  }

  /// What changed is seen in the files; that something did is all that the events say.
  private func forgetChanges() throws(SystemError) {
    while try source.inotify.next() != nil {}
  }

  /// Tells what there is, then decides what to wait for.
  private func step() throws(SystemError) {
    let before = recorder.counts.recordsRead
    let progress = try work()
    let now = monotonicNanoseconds()
    if recorder.counts.recordsRead != before {
      if source.keepsPositionInMemory { keepPosition() }
      condition.recordsCame(source)
    }
    switch progress {
    case .blocked: try wait(for: .room)
    case .more:
      try wait(for: .timer)
      try pace.set(after: 1)
    case .idle:
      let isBusy = recorder.counts.recordsRead != before && now - lastTold < Self.busyNanoseconds
      try wait(for: isBusy ? .timer : .changes)
      if isBusy { try pace.set(after: Self.paceNanoseconds) }
    }
    if recorder.counts.recordsRead != before { lastTold = now }
  }

  /// A bounded number of reads, so that the watchdog is fed and signals are heard.
  private func work() throws(SystemError) -> Progress {
    var reads = 0
    while true {
      while let news = source.news.first {
        recorder.note(news, lost: source.recordsLost, condition.space(of: source))
        source.news.removeFirst()
      }
      guard try recorder.flush() else { return .blocked }
      while source.backlog.hasRecord {
        let next = source.backlog.next
        let record = next..<(next + ProcessExit.accountingRecordSize)
        let buffer = source.backlog.buffer
        guard try recorder.take(buffer.span.extracting(record)) else {
          return .blocked
        }
        source.backlog.consume()
      }
      if reads == 4 { return .more }
      switch try source.backlog.refill() {
      case .records: reads += 1
      case .replaced: source.fileWasReplaced()
      case .end:
        recorder.noteUnreadable()
        guard try recorder.flush() else { return .blocked }
        if try !source.endWasReached() && source.news.count == 0 { return .idle }
      }
    }
  }

  private func wait(for new: Waiting) throws(SystemError) {
    if new == waiting { return }
    let wasBlocked = waiting == .room
    waiting = new
    try loop.events.change(
      source.inotify.descriptor.raw, .changed, new == .changes ? .reading : [])
    if let queue = recorder.queueDescriptor, wasBlocked || new == .room {
      try loop.events.change(queue, .queue, new == .room ? .writing : [])
      let interval = new == .room ? min(checkInterval, Self.boundNanoseconds) : checkInterval
      try check.set(after: interval, every: interval)
    }
  }

  /// What is not seen by reading on: bounds, a full disk, accounting that was turned off.
  private func look() throws(SystemError) {
    try source.look()
    if let probe = try condition.look(source) {
      recorder.leaveOut(process: probe, parent: UInt32(getpid()))
    }
    if monotonicNanoseconds() - positionWritten >= Self.positionNanoseconds { keepPosition() }
    let status = Text("\(condition.text)\(source.name): records: \(recorder.counts.recordsRead)")
    loop.notifier.status("\(status), lost: \(source.recordsLost)")
  }

  /// That it cannot be kept, on a full disk perhaps, is no reason to tell nothing any more.
  private func keepPosition() {
    positionWritten = monotonicNanoseconds()
    do throws(SystemError) {
      try source.keepPosition()
      if !source.keepsPositionInMemory { try source.positions?.synchronize() }
      positionFailed = false
    } catch {
      if !positionFailed {
        log.warning("\(error.description): a restart may tell records twice")
      }
      positionFailed = true
    }
  }

  /// Tells what is there already; the files keep what the queue does not take.
  private func finish() throws(SystemError) {
    try source.stop()
    while try work() == .more {}
    keepPosition()
    recorder.closeInterval()
    try recorder.flushAtEnd()
    try recorder.announce(.stopped)
  }
}
