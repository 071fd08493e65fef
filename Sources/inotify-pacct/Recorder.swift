import Daemon
import Linux
import Records

/// Makes records of what stands in accounting files and offers them to the queue.
///
/// A file keeps what the queue does not take: nothing is dropped, it is offered again.
final class Recorder {
  private var sender: RecordSender
  private let log: Log
  private let filter: Filter
  private let tellsEach: Bool
  /// What the accounting is known by.
  private let name: Text
  private var summaries: SummaryTable?
  private var intervalStart = monotonicNanoseconds()
  private var intervalMilliseconds: UInt64 = 0
  /// The next row of the closed interval that is to be sent; nil: the interval is open.
  private var nextRow: Int?
  private var pending = Happenings()
  /// What every ``AccountingState`` tells beside the state.
  private(set) var counts = AccountingState()
  /// The process that ended to find out whether accounting is on, and its parent.
  private var probe: (process: UInt32, parent: UInt32) = (0, 0)
  private var previous = ProcessExit()
  private var unreadableLogged: UInt64 = 0

  init(_ sender: consuming RecordSender, _ log: Log, _ options: PacctOptions, name: Text) {
    self.sender = sender
    self.log = log
    self.name = name
    filter = options.filter
    tellsEach = !options.summaryOnly
    summaries = options.summaryInterval.nanoseconds > 0 ? SummaryTable() : nil
    counts.path = FixedText(name.bytes.span)
  }

  var queueDescriptor: Int32? { sender.queueDescriptor }

  func announce(_ state: SourceState.State, _ reason: Text = "") throws(SystemError) {
    try sender.announce(state, reason)
  }

  /// The end of this child of ours is no news.
  func leaveOut(process: UInt32, parent: UInt32) {
    probe = (process, parent)
  }

  /// Takes one accounting record; false: the queue is full, give it again.
  func take(_ bytes: Span<UInt8>) throws(SystemError) -> Bool {
    let exit: ProcessExit
    do throws(AccountingRecordError) {
      exit = try ProcessExit(parsing: bytes)
    } catch {
      counts.recordsRead += 1
      switch error {
      case .unsupportedVersion: counts.recordsUnsupported += 1
      case .notARecord: counts.recordsInvalid += 1
      case .callerOfAcct: log.detail("left out what acct(2) writes for its caller")
      }
      return true
    }
    if isProbe(exit) || isRepeated(exit) {
      counts.recordsRead += 1
      return true
    }
    if tellsEach && filter.passes(exit) {
      guard try sender.offer(exit) else { return false }
      log.detail("told of the end of process \(UInt64(exit.processID))")
    }
    counts.recordsRead += 1
    summaries?.add(exit)
    previous = exit
    return true
  }

  private func isProbe(_ exit: ProcessExit) -> Bool {
    guard exit.processID == probe.process, exit.parentID == probe.parent, exit.forkedWithoutExec
    else { return false }
    probe = (0, 0)
    return true
  }

  /// Whether the kernel tells of the same end twice in succession: it does where the end of a
  /// process takes the mount of the accounting file with it, and so turns accounting off.
  private func isRepeated(_ exit: ProcessExit) -> Bool {
    exit.processID == previous.processID && exit.parentID == previous.parentID
      && exit.exitCode == previous.exitCode && exit.signal == previous.signal
      && exit.startSeconds &- previous.startSeconds &+ 1 <= 2 && exit.command == previous.command
  }

  // MARK: What else is to be told

  /// Notes what happened to accounting itself; it is told before the next record.
  func note(_ state: AccountingState.State, lost: UInt64, _ space: FreeSpace?) {
    counts.recordsLost = lost
    counts.freeBytes = space?.freeBytes
    counts.totalBytes = space?.totalBytes
    pending.append(state)
    let words = state.words
    if words.isWarning {
      log.warning("\(name)\(words.text)")
    } else {
      log.information("\(name)\(words.text)")
    }
  }

  /// Logs how many records could not be read, whenever there are ten times as many as before, and
  /// with `all` if there are more.
  func noteUnreadable(all: Bool = false) {
    let count = counts.recordsUnsupported + counts.recordsInvalid
    guard count > unreadableLogged, all || unreadableLogged == 0 || count / 10 >= unreadableLogged
    else { return }
    if unreadableLogged == 0 { pending.append(.unreadable) }
    unreadableLogged = count
    var line = Text(
      "\(name): records of version 0 to 2, which are not read: \(counts.recordsUnsupported)")
    line = Text("\(line); not accounting records at all: \(counts.recordsInvalid)")
    log.warning(line)
  }

  /// Ends the interval of the summaries; one that has not been sent yet becomes longer.
  func closeInterval() {
    guard summaries != nil, nextRow == nil else { return }
    let now = monotonicNanoseconds()
    intervalMilliseconds = (now - intervalStart) / 1_000_000
    intervalStart = now
    nextRow = 0
  }

  /// Sends what is to be told before the next record; false: the queue is full.
  func flush() throws(SystemError) -> Bool {
    while let state = pending.first {
      counts.state = state
      guard try sender.offer(counts) else { return false }
      pending.removeFirst()
    }
    while let row = nextRow, let summaries, row < summaries.count {
      var summary = summaries[row]
      summary.intervalMilliseconds = intervalMilliseconds
      guard try sender.offer(summary) else { return false }
      nextRow = row + 1
    }
    if nextRow != nil {
      summaries?.removeAll()
      nextRow = nil
    }
    return true
  }

  /// Sends at the end what is to be told. What finds no room, and is kept by no file, counts as dropped.
  func flushAtEnd() throws(SystemError) {
    noteUnreadable(all: true)
    let begin = monotonicNanoseconds()
    while try !flush() {
      if sender.waitsForRoom(sinceEnd: begin) { continue }
      let summaryCount = summaries.map { $0.count - (nextRow ?? $0.count) } ?? 0
      sender.giveUp(pending.count + summaryCount)
      guard summaryCount > 0 else { return }
      log.warning("\(name): the queue is full: summaries that are lost: \(summaryCount)")
      return
    }
  }
}

extension AccountingState.State {
  /// What a log says of it behind the name.
  fileprivate var words: (text: StaticString, isWarning: Bool) {
    switch self {
    case .unknown: (": unknown", true)
    case .on: (": records come", false)
    case .off: (": a process left no record: accounting was turned off or goes elsewhere", true)
    case .suspended: (": accounting is suspended by the kernel: the file system is full", true)
    case .resumed: (": records come again, accounting goes on", false)
    case .rotated: (": another file was put there", false)
    case .truncated: (": was truncated, reading from its start", true)
    case .missing: (": is not there any more", true)
    case .lost: (": records are lost, of a file that is gone or that nobody took in time", true)
    case .unreadable: (": holds what is not read", true)
    }
  }
}
