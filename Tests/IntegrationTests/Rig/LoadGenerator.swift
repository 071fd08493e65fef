import CLinux
import Foundation
import Records
import Testing

/// Pushes records into a program's queue at a rate, from a thread of its own, and counts them.
///
/// Where the queue is full it waits: what it counts as sent was taken by the queue, so that nothing
/// may be missing later but what the bridge says it lost.
final class LoadGenerator: @unchecked Sendable {
  /// Stands in every record, and tells the generators of a test apart.
  let instance: UInt64
  private let queue: mqd_t
  private let limit: UInt64
  private let lock = NSLock()
  private let ended = DispatchSemaphore(value: 0)
  private var sequence: UInt64 = 0
  private var isStopping = false
  private var offset: Int64 = 0

  enum Kind {
    case samples, events

    var program: String { self == .samples ? "cyclic-sysinfo" : "inotify-coredump" }

    fileprivate func template(_ instance: UInt64) -> [UInt8] {
      var bytes: [UInt8] = []
      var header = RecordHeader(instance: instance)
      switch self {
      case .samples:
        var body = SystemInformation()
        body.uptimeSeconds = 1
        header.encode(&body, into: &bytes)
      case .events:
        var body = CoreDump()
        body.executable = FixedText(Array(repeating: UInt8(ascii: "/"), count: 200).span)
        header.encode(&body, into: &bytes)
      }
      return bytes
    }
  }

  /// Begins at once. `limit` is how many records there shall be; no two have the same time in units
  /// of `resolutionMicroseconds`, which databases may know them by.
  init(
    _ rig: Rig, _ kind: Kind = .samples, perSecond rate: Int, limit: UInt64 = .max,
    resolutionMicroseconds: Int64 = 1
  ) throws {
    let name = "\(rig.queuePrefix)\(kind.program)"
    let queue = clinux_mq_open(name, O_WRONLY | O_CLOEXEC, 0, nil)
    let reason = String(cString: strerror(errno))
    self.queue = try #require(queue >= 0 ? queue : nil, "mq_open \(name): \(reason)")
    self.limit = limit
    let instance = UInt64.random(in: 1...0xFFFF_FFFF_FFFF)
    self.instance = instance
    let template = kind.template(instance)
    Thread.detachNewThread { [self] in
      push(template, rate, resolutionMicroseconds * 1000)
      ended.signal()
    }
  }

  deinit {
    stop()
    mq_close(queue)
  }

  /// All that there shall be was sent, and the queue is empty.
  var isTaken: Bool {
    var attributes = mq_attr()
    return sent == limit && mq_getattr(queue, &attributes) == 0 && attributes.mq_curmsgs == 0
  }

  /// What the queue has taken up to now.
  var sent: Int { lock.withLock { Int(sequence) } }

  /// Waits until the queue has taken so many more.
  func goOn(by count: Int) throws {
    let before = sent
    try eventually("load goes on", within: 20) { sent >= before + count }
  }

  /// From now on its wall clock goes wrong by so many seconds.
  func stepClock(seconds: Int64) { lock.withLock { offset = seconds * 1_000_000_000 } }

  /// Ends it; returns how many records were sent.
  @discardableResult
  func stop() -> Int {
    let isFirst = lock.withLock {
      defer { isStopping = true }
      return !isStopping
    }
    if isFirst { ended.wait() }
    return sent
  }

  private func push(_ template: [UInt8], _ rate: Int, _ resolution: Int64) {
    var record = template
    let begin = Self.now(CLOCK_MONOTONIC)
    var last: Int64 = 0
    while true {
      let (next, offset, isStopping) = lock.withLock { (sequence, self.offset, self.isStopping) }
      if isStopping || next >= limit { return }
      let due = begin + Int64(next) * 1_000_000_000 / Int64(rate)
      let early = due - Self.now(CLOCK_MONOTONIC)
      if early > 0 {
        usleep(UInt32(min(early / 1000 + 1, 20_000)))
        continue
      }
      let realTime = Self.now(CLOCK_REALTIME)
      if realTime / resolution == last { continue }
      record.withUnsafeMutableBytes {
        $0.storeBytes(of: next.littleEndian, toByteOffset: 24, as: UInt64.self)
        $0.storeBytes(of: Self.now(CLOCK_BOOTTIME).littleEndian, toByteOffset: 40, as: Int64.self)
        $0.storeBytes(of: (realTime + offset).littleEndian, toByteOffset: 48, as: Int64.self)
      }
      let deadline = realTime + 50_000_000
      var time = timespec(
        tv_sec: Int(deadline / 1_000_000_000), tv_nsec: Int(deadline % 1_000_000_000))
      let result = record.withUnsafeBytes {
        mq_timedsend(queue, $0.bindMemory(to: CChar.self).baseAddress!, $0.count, 0, &time)
      }
      if result == 0 {
        last = realTime / resolution
        lock.withLock { sequence += 1 }
      }
    }
  }

  private static func now(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
