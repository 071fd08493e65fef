import CLinux
import Foundation
import Records
import Testing

/// Takes every record out of a program's queue in place of the bridge, from a thread of its own, and
/// counts them by kind.
final class QueueReader: @unchecked Sendable {
  private let queue: mqd_t
  private let lock = NSLock()
  private let ended = DispatchSemaphore(value: 0)
  private var counts: [UInt16: Int] = [:]
  private var isStopping = false

  /// Makes the queue, as small as every system allows.
  init(_ rig: Rig, _ program: Program) throws {
    let name = "\(rig.queuePrefix)\(program.name)"
    var attributes = mq_attr()
    attributes.mq_maxmsg = 10
    attributes.mq_msgsize = Int(RecordHeader.maximumRecordSize)
    let queue = clinux_mq_open(name, O_RDONLY | O_CREAT | O_CLOEXEC, 0o600, &attributes)
    let reason = String(cString: strerror(errno))
    self.queue = try #require(queue >= 0 ? queue : nil, "mq_open \(name): \(reason)")
    Thread.detachNewThread { [self] in
      read()
      ended.signal()
    }
  }

  deinit { mq_close(queue) }

  /// Whether a program has made its queue by now.
  static func queueExists(_ rig: Rig, _ program: Program) -> Bool {
    let queue = clinux_mq_open("\(rig.queuePrefix)\(program.name)", O_WRONLY | O_CLOEXEC, 0, nil)
    guard queue >= 0 else { return false }
    mq_close(queue)
    return true
  }

  func count(_ kind: RecordKind) -> Int { lock.withLock { counts[kind.rawValue, default: 0] } }

  /// Ends the thread; what is in the queue by then stays there.
  func stop() {
    lock.withLock { isStopping = true }
    ended.wait()
  }

  private func read() {
    var bytes = [UInt8](repeating: 0, count: RecordHeader.maximumRecordSize)
    while !lock.withLock({ isStopping }) {
      var event = pollfd(fd: queue, events: Int16(POLLIN), revents: 0)
      guard poll(&event, 1, 20) > 0 else { continue }
      let length = clinux_mq_receive(queue, &bytes, bytes.count)
      guard length > 0,
        let header = try? RecordHeader(decoding: bytes.span.extracting(first: length))
      else { continue }
      lock.withLock { counts[header.kind, default: 0] += 1 }
    }
  }
}
