import CLinux
import Linux
import Records

/// Gives a program's records their header and pushes them into its queue, or prints them.
///
/// A full queue never blocks: the record is dropped and counted, and the next one that is sent says
/// how many there were.
public struct RecordSender: ~Copyable {
  public enum Outcome {
    case sent
    /// The first record that found the queue full.
    case queueIsFull
    /// Dropped as well, like the ones before it.
    case queueIsStillFull
    /// Sent again, after so many were dropped.
    case queueHasRoom(dropped: UInt64)

    /// What a log should say of it, if anything: once for each time the queue fills.
    public var warning: Text? {
      switch self {
      case .sent, .queueIsStillFull: nil
      case .queueIsFull: "the queue is full: records are dropped until the bridge takes some"
      case .queueHasRoom(let dropped):
        "the queue has room again: \(dropped) records were dropped"
      }
    }
  }

  private let queue: MessageQueue?
  private var header: RecordHeader
  private var clock = RecordClock()
  private var bytes: [UInt8] = []
  private var droppedBeforeFull: UInt64 = 0
  private var isFull = false
  private var json = JSON()
  private var envelope: Envelope

  /// Opens the program's queue, or makes it; with `--print` and `--once` there is none.
  public init(_ program: Program, _ output: OutputOptions) throws(SystemError) {
    let boot = try output.prints ? bootID() : []
    let opened = try output.prints ? nil : Self.open(program, output.queuePrefix)
    queue = opened
    header = RecordHeader(instance: bootTimeNanoseconds() / 1_000_000)
    envelope = Envelope(bootID: boot, clock: clock.read())
    bytes.reserveCapacity(RecordHeader.maximumRecordSize)
  }

  private static func open(
    _ program: Program, _ prefix: Text
  ) throws(SystemError) -> MessageQueue {
    try MessageQueue.open(
      "\(prefix)\(program.name)", .sending, depth: queueDepth,
      messageSize: RecordHeader.maximumRecordSize)
  }

  /// How many records a queue holds while the bridge is away; 8 such queues are within the 800 KiB
  /// that RLIMIT_MSGQUEUE allows a user.
  public static let queueDepth = 64

  /// What is worth a line in the log about the queue that was opened.
  public var notice: Text? {
    let depth = queueDepth
    guard depth < Self.queueDepth else { return nil }
    return "the queue holds \(depth) records, not \(Self.queueDepth): "
      + "raise fs.mqueue.msg_max with sysctl before the queue is made"
  }

  /// Tells the bridge whether the program can do its work; where records are printed, nobody asks.
  @inline(never)
  public mutating func announce(
    _ state: SourceState.State, _ reason: Text = ""
  ) throws(SystemError) {
    guard sends else { return }
    // The caller has no warning to log of this one: the next record that is dropped has it.
    if case .queueIsFull = try send(SourceState(state, reason: reason.bytes.span)) {
      isFull = false
    }
  }

  /// Sends a record of this body, taken now.
  ///
  /// Many records at once may come faster than the bridge can be woken: where the queue had room up
  /// to now, it is given a moment to have some again. A queue that stays full is not waited for.
  public mutating func send<Body: RecordBody>(_ body: Body) throws(SystemError) -> Outcome {
    prepare(body)
    return try deliver()
  }

  @inline(never)
  private mutating func deliver() throws(SystemError) -> Outcome {
    header.sequence += 1
    var taken = try push()
    if !taken && !isFull && waitForRoom() { taken = try push() }
    guard taken else {
      header.dropped += 1
      defer { isFull = true }
      return isFull ? .queueIsStillFull : .queueIsFull
    }
    guard isFull else { return .sent }
    isFull = false
    defer { droppedBeforeFull = header.dropped }
    return .queueHasRoom(dropped: header.dropped - droppedBeforeFull)
  }

