import CLinux
import Daemon
import Linux

extension Bridge {
  // MARK: The end

  /// Publishes what waits, says that it stops, and leaves; a few seconds at most.
  mutating func finish() throws(SystemError) {
    let deadline = monotonicNanoseconds() + 5_000_000_000
    isFinishing = true
    for index in 0..<queues.count {
      try drain(index)
      try loop.events.change(queues.descriptor(index), .queue(index), [])
    }
    queuesAreRead = false
    // What is on disk already can stay there.
    try work(until: deadline) { $0.count(.samples) + $0.count(.events) == 0 }
    publishStatus("offline")
    try work(until: monotonicNanoseconds() + 2_000_000_000) { _ in true }
    connection?.disconnect()
    connection = nil
    forgetBatches()
    let spilled = outbox.count > 0 ? spillWaiting(.forEvents) : 0
    log.information(
      """
      stopped: \(status.published) records published, \(outbox.count) left in the outbox\
      \(spilled == 0 ? "" : ", \(spilled) on disk")
      """)
  }

  /// Goes on with the connection until nothing is in flight and `done`, or the time is over.
  @inline(never)
  private mutating func work(
    until deadline: UInt64, _ done: (Outbox) -> Bool
  ) throws(SystemError) {
    publishWaiting()
    while let connection, connection.isConnected, !(inFlight.isEmpty && done(outbox)) {
      let now = monotonicNanoseconds()
      guard now < deadline else { return }
      try updateInterest()
      guard
        case .ready(let source, let readiness) = try loop.events.next(
          milliseconds: Int32(clamping: (deadline - now) / 1_000_000 + 1))
      else { return }
      guard case .broker = source else {
        timer.expirations()
        continue
      }
      do throws(BrokerError) { try connection.process(readiness) } catch { lose(error) }
      takeAcknowledgements()
      publishWaiting()
    }
  }
}
