import Foundation
import Testing

@testable import stats_recording

/// What the server keeps, where each number is known.
struct FleetTests {
  private func record(
    _ sequence: UInt64, time: Double? = nil, instance: UInt64 = 1, boot: String = "b",
    dropped: UInt64 = 0, kind: String = "system_information", _ fields: String = #""load1":0.5"#,
    topic: String = "stats/pi/cyclic-sysinfo"
  ) throws -> [PublishedRecord] {
    let payload =
      #"{"v":1,"kind":"\#(kind)","time":\#(time ?? Double(sequence)),"boot_id":"\#(boot)","#
      + #""instance":\#(instance),"seq":\#(sequence),"dropped":\#(dropped),"clock_synced":true,\#(fields)}"#
    let content = MessageContent(
      stats_recording.Message(topic: topic, payload: Array(payload.utf8)), prefix: "stats")
    guard case .records(let records) = content else {
      Issue.record("\(content)")
      return []
    }
    return records
  }

  @Test func missingNumbersAreCountedUntilTheyCome() throws {
    var ledger = ProgramLedger()
    var arrivals: [ProgramLedger.Arrival] = []
    for sequence: UInt64 in [5, 6, 10, 8, 8, 7, 4, 2, 11] {
      for one in try record(sequence) { arrivals.append(ledger.note(one)) }
    }
    #expect(
      arrivals == [
        .newRun(isFirst: true, isNewBoot: false), .next(missing: 0), .next(missing: 3), .late,
        .duplicate, .late, .late, .late, .next(missing: 0),
      ])
    #expect(ledger.received == 8)
    #expect(ledger.duplicated == 1)
    // 9, and 3.
    #expect(ledger.missing == 2)
  }

  @Test func restartsAndRebootsAreToldApartAndLossesOfOldRunsStay() throws {
    var ledger = ProgramLedger()
    for one in try record(0) { _ = ledger.note(one) }
    for one in try record(3, dropped: 2) { _ = ledger.note(one) }
    for one in try record(0, instance: 2) {
      #expect(ledger.note(one) == .newRun(isFirst: false, isNewBoot: false))
    }
    for one in try record(0, instance: 3, boot: "c") {
      #expect(ledger.note(one) == .newRun(isFirst: false, isNewBoot: true))
    }
    for run: UInt64 in 4..<20 {
      for one in try record(0, instance: run, boot: "c") { _ = ledger.note(one) }
    }
    #expect(ledger.restarts == 18)
    #expect(ledger.missing == 2)
    #expect(ledger.droppedAtSource == 2)
  }

  @Test func numbersOfAnySizeAreNoTrap() throws {
    var ledger = ProgramLedger()
    for sequence: UInt64 in [0, .max, 5, .max - 1, 1 << 63] {
      for one in try record(sequence, time: 1, dropped: .max) { _ = ledger.note(one) }
    }
    #expect(ledger.received == 5)
    #expect(ledger.missing == .max)
  }

  @Test func aFullRingGivesUpTheOldestAndTakesWhatComesLate() {
    var ring = PointRing(capacity: 4)
    for time in [1.0, 2, 4, 5, 6] { ring.insert(Point(time: time, value: time)) }
    ring.insert(Point(time: 3, value: 3))
    ring.insert(Point(time: 0.5, value: 0))
    #expect(ring.points().map(\.time) == [3, 4, 5, 6])
    #expect(ring.dropped == 3)
    #expect(ring.points(from: 4, to: 5).map(\.time) == [4, 5])
  }

  @Test func fewerPointsKeepPeaksAndGaps() {
    var ring = PointRing(capacity: 1000)
    for time in 0..<1000 {
      ring.insert(
        time == 500 ? .gap(at: 500) : Point(time: Double(time), value: time == 333 ? 99 : 1))
    }
    let few = ring.points(limit: 40)
    #expect(few.count < 50)
    #expect(few.contains { $0.value == 99 })
    #expect(few.contains { $0.isGap })
    #expect(few.map(\.time) == few.map(\.time).sorted())
  }

  @Test func aLineEndsWhereRecordsAreMissingOrNothingCame() {
    var line = ChartLine(id: 1, device: "pi", chart: .load, label: "load1", capacity: 100)
    let run = RecordRun(bootID: "b", instance: 1)
    for time in 0..<5 { _ = line.take(.gauge(1), time: Double(time), run: run, missing: 0) }
    #expect(line.ring.points().allSatisfy { !$0.isGap })
    // Twice the distance is no gap by itself, but with a record missing it is.
    #expect(line.take(.gauge(1), time: 6, run: run, missing: 0).count == 1)
    #expect(line.take(.gauge(1), time: 8, run: run, missing: 1).first?.isGap == true)
    #expect(line.take(.gauge(1), time: 11, run: run, missing: 1).first?.isGap == true)
    let other = RecordRun(bootID: "b", instance: 2)
    #expect(line.take(.gauge(1), time: 12, run: other, missing: 1).first?.isGap == true)
  }

  @Test func countersBecomeRatesAndNeverGoBack() {
    var line = ChartLine(id: 1, device: "pi", chart: .network, label: "in", capacity: 100)
    let run = RecordRun(bootID: "b", instance: 1)
    #expect(line.take(.counter(100), time: 1, run: run, missing: 0).isEmpty)
    #expect(line.take(.counter(300), time: 3, run: run, missing: 0).map(\.value) == [100])
    #expect(line.take(.counter(5), time: 5, run: run, missing: 0).isEmpty)
    #expect(line.take(.counter(9), time: 7, run: run, missing: 0).map(\.value) == [2])
    var cpu = ChartLine(id: 2, device: "pi", chart: .cpu, label: "all", capacity: 100)
    #expect(cpu.take(.share(part: 1, whole: 10), time: 1, run: run, missing: 0).isEmpty)
    #expect(
      cpu.take(.share(part: 2, whole: 14), time: 2, run: run, missing: 0).map(\.value) == [0.25])
  }

  @Test func theLineHeardLongestAgoGoesFirst() async throws {
    let fleet = Fleet(prefix: "stats", limits: .init(points: 10, series: 3))
    for (sequence, names) in [#""load1":1,"load5":1,"load15":1"#, #""load1":2"#, #""load1":3"#]
      .enumerated()
    {
      await fleet.take(.records(try record(UInt64(sequence), names)), now: 0)
    }
    await fleet.take(
      .records(
        try record(
          0, kind: "thermal_zone", #""zone":0,"type":"cpu","temperature_celsius":48.5"#,
          topic: "stats/pi/cyclic-file-read/temperature/cpu")), now: 0)
    let lines = try #require(await fleet.snapshot(of: "pi")).lines
    #expect(Set(lines.map(\.label)) == ["load1", "load15", "cpu"])
    #expect(await fleet.overview().server.seriesDropped == 1)
  }

  @Test func whatIsNoRecordIsCountedAndNoDeviceIsBeyondTheLimit() async throws {
    let fleet = Fleet(prefix: "stats", limits: .init(devices: 1))
    for (topic, payload) in [
      ("stats/pi/x", "{"), ("stats/pi/x", "{}"), ("stats", "1"), ("stats/pi/status", "{}"),
      ("stats/other/status", #"{"state":"online"}"#),
      // No calendar has such a time.
      (
        "stats/pi/x",
        #"{"kind":"memory","time":20000000000,"boot_id":"b","instance":1,"seq":0,"dropped":0}"#
      ),
    ] {
      await fleet.take(
        .message(stats_recording.Message(topic: topic, payload: Array(payload.utf8))))
    }
    let overview = await fleet.overview()
    #expect(overview.devices.map(\.id) == ["pi"])
    #expect(overview.server.messagesRefused == 4)
    #expect(overview.server.devicesRefused == 1)
  }

  @Test func aReaderWhosePlaceIsGoneFindsNoWayOn() throws {
    var journal = UpdateJournal(byteLimit: 400)
    let start = try #require(UpdateJournal.Position(journal.position))
    for number in 0..<3 { journal.append("update", ["n": number], of: "pi") }
    let frames = journal.frames(after: start, device: "pi")
    #expect(String(buffer: frames.bytes).components(separatedBy: "event: update").count == 4)
    #expect(frames.position?.text == journal.position)
    #expect(journal.frames(after: start, device: "other").bytes.readableBytes == 0)
    for number in 0..<20 { journal.append("update", ["n": number], of: "pi") }
    #expect(journal.frames(after: start, device: "pi").position == nil)
  }

  @Test(arguments: [
    ("127.0.0.1:8080", "127.0.0.1", 8080, true), ("[::1]:0", "::1", 0, true),
    ("localhost:1", "localhost", 1, true), ("0.0.0.0:80", "0.0.0.0", 80, false),
    ("127.evil.example:80", "127.evil.example", 80, false),
  ])
  func addressesAreReadAndLoopbackIsKnown(
    _ text: String, _ host: String, _ port: Int, _ isLoopback: Bool
  ) {
    let address = ListenAddress(argument: text)
    #expect(address == ListenAddress(host: host, port: port))
    #expect(address?.isLoopback == isLoopback)
    #expect(address?.defaultValueDescription == text)
  }

  @Test(arguments: ["", "8080", ":80", "::1:80", "127.0.0.1:", "127.0.0.1:65536", "a:-1"])
  func whatIsNoAddressIsRefused(_ text: String) {
    #expect(ListenAddress(argument: text) == nil)
  }
}
