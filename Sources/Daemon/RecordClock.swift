import Linux
import Records

/// Reads the clocks that a record and its published time need.
public struct RecordClock: Sendable {
  private var synchronized = false
  private var askedNanoseconds: UInt64 = 0

  /// How long an answer of adjtimex(2) is good for. That is a system call, where the clocks are read without one:
  /// a fifth of what a record of inotify-pacct takes.
  private static let answerNanoseconds: UInt64 = 100_000_000

  public init() {}

  /// Both clocks as they are now; whether something keeps them right as it was a moment ago.
  @inline(never)
  public mutating func read() -> ClockReading {
    let now = bootTimeNanoseconds()
    if now &- askedNanoseconds >= Self.answerNanoseconds {
      askedNanoseconds = now
      synchronized = clockIsSynchronized()
    }
    return ClockReading(
      bootTimeNanoseconds: now, realTimeNanoseconds: realTimeNanoseconds(),
      synchronized: synchronized)
  }
}
