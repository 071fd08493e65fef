import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

/// The reading interface that other commands use.
struct RecordingTests {
  /// Two devices, 100 records each a second apart, the second device's half a second later.
  private func made(_ rig: Rig) throws -> Recording {
    let path = rig.path("r.sqlite")
    let writer = try RecordingWriter(path, RecordingLimits())
    var clock = ArrivalClock()
    var arrivals: [Arrival] = []
    for index in 0..<100 {
      for (device, offset) in [("pi", 0.0), ("other", 0.5)] {
        let record = MadeRecord(
          sequence: index, seconds: 1000 + Double(index) + offset, load: "\(index)")
        arrivals += try Arrival.arrivals(
          stats_recording.Message(
            topic: "stats/\(device)/cyclic-sysinfo", payload: Array(record.payload.utf8)),
          prefix: "stats", clock: &clock)
      }
    }
    #expect(writer.write(arrivals) == RecordingCount(written: 200))
    writer.close()
    return try Recording(path)
  }

  private func nanoseconds(_ seconds: Double) -> Int64 { Int64(seconds * 1e9) }

  @Test func recordsAreFoundByDeviceAndTime() throws {
    let rig = try Rig()
    let recording = try made(rig)
    var selection = RecordingSelection(device: "pi", kind: "system_information")
    selection.times = nanoseconds(1010)..<nanoseconds(1020)
    selection.order = .oldestFirst
    #expect(try recording.records(selection).map(\.sequence) == Array(10..<20))
    selection.order = .newestFirst
    #expect(try recording.records(selection).map(\.sequence) == Array((10..<20).reversed()))
    #expect(try recording.records(selection, limit: 3).map(\.sequence) == [19, 18, 17])
    selection.device = nil
    #expect(
      try recording.records(selection, limit: 3).map(\.topic.device) == ["other", "pi", "other"])
    selection.program = "epoll-psi"
    #expect(try recording.records(selection).isEmpty)
    #expect(try recording.times() == nanoseconds(1000)...nanoseconds(1099.5))
    #expect(try recording.sources().map(\.topic.device) == ["pi", "other"])
  }

  @Test func valuesOfAFieldAreFoundByPattern() throws {
    let rig = try Rig()
    let recording = try made(rig)
    var selection = RecordingSelection()
    selection.order = .oldestFirst
    let values = try recording.values(FieldPattern("other/cyclic-sysinfo/load1"), selection)
    #expect(values.keys.map(\.source.topic.device) == ["other"])
    #expect(values.keys.map(\.field) == ["load1"])
    let points = try #require(values.values.first)
    #expect(points.map(\.time) == (0..<100).map { nanoseconds(1000.5 + Double($0)) })
    #expect(points.map(\.value) == (0..<100).map { .number("\($0)") })
  }

  /// What is read while it is being written neither blocks the writer nor is blocked.
  @Test func aRecordingIsReadWhileItIsWritten() throws {
    let rig = try Rig()
    let path = rig.path("r.sqlite")
    let writer = try RecordingWriter(path, RecordingLimits())
    let recording = try Recording(path)
    var clock = ArrivalClock()
    func write(_ numbers: Range<Int>) throws {
      let arrivals = try numbers.flatMap { number in
        try Arrival.arrivals(
          stats_recording.Message(
            topic: "stats/pi/cyclic-sysinfo",
            payload: Array(MadeRecord(sequence: number).payload.utf8)),
          prefix: "stats", clock: &clock)
      }
      #expect(writer.write(arrivals).written == numbers.count)
    }
    try write(0..<1500)
    var messages = try recording.messages()
    for number in 0..<1000 {
      let message = try messages.next()
      #expect(message?.record?.sequence == UInt64(number))
    }
    try write(1500..<2000)
    for number in 1000..<2000 {
      let message = try messages.next()
      #expect(message?.record?.sequence == UInt64(number))
    }
    let end = try messages.next()
    #expect(end == nil)
    writer.close()
  }

  @Test func aFileThatIsNoRecordingIsRefusedWithTheReason() throws {
    let rig = try Rig()
    #expect(throws: RecordingFailure("/nowhere: there is no such file")) {
      try Recording("/nowhere")
    }
    let text = rig.path("text")
    try String(repeating: "no database ", count: 100).write(
      toFile: text, atomically: true, encoding: .utf8)
    #expect(throws: RecordingFailure("\(text): file is not a database")) { try Recording(text) }
    let other = rig.path("other.sqlite")
    _ = try rig.run([
      #require(Machine.command("sqlite3")), other, "CREATE TABLE a (b); PRAGMA user_version = 1",
    ])
    let words = "\(other) is an SQLite file, but no recording of stats-recording"
    #expect(throws: RecordingFailure(words)) { try Recording(other) }
    #expect(throws: RecordingFailure(words)) { try RecordingWriter(other, RecordingLimits()) }
    let later = try made(rig).path
    _ = try rig.run([
      #require(Machine.command("sqlite3")), later, "PRAGMA user_version = 99",
    ])
    #expect {
      try Recording(later)
    } throws: {
      "\($0)".contains("by a later version of stats-recording: it has format 99")
    }
  }

  @Test func whatIsReplayedIsChosenByDeviceAndTimeInEitherOrder() throws {
    let rig = try Rig()
    let path = try made(rig).path
    #expect(try rig.runTool("replay", path, "--csv", rig.path("csv")).status == 0)
    for recording in [path, rig.path("csv")] {
      let some = try rig.runTool(
        "replay", recording, "--device", "pi", "--from", "1010", "--to", "1012", "--print")
      #expect(
        some.output
          == [10, 11].map {
            "stats/pi/cyclic-sysinfo\t"
              + MadeRecord(sequence: $0, seconds: 1000 + Double($0), load: "\($0)").payload
          })
      let sorted = try rig.runTool("replay", recording, "--order", "time", "--print").output
      let times = sorted.compactMap {
        $0.firstMatch(of: /"time":([\d.]+)/).flatMap { Double($0.1) }
      }
      #expect(times.count == 200)
      #expect(times == times.sorted())
    }
  }

  @Test(.needs(command: "mosquitto")) func aReplayKeepsItsPace() throws {
    let rig = try Rig()
    let path = try made(rig).path
    // 1000 to 1099.5 by the time they were taken, in 1 s: their arrivals were at once.
    let begin = ContinuousClock.now
    let replay = try rig.runTool(
      "replay", path, "--port", "\(rig.broker().port)", "--order", "time", "--speed", "99.5")
    let elapsed = ContinuousClock.now - begin
    #expect(replay.status == 0, "\(replay.log)")
    #expect(elapsed > .milliseconds(990) && elapsed < .seconds(3), "\(elapsed)")
  }

  @Test(.needs(command: "mosquitto")) func aReplayThatIsRefusedSaysSo() throws {
    let rig = try Rig()
    let path = try made(rig).path
    let access = rig.path("acl")
    try "topic write stats/pi/#\n".write(toFile: access, atomically: true, encoding: .utf8)
    let broker = try rig.broker(
      settings: "listener PORT 127.0.0.1\nallow_anonymous true\nacl_file \(access)")
    let replay = try rig.runTool("replay", path, "--port", "\(broker.port)", "--speed", "0")
    #expect(replay.status == 1)
    #expect(replay.log.contains { $0.contains("refused 100 messages: Not authorized (135)") })
    let other = try rig.runTool("replay", path, "--port", "1", "--speed", "0")
    #expect(other.status == 1)
    #expect(other.log.contains { $0.contains("connect to 127.0.0.1:1: Connection refused") })
  }

  @Test(.needsRoot) func aRecordingOnAReadOnlyDiskIsRead() throws {
    let rig = try Rig()
    let path = try made(rig).path
    let result = try rig.run([
      "/usr/bin/unshare", "--mount", "/bin/sh", "-c",
      "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\" && exec \"$0\" replay \"$2\" --print",
      Rig.toolPath(), rig.folder.path(), path,
    ])
    #expect(result.status == 0, "\(result.log)")
    #expect(result.output.count == 200)
  }
}
