import Testing

@testable import Records

struct PublishedTimeTests {
  private let header = RecordHeader(
    instance: 1, bootTimeNanoseconds: 100_000_000_000,
    realTimeNanoseconds: 1_795_229_000_000_000_000)

  private func time(seconds: Int64, synchronized: Bool = true) -> Int64 {
    // 50 s after the record was taken.
    ClockReading(
      bootTimeNanoseconds: 150_000_000_000,
      realTimeNanoseconds: 1_795_229_000_000_000_000 + (50 + seconds) * 1_000_000_000,
      synchronized: synchronized
    ).time(of: header)
  }

  @Test func withoutAStepTheRecordKeepsItsOwnTime() {
    #expect(time(seconds: 0) == header.realTimeNanoseconds)
  }

  @Test func aRecordTakenBeforeTheClockWasSetGetsTheRightTime() {
    let twoYears: Int64 = 2 * 365 * 86_400
    #expect(time(seconds: twoYears) == header.realTimeNanoseconds + twoYears * 1_000_000_000)
    #expect(time(seconds: -twoYears) == header.realTimeNanoseconds - twoYears * 1_000_000_000)
  }

  @Test func theDelayBetweenReadingTwoClocksIsNotAStep() {
    let reading = ClockReading(
      bootTimeNanoseconds: 150_000_000_000,
      realTimeNanoseconds: 1_795_229_050_000_900_000, synchronized: true)
    #expect(reading.time(of: header) == header.realTimeNanoseconds)
  }

  @Test func noTimeOverflows() throws {
    var hostile = header
    for (boot, real) in [(UInt64.max, Int64.min), (0, .max), (.max, .max), (1 << 63, 0)] {
      hostile.bootTimeNanoseconds = boot
      hostile.realTimeNanoseconds = real
      let now = ClockReading(
        bootTimeNanoseconds: 1, realTimeNanoseconds: .max, synchronized: false)
      _ = now.time(of: hostile)
      var json = JSON()
      var (bytes, body) = ([UInt8](), SystemInformation())
      hostile.encode(&body, into: &bytes)
      json.write(try Record(decoding: bytes, count: bytes.count), .forTests)
    }
  }
}
