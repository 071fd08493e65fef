import Daemon
import Linux
import Records

/// What the loop keeps an eye on between the events.
struct Watch {
  private var obstacle: Text??
  private var lastRetry = monotonicNanoseconds()
  private var queueIsWatched = false

  /// How often to look for what gives no event: core_pattern, and a journal that was not there.
  private static let period: UInt64 = 60_000_000_000

  /// Says once whether dumps can come, and again when that changes; true then.
  @discardableResult
  mutating func look(_ collector: Collector, _ log: Log) throws(SystemError) -> Bool {
    let now = monotonicNanoseconds()
    if now - lastRetry >= Self.period {
      lastRetry = now
      collector.retryJournal()
    }
    let found = collector.obstacle()
    if let obstacle, isSame(obstacle, found) { return false }
    obstacle = .some(found)
    if let found {
      log.warning("\(found); waiting for it")
      try collector.announce(.unavailable, found)
    } else {
      try collector.announce(.running)
    }
    return true
  }

  var status: Text {
    if let reason = obstacle ?? nil { return "waiting: \(reason)" }
    return "watching for core dumps"
  }

  /// Waits for what the collector needs next.
  mutating func arm(
    _ collector: Collector, _ loop: inout ServiceLoop<Source>, _ timer: borrowing Timer
  ) throws(SystemError) {
    if let journal = collector.newJournalDescriptor() { try loop.events.add(journal, .journal) }
    if let queue = collector.queueDescriptor, queueIsWatched != collector.isBlocked {
      queueIsWatched = collector.isBlocked
      try loop.events.change(queue, .queue, queueIsWatched ? .writing : [])
    }
    let now = monotonicNanoseconds()
    let retries = collector.journal.isMissing || (obstacle ?? nil) != nil
    let due = min(
      collector.nextDue ?? .max, retries ? lastRetry + Self.period : .max)
    // 0 stops the timer.
    try timer.set(after: due == .max ? 0 : max(due, now + 1) - now)
  }

  private func isSame(_ one: Text?, _ other: Text?) -> Bool {
    guard let one, let other else { return one == nil && other == nil }
    return one.bytes == other.bytes
  }
}

enum Source: UInt32 { case folder, journal, timer, queue }
