/// The sequence numbers of one run of a program that have come, and by them those that have not.
struct RunSequence: Sendable {
  private var seen: SequenceSet
  /// The lowest and the highest number, and how many records the program had dropped by then.
  private(set) var first: (sequence: UInt64, dropped: UInt64)
  private(set) var last: (sequence: UInt64, dropped: UInt64)

  enum Arrival: Equatable {
    /// It is above all others, by so many that are missing.
    case next(missing: UInt64)
    /// It was missing up to now, or comes before the first.
    case late
    case duplicate
  }

  /// A run of which this is the first record that comes; one that is `followed` from its beginning on
  /// misses what is before it. `gaps` that are not closed are remembered.
  init(_ record: PublishedRecord, isFollowed: Bool = false, gaps: Int = SequenceSet.capacity) {
    seen = SequenceSet(capacity: gaps)
    last = (record.sequence, record.dropped)
    first = isFollowed ? (0, 0) : last
    _ = seen.insert(record.sequence)
  }

  mutating func note(_ record: PublishedRecord) -> Arrival {
    guard seen.insert(record.sequence) else { return .duplicate }
    if record.sequence > last.sequence {
      defer { last = (record.sequence, record.dropped) }
      return .next(missing: record.sequence - last.sequence - 1)
    }
    if record.sequence < first.sequence { first = (record.sequence, record.dropped) }
    return .late
  }

  /// Numbers between the first and the last that never came.
  var missing: UInt64 {
    // A number may be counted twice if it was forgotten that it came: never below nothing.
    let span = last.sequence - first.sequence
    return span >= seen.count - 1 ? span - (seen.count - 1) : 0
  }

  /// Of all records since the first, those that found the queue full, as the program itself says.
  var droppedSinceFirst: UInt64 {
    last.dropped >= first.dropped ? last.dropped - first.dropped : 0
  }
}
