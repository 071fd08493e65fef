import Daemon
import Linux
import Records

/// All programs that run, and the way of what they find into the queue.
///
/// A full queue is waited for and nothing is dropped: events wait in the kernel's ring buffers, whose
/// programs count what finds no room, and aggregations tell the difference once there is room.
final class Tracing {
  private let programs: [TraceProgram]
  private var sender: RecordSender
  private let log: Log
  /// What could not be run, and why.
  let refusals: [Text]
  /// The queue is full; go on when it has room.
  private(set) var isBlocked = false
  /// The program whose turn it is: who was held up goes first.
  private var turn = 0
  private var recordsSent = 0
  private var hasToldLoss = false

  /// Starts what it can of the programs, and logs what it cannot.
  init(_ options: TraceOptions, _ sender: consuming RecordSender, _ log: Log) {
    var programs: [TraceProgram] = []
    var refusals: [Text] = []
    for name in options.programs {
      do throws(ProgramRefusal) {
        programs.append(try Self.start(name, options, log))
      } catch {
        log.error(error.description)
        refusals.append(error.description)
      }
    }
    self.programs = programs
    self.refusals = refusals
    self.sender = sender
    self.log = log
  }

  private static func start(
    _ asked: Text, _ options: TraceOptions, _ log: Log
  ) throws(ProgramRefusal) -> TraceProgram {
    guard asked.ends(with: ".bt") else {
      return try ObjectProgram.start(asked, folder: options.folder)
    }
    let isPath = asked.bytes.contains(UInt8(ascii: "/"))
    return try TraceScript.start(isPath ? asked : "\(options.folder)/\(asked)", log)
  }

  var runsAny: Bool { !programs.isEmpty }

  /// `runs execs, oom-kills`, for the service manager's status.
  var status: Text {
    var text: Text = "runs"
    for (index, program) in programs.enumerated() {
      text += "\(index == 0 ? " " : ", ")\(program.name)"
    }
    if !refusals.isEmpty { text += "; not running: \(refusals.count), see the log" }
    return text
  }

  /// Tells the bridge; the first of the refusals is the reason of a state that is not what was asked for.
  func announce(_ state: SourceState.State) throws(SystemError) {
    let isReason = state != .stopped
    var reason: Text = refusals.first ?? ""
    for program in programs where reason.isEmpty { reason = program.obstacle ?? "" }
    try sender.announce(state, isReason ? reason : "")
  }

  func start(_ events: borrowing EventLoop<TraceSource>) throws(SystemError) {
    for (index, program) in programs.enumerated() { try program.watch(events, index, .reading) }
    if let queue = sender.queueDescriptor { try events.add(queue, .queue, []) }
  }

  /// Takes what a program has beside its records and counts: a script that died or was started again.
  func take(
    _ source: TraceSource, _ events: borrowing EventLoop<TraceSource>
  ) throws(SystemError) {
    guard let (index, stream) = source.program, isBlocked || stream != .records else { return }
    let program = programs[index]
    let before = program.obstacle
    if program.take(stream) { try program.watch(events, index, isBlocked ? [] : .reading) }
    if program.obstacle != before { try announce(.running) }
  }

  /// Reads what is counted: an interval is over.
  func read() {
    let now = monotonicNanoseconds()
    for program in programs { program.read(at: now, queueIsFull: isBlocked) }
  }

  /// Tells all there is, or as much as the queue takes; then waits for whatever comes first.
  func tell(_ events: borrowing EventLoop<TraceSource>) throws(SystemError) {
    let wasBlocked = isBlocked
    try tell()
    guard isBlocked != wasBlocked, let queue = sender.queueDescriptor else { return }
    if isBlocked { log.detail("the queue is full: the programs' maps and buffers keep what comes") }
    try events.change(queue, .queue, isBlocked ? .writing : [])
    // What waits would be told again and again.
    for (index, program) in programs.enumerated() {
      guard let descriptor = program.descriptor else { continue }
      try events.change(descriptor, .program(index, .records), isBlocked ? [] : .reading)
    }
  }

  /// The last interval, which may be a short one. Returns how many records there were in all.
  func finish() throws(SystemError) -> Int {
    for program in programs { program.finish() }
    let begin = monotonicNanoseconds()
    let deadline = begin + TraceScript.endNanoseconds
    read()
    var (hasMore, isTaken) = (false, true)
    repeat {
      let before = recordsSent
      hasMore = false
      for program in programs where program.waitForMore(until: deadline) { hasMore = true }
      try tell()
      if isBlocked && isTaken {
        isTaken = sender.waitsForRoom(sinceEnd: begin)
        if isTaken { hasMore = true }
      } else if recordsSent > before && !isBlocked {
        hasMore = true
      }
    } while hasMore
    if isBlocked {
      let untold = programs.reduce(0) { $0 + $1.giveUp() }
      sender.giveUp(untold)
      log.warning("the queue is full at the end: the last \(untold) records are not told")
    }
    return recordsSent
  }

  private func tell() throws(SystemError) {
    isBlocked = false
    for _ in programs {
      guard try tell(programs[turn]) else {
        isBlocked = true
        return
      }
      turn = (turn + 1) % programs.count
    }
  }

  /// False where the queue is full. Of events only so many are told as come at once.
  private func tell(_ program: TraceProgram) throws(SystemError) -> Bool {
    var room = 64
    while let event = program.pendingEvent(takingMore: room > 0) {
      guard try offer(event) else { return false }
      program.settleEvent()
      room -= 1
    }
    if let loss = program.pendingLoss() {
      guard try offer(loss) else { return false }
      program.settleLoss()
      if !hasToldLoss {
        log.warning("\(program.name): \(loss.lostCount) records or counts found no room")
      }
      hasToldLoss = true
    }
    for aggregation in program.aggregations {
      while let place = aggregation.pending() {
        let isTaken =
          switch aggregation.kind {
          case .count, .sum: try offer(aggregation.value(of: place, program.name))
          case .quantize: try offer(aggregation.histogram(of: place, program.name))
          }
        guard isTaken else { return false }
        aggregation.settle(place)
      }
    }
    return true
  }

  private func offer<Body: RecordBody>(_ body: Body) throws(SystemError) -> Bool {
    guard try sender.offer(body) else { return false }
    recordsSent += 1
    log.detail("one record \(Body.kind.constantName)")
    return true
  }
}

/// What the event loop waits for.
struct TraceSource: RawRepresentable, Equatable {
  let rawValue: UInt32

  static let timer = TraceSource(rawValue: 0)
  static let queue = TraceSource(rawValue: 1)

  enum Stream: UInt32 {
    case records
    /// What a script's bpftrace complains of.
    case errors
    /// A script ends, or is to be started again.
    case alarm
  }

  static func program(_ index: Int, _ stream: Stream) -> TraceSource {
    TraceSource(rawValue: 2 + 3 * UInt32(index) + stream.rawValue)
  }

  var program: (index: Int, stream: Stream)? {
    guard rawValue >= 2, let stream = Stream(rawValue: (rawValue - 2) % 3) else { return nil }
    return (Int(rawValue - 2) / 3, stream)
  }
}
