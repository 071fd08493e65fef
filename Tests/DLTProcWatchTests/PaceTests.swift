import Testing

@testable import dlt_proc_watch

/// The rhythm of a replay.
struct PaceTests {
  @Test func messagesAreDueByTheirTimestamps() {
    var pace = Pace(speed: 1)
    #expect(pace.delay(to: 50_000, now: 1000) == 0)
    #expect(pace.delay(to: 60_000, now: 1000) == 1_000_000_000)
    #expect(pace.delay(to: 60_000, now: 1_000_001_000) == 0)
    // Late once is not late for ever.
    #expect(pace.delay(to: 70_000, now: 1_500_001_000) == 500_000_000)
  }

  @Test func speedIsAFactorAndZeroDoesNotWait() {
    var fast = Pace(speed: 10)
    _ = fast.delay(to: 0, now: 0)
    #expect(fast.delay(to: 10_000, now: 0) == 100_000_000)
    var now = Pace(speed: 0)
    _ = now.delay(to: 0, now: 0)
    #expect(now.delay(to: 10_000, now: 0) == 0)
  }

  @Test func theTimestampWraps() {
    var pace = Pace(speed: 1)
    _ = pace.delay(to: .max - 4999, now: 0)
    #expect(pace.delay(to: 5000, now: 0) == 1_000_000_000)
  }

  @Test func anotherRecordingGoesOnAtOnce() {
    var pace = Pace(speed: 1)
    _ = pace.delay(to: 50_000_000, now: 0)
    #expect(pace.delay(to: 10_000, now: 0) == 0)
    #expect(pace.delay(to: 20_000, now: 0) == 1_000_000_000)
    #expect(pace.delay(to: 90_000_000, now: 0) == 0)
    #expect(pace.delay(to: nil, now: 0) == 0)
  }

  /// 60 days, a message an hour: the timestamp wraps 12 times.
  @Test func aLongTraceKeepsItsRhythm() {
    var pace = Pace(speed: 1)
    var now: UInt64 = 0
    for hour in 0..<1440 as Range<UInt64> {
      let delay = pace.delay(to: UInt32(truncatingIfNeeded: hour * 35_000_000), now: now)
      now += delay
      #expect(now == hour * 3_500_000_000_000)
    }
  }
}
