import CLinux
import CSystemd
import Daemon
import Linux
import Records

/// The queues of all programs, open for reading, and what was found in them.
struct Queues: ~Copyable {
  /// One for each case of `Program`, in that order; a queue that could not be opened is absent.
  private let queues: [OwnedQueue]
  /// As long as the longest message that one of them takes.
  let messageSize: Int
  /// Messages that were records of their program.
  private(set) var received: UInt64 = 0
  /// Messages that no program of ours sent into this queue.
  private(set) var invalid: UInt64 = 0
  /// Records of a kind that this version does not know.
  private(set) var unknown: UInt64 = 0

  private var stateChanges: UInt64 = 0
  /// Grows with everything that the status should tell soon.
  var noteworthy: UInt64 { invalid + unknown + stateChanges }

  /// An array cannot hold what cannot be copied.
  private final class OwnedQueue {
    let program: Program
    let queue: MessageQueue
    /// When a line about strange messages was last logged.
    var complainedNanoseconds: UInt64?
    var complaintsSince: UInt64 = 0
    /// What the program last said of itself; nil as long as nothing came from it.
    var state: SourceState? { didSet { hasState = true } }
    /// Asked for each record: to look at the state itself takes 700 instructions.
    private(set) var hasState = false

    init(_ program: Program, _ queue: consuming MessageQueue) {
      self.program = program
      self.queue = queue
    }
  }

  /// Takes the queues that systemd hands over, and opens or makes the others.
  ///
  /// Errors: those of mq_open(3), and EWOULDBLOCK if another bridge reads one of them.
  init(prefix: Text) throws(SystemError) {
    let handed = Self.handedOver(prefix)
    var queues: [OwnedQueue] = []
    var size = RecordHeader.maximumRecordSize
    for program in Program.allCases {
      let name = Text("\(prefix)\(program.name)")
      let inherited = handed.first { $0.program.rawValue == program.rawValue }
      let queue =
        if let inherited { try MessageQueue(owning: inherited.descriptor, name) } else {
          try MessageQueue.open(
            name, .receiving, depth: RecordSender.queueDepth,
            messageSize: RecordHeader.maximumRecordSize)
        }
      try queue.lock(name)
      size = max(size, queue.messageSize)
      queues.append(OwnedQueue(program, queue))
    }
    self.queues = queues
    messageSize = size
  }

  /// sd_listen_fds(3): the descriptors that the socket unit opened, by the queue that each one is.
  private static func handedOver(
    _ prefix: Text
  ) -> [(program: Program, descriptor: mqd_t)] {
    let count = sd_listen_fds(1)
    guard count > 0 else { return [] }
    var found: [(program: Program, descriptor: mqd_t)] = []
    for descriptor in 3..<(3 + count) {
      for program in Program.allCases
      where sd_is_mq(descriptor, Text("\(prefix)\(program.name)").c) > 0 {
        found.append((program: program, descriptor: descriptor))
      }
    }
    return found
  }

  var count: Int { queues.count }
  func descriptor(_ index: Int) -> Int32 { queues[index].queue.raw }
  func program(_ index: Int) -> Program { queues[index].program }
  func state(_ index: Int) -> SourceState? { queues[index].state }

  enum Message {
    case none
    /// No record: it is counted.
    case skipped
    /// A record of so many bytes, now in the buffer.
    case record(length: Int, Outbox.Priority)
  }

  /// What the programs last said of themselves to an earlier bridge.
  func restoreStates(_ memory: borrowing OutboxMemory) {
    for queue in queues {
      let bytes = memory.keptState(of: queue.program.rawValue)
      guard let record = try? Record(decoding: bytes, count: bytes.count) else { continue }
      if let state = record.body(as: SourceState.self) { queue.state = state }
    }
  }

  /// The next message of this queue, which stands in the outbox's inbox until that is cleared.
  ///
  /// Errors: those of mq_receive(3).
  @_optimize(speed)  // 150 instructions less for each record, 900 bytes more
  mutating func receive(
    _ index: Int, into buffer: inout [UInt8], through outbox: Outbox, _ log: Log
  ) throws(SystemError) -> Message {
    let owned = queues[index]
    let count = try outbox.memory.receive(from: owned.program.rawValue, into: &buffer) {
      (bytes) throws(SystemError) in try owned.queue.receive(into: &bytes)
    }
    guard let count else { return .none }
    do throws(RecordError) {
      let (header, kind) = try Record.check(buffer.span.extracting(first: count))
      if let program = kind.program, program.rawValue != owned.program.rawValue {
        throw .foreignKind(header.kind)
      }
      received += 1
      if !owned.hasState || kind == .sourceState {
        let record = try Record(decoding: buffer, count: count)
        owned.state = record.body(as: SourceState.self) ?? SourceState(.running)
        stateChanges += 1
        outbox.keepState(buffer, count, origin: owned.program.rawValue)
      }
      return .record(length: count, kind.isEvent(buffer, header) ? .event : .sample)
    } catch {
      if case .unknownKind = error { unknown += 1 } else { invalid += 1 }
      complain(owned, error, log)
      return .skipped
    }
  }

  /// At most one line a minute and queue.
  private func complain(_ owned: OwnedQueue, _ error: RecordError, _ log: Log) {
    owned.complaintsSince += 1
    let now = monotonicNanoseconds()
    if let last = owned.complainedNanoseconds, now - last < 60_000_000_000 { return }
    log.warning(
      "queue of \(owned.program.name): skipped \(owned.complaintsSince) "
        + "\(owned.complaintsSince == 1 ? "message" : "messages"); "
        + "the last one \(error.description): who else writes there?")
    owned.complainedNanoseconds = now
    owned.complaintsSince = 0
  }

  /// Removes the queues of this prefix; the number of those that were there.
  static func remove(prefix: Text) throws(SystemError) -> Int {
    var count = 0
    for program in Program.allCases
    where try MessageQueue.remove("\(prefix)\(program.name)") {
      count += 1
    }
    return count
  }
}
