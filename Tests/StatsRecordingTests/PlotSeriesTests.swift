import Testing

@testable import stats_recording

struct PlotSeriesTests {
  private func sample(
    _ time: Double, _ raw: Double, _ sequence: UInt64, run: Int = 0, base: Double? = nil
  ) -> Sample {
    Sample(time: time, raw: raw, base: base ?? time, run: run, sequence: sequence)
  }

  private func series(
    isCounter: Bool = false, _ samples: [Sample], missing: [Range<UInt64>] = []
  ) -> Series {
    var series = Series(isCounter: isCounter)
    for sample in samples { series.insert(sample, missing: missing) }
    return series
  }

  @Test func aLineIsOneFromTheSecondPointOn() {
    let line = series((0..<5).map { sample(Double($0), 7, UInt64($0)) })
    #expect(line.points.map(\.isBroken) == [true, false, false, false, false])
    #expect(line.usualSpacing == 1)
  }

  @Test func twoAndAHalfTimesTheUsualSpacingIsAGap() {
    let times = [0, 1, 2, 3, 5.4, 8.0]
    let line = series(times.enumerated().map { sample($1, 1, UInt64($0)) })
    #expect(line.points.map(\.isBroken) == [true, false, false, false, false, true])
  }

  @Test func aMissingNumberIsAGapWhereThereIsRoomForIt() {
    // Of the numbers 1 to 3 and 5 none is of this line, 7 is: there its spacing is twice the usual one.
    let samples = [(0.0, 0), (1, 4), (2, 6), (4, 8), (5, 9)].map { sample($0, 1, $1) }
    let line = series(samples, missing: [1..<4, 5..<6, 7..<8])
    #expect(line.points.map(\.isBroken) == [true, true, false, true, false])
  }

  @Test func aRestartIsAGapInTheLine() {
    let line = series([sample(0, 1, 0), sample(1, 1, 1), sample(2, 1, 0, run: 1)])
    #expect(line.points.map(\.isBroken) == [true, false, true])
  }

  @Test func aRecordThatComesLateClosesItsGap() {
    var line = series([sample(0, 0, 0), sample(1, 1, 1), sample(2, 2, 2)])
    line.insert(sample(4, 4, 4), missing: [3..<4])
    #expect(line.points[3].isBroken)
    line.insert(sample(3, 3, 3), missing: [])
    #expect(line.points.map(\.sample.raw) == [0, 1, 2, 3, 4])
    #expect(line.points.map(\.isBroken) == [true, false, false, false, false])
  }

  @Test func aCounterIsItsGrowthInASecond() {
    let line = series(
      isCounter: true, [sample(0, 100, 0), sample(2, 300, 1), sample(4, 350, 2)])
    #expect(line.points.map(\.value) == [nil, 100, 25])
  }

  @Test func aCounterThatGoesBackwardsHasANewBase() {
    let line = series(
      isCounter: true, [sample(0, 100, 0), sample(1, 200, 1), sample(2, 5, 2), sample(3, 8, 3)])
    #expect(line.points.map(\.value) == [nil, 100, nil, 3])
    #expect(line.points[2].isBroken)
  }

  @Test func aCounterOfAnotherRunHasANewBase() {
    let line = series(
      isCounter: true, [sample(0, 10, 0), sample(1, 20, 1), sample(2, 500, 0, run: 1)])
    #expect(line.points.map(\.value) == [nil, 10, nil])
  }

  @Test func ofALongLineTheExtremesStay() {
    var line = Series(isCounter: false)
    for number in 0..<(Series.capacity + 1) {
      let value: Double = number == 777 ? 1000 : number == 30_001 ? -1000 : Double(number % 7)
      line.insert(sample(Double(number), value, UInt64(number)), missing: [])
    }
    #expect(line.points.count < Series.capacity * 6 / 10)
    let summary = Summary(line.points[...])
    #expect(summary?.maximum == 1000)
    #expect(summary?.minimum == -1000)
    #expect(line.points.last?.sample.time == Double(Series.capacity))
    #expect(line.points.filter(\.isBroken).count == 1)
    #expect(
      zip(line.points, line.points.dropFirst()).allSatisfy { $0.sample.time < $1.sample.time })
  }

  @Test func aWindowHasThePointsOfItsTime() throws {
    let line = series((0..<100).map { sample(Double($0), Double($0), UInt64($0)) })
    let summary = try #require(Summary(line.points(from: 10, to: 20)))
    #expect(summary.count == 11)
    #expect(summary.minimum == 10)
    #expect(summary.maximum == 20)
    #expect(summary.average == 15)
    #expect(summary.last == 20)
    #expect(Summary(line.points(from: 200, to: 300)) == nil)
  }
}

