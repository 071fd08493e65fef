import Records

/// A process that is watched: what was told of it last, from which the next ratio is taken.
struct WatchedProcess {
  let ecu: UInt32
  let processID: UInt32
  /// The name by which it is watched.
  let name: FixedText<64>
  /// Its first argument, where it was told: "not running!" goes by it.
  var command = FixedText<64>()
  var comm = FixedText<32>()
  /// nil: only its command line was told up to now.
  var startTicks: UInt64?
  var base: Base?
  /// The timestamp of its last message.
  var lastTimestamp: UInt32?
  /// When its last message arrived, and which one it was.
  var lastArrival: UInt64 = 0
  var lastMessage: UInt64 = 0
  /// dlt-system said so.
  var isGone = false

  /// Where the CPU time of an interval begins.
  struct Base {
    let ticks: UInt64
    let timestamp: UInt32
    let arrival: UInt64
  }

  enum Interval: Equatable {
    /// Nothing to compare with: the first message, or one that does not follow from the last.
    case begins
    /// Too soon after the last one: the same process told twice.
    case repeats
    /// CPU in ten-thousandths of one CPU, over a time in 0.1 ms.
    case measured(cpu: UInt32, duration: UInt32)
  }

  /// Goes on to a new base, or stays where the message repeats the last one.
  mutating func advance(
    ticks: UInt64, timestamp: UInt32?, arrival: UInt64, ticksPerSecond: UInt64
  ) -> Interval {
    guard let timestamp else {
      base = nil
      return .begins
    }
    let next = Base(ticks: ticks, timestamp: timestamp, arrival: arrival)
    guard let last = base else {
      base = next
      return .begins
    }
    // The timestamp wraps: half its range is taken for forward, and so far only if the messages
    // did not arrive further apart than that.
    let duration = timestamp &- last.timestamp
    let apart = max(arrival, last.arrival) - min(arrival, last.arrival)
    guard duration < 1 << 31, apart < Self.longestInterval, ticks >= last.ticks else {
      base = next
      return .begins
    }
    if duration < Self.shortestInterval { return .repeats }
    base = next
    let (scaled, overflow) = (ticks - last.ticks).multipliedReportingOverflow(by: 100_000_000)
    if overflow { return .begins }
    let divisor = UInt64(duration) * ticksPerSecond
    let cpu = UInt32(clamping: (scaled + divisor / 2) / divisor)
    return .measured(cpu: min(cpu, .max - 1), duration: duration)
  }

  /// In 0.1 ms: 0.1 s.
  static var shortestInterval: UInt32 { 1000 }
  /// In seconds: a day, which is less than the timestamp's 4.97 days.
  static var longestInterval: UInt64 { 86_400 }
}
