import Records
import Testing

@testable import dlt_proc_watch

/// CPU load: ticks over the time between timestamps.
struct LoadTests {
  private var making = Making()
  private var watch = ProcessWatch(WatchSettings())

  /// A sample; the counter goes on, so that nothing is missing.
  private mutating func sample(
    ticks: UInt64, at timestamp: UInt32?, pid: Int32 = 7, start: UInt64 = 100,
    arrival: UInt64 = 1000
  ) -> ProcessLoad? {
    making.timestamp = timestamp
    watch.take(making.stat(pid, "x", ticks: ticks, system: 0, start: start), arrival: arrival)
    making.counter &+= 1
    return watch.loads().last
  }

  @Test mutating func theFirstMessageHasNoRatioAndTheSecondHas() throws {
    let first = try #require(sample(ticks: 1000, at: 10_000))
    #expect(first.cpuTenThousandths == nil)
    #expect(first.intervalTenThousandths == nil)
    let second = try #require(sample(ticks: 1060, at: 30_000))
    #expect(second.cpuTenThousandths == 3000)
    #expect(second.intervalTenThousandths == 20_000)
  }

  /// A burst as the daemon replays its ring buffer: all arrives in the same second.
  @Test mutating func theTimeOfReceptionPlaysNoPart() throws {
    for second in 0..<20 as Range<UInt32> {
      let load = try #require(sample(ticks: UInt64(second) * 50, at: second * 10_000))
      #expect(load.cpuTenThousandths == (second == 0 ? nil : 5000))
    }
  }

  @Test mutating func oneIsOneCPUAndFourBusyThreadsAreFour() throws {
    _ = sample(ticks: 0, at: 0)
    #expect(try #require(sample(ticks: 100, at: 10_000)).cpuTenThousandths == 10_000)
    #expect(try #require(sample(ticks: 500, at: 20_000)).cpuTenThousandths == 40_000)
  }

  @Test mutating func theTimestampWrapsAfterFiveDays() throws {
    _ = sample(ticks: 0, at: .max - 9999)
    let load = try #require(sample(ticks: 30, at: 10_000))
    #expect(load.cpuTenThousandths == 1500)
    #expect(load.intervalTenThousandths == 20_000)
  }

  @Test mutating func ticksThatGoBackwardsAreANewBase() throws {
    _ = sample(ticks: 1000, at: 0)
    #expect(try #require(sample(ticks: 10, at: 10_000)).cpuTenThousandths == nil)
    #expect(try #require(sample(ticks: 20, at: 20_000)).cpuTenThousandths == 1000)
  }

  /// The machine started anew, or a message comes late.
  @Test mutating func timestampsThatGoBackwardsAreANewBase() throws {
    _ = sample(ticks: 10, at: 1_000_000)
    #expect(try #require(sample(ticks: 20, at: 10_000)).cpuTenThousandths == nil)
    #expect(try #require(sample(ticks: 30, at: 20_000)).cpuTenThousandths == 1000)
  }

  /// After more than a day the wrapped timestamp says nothing.
  @Test(arguments: [1000 + 86_400, 1000 - 999] as [UInt64])
  mutating func aLongGapIsANewBase(_ arrival: UInt64) throws {
    _ = sample(ticks: 0, at: 0, arrival: arrival > 1000 ? 1000 : 90_000)
    #expect(
      try #require(sample(ticks: 100, at: 10_000, arrival: arrival)).cpuTenThousandths == nil)
  }

  /// dlt-system was told twice to watch it.
  @Test mutating func theSameProcessToldTwiceAtOnceCountsOnce() throws {
    _ = sample(ticks: 0, at: 0)
    #expect(sample(ticks: 1, at: 5) == nil)
    #expect(try #require(sample(ticks: 50, at: 10_000)).cpuTenThousandths == 5000)
    #expect(sample(ticks: 50, at: 10_000) == nil)
  }

  @Test mutating func withoutATimestampThereIsNoRatio() throws {
    _ = sample(ticks: 0, at: 0)
    let load = try #require(sample(ticks: 50, at: nil))
    #expect(load.cpuTenThousandths == nil)
    #expect(load.uptimeTenThousandths == nil)
    #expect(try #require(sample(ticks: 60, at: 20_000)).cpuTenThousandths == nil)
  }

  @Test mutating func anotherStartTimeIsAnotherProcess() throws {
    _ = sample(ticks: 10, at: 0)
    let load = try #require(sample(ticks: 5000, at: 10_000, start: 555))
    #expect(load.cpuTenThousandths == nil)
    #expect(load.startHundredths == 555)
  }

  @Test mutating func theSameIdOnAnotherECUIsAnotherProcess() throws {
    _ = sample(ticks: 0, at: 0)
    making.ecu = "TGT2"
    #expect(try #require(sample(ticks: 90, at: 10_000)).cpuTenThousandths == nil)
    making.ecu = "TGT1"
    #expect(try #require(sample(ticks: 10, at: 10_000)).cpuTenThousandths == 1000)
  }

  @Test mutating func clockTicksAndPagesAreThoseOfTheMachineThatSends() throws {
    watch = ProcessWatch(WatchSettings(ticksPerSecond: 1000, pageSize: 65_536))
    _ = sample(ticks: 0, at: 0, start: 12_345)
    let load = try #require(sample(ticks: 500, at: 10_000, start: 12_345))
    #expect(load.cpuTenThousandths == 5000)
    #expect(load.startHundredths == 1234)
    #expect(load.cpuUserHundredths == 50)
    #expect(load.residentBytes == 5395 * 65_536)
  }

  @Test mutating func noNumberIsTooLarge() throws {
    _ = sample(ticks: 0, at: 0, start: .max)
    let load = try #require(sample(ticks: .max, at: 2000, start: .max))
    #expect(load.cpuTenThousandths == nil)
    watch.take(making.stat(8, "y", ticks: .max, system: .max, start: .max, pages: .max))
    #expect(watch.loads().last?.residentBytes == UInt64.max - 1)
  }

  /// rss of stat and resident of statm differ in the same moment: only one of them counts.
  @Test mutating func statmIsLeftAlone() {
    _ = sample(ticks: 0, at: 0)
    watch.take(making.message([.signed(7), .text("statm"), .text("5740 5434 291 1 0 5210 0\n")]))
    #expect(watch.taken().isEmpty)
    #expect(watch.unreadableCount == 0)
  }
}