  /// Sends a record of this body unless the queue is full: false, and nothing is dropped or counted.
  ///
  /// For a source that keeps what is not taken; wait for ``queueDescriptor`` and offer it again.
  public mutating func offer<Body: RecordBody>(_ body: Body) throws(SystemError) -> Bool {
    prepare(body)
    guard try push() else { return false }
    header.sequence += 1
    return true
  }

  /// Waits for a bridge that is slow, at the end of a program, which began at this time of CLOCK_MONOTONIC.
  /// False if it has taken nothing for 2 s, and after 10 s in all.
  public func waitsForRoom(sinceEnd begin: UInt64) -> Bool {
    monotonicNanoseconds() &- begin < 10_000_000_000 && waitForRoom(milliseconds: 2000)
  }

  /// So many records that were offered, or would have been, are never sent: they count as dropped.
  public mutating func giveUp(_ count: Int) {
    header.sequence += UInt64(count)
    header.dropped += UInt64(count)
  }

  /// What to wait for, ready for writing, when the queue is full; nil where records are printed.
  public var queueDescriptor: Int32? {
    switch queue {
    case .some(let queue): queue.raw
    case .none: nil
    }
  }

  private var sends: Bool {
    switch queue {
    case .some: true
    case .none: false
    }
  }

  /// Puts the record into `bytes`, or into `json` where it is printed; all that depends on the body
  /// is here. Its sequence number counts once it is sent or dropped.
  private mutating func prepare<Body: RecordBody>(_ body: Body) {
    var body = body
    stamp()
    header.encode(&body, into: &bytes)
    if !sends { json.write(Body.self, bytes, header, envelope) }
  }

  @inline(never)
  private mutating func stamp() {
    envelope.clock = clock.read()
    header.clockSynchronized = envelope.clock.synchronized
    header.bootTimeNanoseconds = envelope.clock.bootTimeNanoseconds
    header.realTimeNanoseconds = envelope.clock.realTimeNanoseconds
    bytes.removeAll(keepingCapacity: true)
  }

  private func waitForRoom(milliseconds: Int32 = 50) -> Bool {
    switch queue {
    case .some(let queue): queue.waitForRoom(milliseconds: milliseconds)
    case .none: false
    }
  }

  private func push() throws(SystemError) -> Bool {
    switch queue {
    case .some(let queue): return try queue.send(bytes)
    case .none:
      try printLine(json)
      return true
    }
  }

  private var queueDepth: Int {
    switch queue {
    case .some(let queue): queue.depth
    case .none: Self.queueDepth
    }
  }
}

/// Prints a record as one line of JSON on standard output, the line that the bridge would publish.
///
/// Errors: those of write(2), and EBADMSG for bytes that are not a record.
public func printRecord(
  _ bytes: [UInt8], _ count: Int, _ json: inout JSON, _ envelope: Envelope
) throws(SystemError) {
  guard let record = try? Record(decoding: bytes, count: count) else {
    throw SystemError("decode", errno: EBADMSG)
  }
  json.write(record, envelope)
  try printLine(json)
}

private func printLine(_ json: JSON) throws(SystemError) {
  try writeToStandardOutput(json.bytes + [UInt8(ascii: "\n")])
}

/// Writes all of the bytes to standard output. Errors: those of write(2).
public func writeToStandardOutput(_ bytes: [UInt8]) throws(SystemError) {
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
    if count < 0 {
      let errno = clinux_errno()
      if errno == EINTR { continue }
      throw SystemError("write", errno: errno, "to standard output")
    }
    rest = rest.dropFirst(count)
  }
}

/// The id of this boot, 36 bytes: random(4), /proc/sys/kernel/random/boot_id.
public func bootID(procfs: Text = "/proc") throws(SystemError) -> [UInt8] {
  let bytes = try readFile(procfs + "/sys/kernel/random/boot_id", limit: 64)
  return [UInt8](bytes.prefix { $0 != UInt8(ascii: "\n") })
}