struct ContinuityTests {
  /// What becomes of the records of a device.
  private func arrivals(_ device: PublishedDevice) throws -> [Continuity.Arrival] {
    var continuity = Continuity()
    return try device.records().map { continuity.take($0) }
  }

  @Test func numbersRunOverAllTopicsOfAProgram() throws {
    var device = PublishedDevice("pi-7")
    device.add("cyclic-file-read", "memory", kind: "memory", at: 1, "")
    device.add("cyclic-file-read", "thermal/0", kind: "thermal_zone", at: 1, "")
    device.add("cyclic-sysinfo", kind: "system_information", at: 1, "")
    #expect(try arrivals(device).map(\.missing) == [0, 0, 0])
  }

  @Test func whatIsPassedOverIsMissingUntilItComes() throws {
    var device = PublishedDevice("pi-7")
    for time in 0..<6 {
      device.add("cyclic-sysinfo", kind: "system_information", at: Double(time), "")
    }
    let records = try device.records()
    var continuity = Continuity()
    _ = continuity.take(records[0])
    #expect(continuity.take(records[4]).missing == 3)
    #expect(continuity.missingCount == 3)
    #expect(continuity.take(records[2]).order == .late)
    #expect(continuity.missing(of: records[0].topic, run: 0) == [1..<2, 3..<4])
    #expect(continuity.take(records[2]).order == .duplicate)
    #expect(continuity.take(records[4]).order == .duplicate)
    #expect(continuity.take(records[5]).missing == 0)
    #expect(continuity.missingCount == 2)
  }

  @Test func whatCameBeforeWeListenedIsNotMissing() throws {
    var device = PublishedDevice("pi-7")
    device.lose("cyclic-sysinfo", 5000)
    device.add("cyclic-sysinfo", kind: "system_information", at: 1, "")
    #expect(try arrivals(device).map(\.missing) == [0])
  }

  @Test func aProgramThatBeginsAnewIsARestartAndADeviceThatDoesAReboot() throws {
    var device = PublishedDevice("pi-7")
    device.add("cyclic-sysinfo", kind: "system_information", at: 1, "")
    device.add("epoll-psi", "cpu", kind: "pressure_sample", at: 1, "")
    device.restart()
    device.add("cyclic-sysinfo", kind: "system_information", at: 2, "")
    device.restart(bootID: "43908254-9d5e-4b0c-8f5c-000000000002")
    device.lose("epoll-psi")
    device.add("epoll-psi", "cpu", kind: "pressure_sample", at: 3, "")
    device.add("cyclic-sysinfo", kind: "system_information", at: 3, "")
    let arrivals = try arrivals(device)
    // The reboot is told once, by whoever tells it first.
    #expect(arrivals.map(\.beginning) == [nil, nil, .restart, .reboot, .restart])
    #expect(arrivals.map(\.missing) == [0, 0, 0, 1, 0])
  }

  @Test func aLateRecordOfAnEarlierRunIsNoRestart() throws {
    var device = PublishedDevice("pi-7")
    device.add("cyclic-sysinfo", kind: "system_information", at: 1, "")
    device.add("cyclic-sysinfo", kind: "system_information", at: 2, "")
    device.restart()
    device.add("cyclic-sysinfo", kind: "system_information", at: 3, "")
    let records = try device.records()
    var continuity = Continuity()
    let order = [0, 2, 1].map { continuity.take(records[$0]) }
    #expect(order.map(\.beginning) == [nil, .restart, nil])
    #expect(order.map(\.run) == [0, 1, 0])
  }
}
