import CLinux

/// How long to wait before the next attempt to connect: doubled each time, with half of it random,
/// so that a thousand devices do not come back to their server in the same second.
public struct Backoff: Sendable {
  public let maximum: Interval
  public private(set) var attempts = 0

  public init(maximum: Interval) {
    self.maximum = maximum
  }

  public mutating func succeeded() {
    attempts = 0
  }

  /// The delay in nanoseconds; `random` picks from it the part that is left to chance.
  public mutating func next(random: UInt32 = randomNumber()) -> UInt64 {
    let full = min(maximum.nanoseconds, 1_000_000_000 << UInt64(min(attempts, 20)))
    attempts += 1
    let half = full / 2
    return half + UInt64(Double(half) * (Double(random) / Double(UInt32.max)))
  }
}

/// From getrandom(2): the devices that start together must not draw the same numbers.
public func randomNumber() -> UInt32 {
  var number: UInt32 = 0
  _ = getrandom(&number, 4, 0)
  return number
}
