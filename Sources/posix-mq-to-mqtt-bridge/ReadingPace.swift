/// Leaves records in their queues for a moment while the broker keeps up with them.
///
/// Queues can be read much faster than a broker acknowledges. Read as fast as they fill, a burst that the
/// broker takes almost at once would walk through all of the outbox: 4 MiB of pages and caches instead of 128 KiB.
/// A collector waits 50 ms for room in its queue before it drops a record, so a pause is shorter; and of a
/// broker that takes little in that time the outbox keeps what it can.
struct ReadingPace {
  /// So many records waiting in the outbox begin a pause, and so few end it.
  static let (most, few) = (256, 32)
  static let longestNanoseconds: UInt64 = 20_000_000
  /// So many acknowledgements in a pause are a broker that keeps up: 3,200 in a second.
  static let keepingUp: UInt64 = 64

  private var mayPause = false
  private var acknowledgedBefore: UInt64 = 0
  /// When the pause ends at the latest; `.max` when there is none.
  private(set) var due = UInt64.max

  var isPausing: Bool { due != .max }

  /// `waiting` is how many records wait for the broker, nil if there is none; `acknowledged` how many it
  /// has taken in all.
  mutating func look(waiting: Int?, acknowledged: UInt64, _ now: UInt64) {
    guard let waiting else {
      (mayPause, due) = (false, .max)
      return
    }
    if waiting <= Self.few {
      (mayPause, due) = (true, .max)
    } else if isPausing {
      guard now >= due else { return }
      (mayPause, due) = (acknowledged - acknowledgedBefore >= Self.keepingUp, .max)
    } else if mayPause && waiting >= Self.most {
      (acknowledgedBefore, due) = (acknowledged, now + Self.longestNanoseconds)
    }
  }
}
