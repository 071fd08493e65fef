import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

/// What the page has of the time before its server was started, from real recordings.
@Suite(.needs(command: "mosquitto"), .serialized) struct ServeRecordingTests {
  /// Until so many lines of the load were written.
  private func wait(_ recorder: ChildProcess, forRecords count: Int) throws {
    try eventually("\(count) records are written", within: 30) {
      recorder.send(SIGUSR1)
      return recorder.log.contains { line in
        line.firstMatch(of: /: (\d+) written/).flatMap { Int($0.1) } ?? 0 >= count
      }
    }
  }

  /// The lines with their points, by chart and label.
  private func lines(_ device: ServedDevice, _ query: String) throws -> [String: [String]] {
    Dictionary(
      uniqueKeysWithValues: try device.series(query).map { line in
        let times = line["times"] as? [Double] ?? []
        let values = line["values"] as? [Any] ?? []
        return (
          "\(line["chart"] ?? "") \(line["label"] ?? "")",
          zip(times, values).map { "\($0) \($1)" }
        )
      })
  }

  private func events(_ device: ServedDevice, _ query: String) throws -> [String] {
    let answer = try device.get("api/events?device=\(device.rig.name)\(query)")
    let events = try JSONSerialization.jsonObject(with: Data(answer.text.utf8))
    return (events as? [[String: Any]] ?? []).map { "\($0["time"] ?? "") \($0["text"] ?? "")" }
  }

  /// The witness is a server that was there from the beginning: every point and every event that it
  /// has is there once, as it has it.
  @Test(arguments: ["--sqlite", "--csv"])
  func aServerThatCameLaterTellsTheSameAsOneThatWasThere(_ form: String) throws {
    let rig = try Rig()
    let recording = rig.path("recording")
    let recorder = try rig.recorder(form, recording)
    let witness = try ServedDevice(rig, [])
    let begin = Date().timeIntervalSince1970 - 1
    try witness.collect("cyclic-sysinfo", "--interval", "50ms")
    try witness.collect(
      "cyclic-file-read", "--interval", "200ms", "--processes-interval", "500ms")
    try wait(recorder, forRecords: 300)
    try witness.collectors[0].stop()
    try witness.collect("cyclic-sysinfo", "--interval", "50ms")
    try wait(recorder, forRecords: 600)

    let late = try ServedDevice(
      rig, ["--recording", recording], bridge: witness.bridge)
    let startedAt = Date().timeIntervalSince1970
    try eventually("points come to both", within: 20) {
      try late.series("&chart=load").first.map { ($0["times"] as? [Any])?.count ?? 0 > 20 } ?? false
    }
    try wait(recorder, forRecords: 1500)
    for collector in witness.collectors { try collector.stop() }
    try witness.bridge.stop()
    for server in [witness, late] {
      try eventually("it has heard the goodbye") {
        try server.summary()?["state"] as? String == "offline"
      }
    }
    // A recorder writes five times a second.
    #expect(try recorder.stop() == 0)
    let query = "&from=\(begin)&to=\(startedAt + 600)"
    let (expected, found) = (try lines(witness, ""), try lines(late, query))
    #expect(expected.count > 20)
    #expect(Set(found.keys) == Set(expected.keys))
    for (name, points) in expected { #expect(found[name] == points, "\(name)") }
    let before = expected["load load1"]?.filter {
      Double($0.prefix { $0 != " " }) ?? .infinity < startedAt
    }
    #expect(before?.count ?? 0 > 100, "most of it was before the server")
    // What each server heard first of the device is no news to it.
    let (happened, told) = (try events(witness, ""), try events(late, query))
    #expect(told.filter(happened.contains).count == happened.count, "\(happened)\n\(told)")
    #expect(Set(told).count == told.count)
    #expect(told.contains { $0.hasSuffix("cyclic-sysinfo started anew") })
    // Fewer points keep to their number.
    let few = try late.series("\(query)&points=40").compactMap { ($0["times"] as? [Any])?.count }
    #expect(few.allSatisfy { $0 <= 60 } && few.contains { $0 > 20 })
    try late.server.stop()
    try witness.server.stop()
  }

  /// A real page, of a device that the server has not heard itself and of one that it hears.
  @Test(.needs(command: "chromedriver")) func thePageGoesBackIntoTheRecording() throws {
    let past = try Rig()
    let recording = past.path("devices.sqlite")
    let recorder = try past.recorder("--sqlite", recording)
    let bridge = try past.bridge()
    let collectors = [
      try past.program("cyclic-sysinfo", ["--interval", "50ms"]),
      try past.program(
        "cyclic-file-read",
        ["--interval", "200ms", "--processes-interval", "500ms", "--process-count", "20"]),
    ]
    try wait(recorder, forRecords: 2000)
    for collector in collectors { try collector.stop() }
    try bridge.stop()
    #expect(try recorder.stop() == 0)

    let device = try ServedDevice("--recording", recording)
    try device.collect("cyclic-sysinfo", "--interval", "100ms")
    let browser = try Browser(in: device.rig.folder)
    try browser.prefer(["prefers-color-scheme": "light"])
    try browser.open(device.url + "#\(past.name)")
    try eventually("the recorded device is shown", within: 30) {
      try browser.text("return document.getElementById('state').textContent") == "recorded"
    }
    for chart in ["load", "cpu", "memory", "network", "processCPU"] {
      try browser.script("document.querySelector('[data-chart=\(chart)]').scrollIntoView()")
      try eventually("\(chart) has the points of the recording", within: 30) {
        try browser.integer(
          "return +document.querySelector('[data-chart=\(chart)]').dataset.points") > 5
      }
    }
    try eventually("and its processes") {
      try browser.integer("return document.querySelectorAll('#processes tbody tr').length") > 5
    }
    try browser.script("scrollTo(0, 0)")
    try browser.script("document.getElementById('event-details').open = true")
    try eventually("and its events") {
      try browser.text("return document.getElementById('event-list').textContent")
        .contains("cyclic-sysinfo is running")
    }
    try browser.press("5")
    try browser.screenshot(
      (ProcessInfo.processInfo.environment["STATS_SCREENS"].map { URL(filePath: $0) }
        ?? device.rig.folder).appending(path: "serve-recording.png"))
    #expect(
      try browser.text("return document.getElementById('facts').textContent")
        .contains("recorded since"))
    // The other one has come, and goes on coming.
    try browser.press("j")
    try browser.press("k")
    let other = try browser.text("return document.getElementById('name').textContent")
    #expect([past.name, device.rig.name].contains(other))
    try browser.readLogs()
    #expect(browser.console.isEmpty, "\(browser.console.prefix(3))")
    try device.stop()
  }

  @Test func aDeviceThatIsInARecordingAloneIsListed() throws {
    let rig = try Rig()
    let recording = rig.path("r.sqlite")
    let recorder = try rig.recorder("--sqlite", recording)
    try rig.publish(
      (0..<20).map { MadeRecord(sequence: $0, seconds: 1_795_644_575 + Double($0)).payload },
      topic: "stats/pi/cyclic-sysinfo")
    try wait(recorder, forRecords: 20)
    #expect(try recorder.stop() == 0)
    let device = try ServedDevice(rig, ["--recording", recording])
    let listed = try device.get("api/devices").object["devices"] as? [[String: Any]]
    let pi = try #require(listed?.first { $0["id"] as? String == "pi" })
    #expect(pi["state"] as? String == "recorded")
    let recorded = try #require(pi["recorded"] as? [String: Double])
    #expect(recorded == ["from": 1_795_644_575, "to": 1_795_644_594])
    let answer = try device.get("api/series?device=pi&from=1795644580&to=1795644584")
    let lines = answer.object["series"] as? [[String: Any]]
    #expect(
      lines?.first?["times"] as? [Double] == [580, 581, 582, 583, 584].map { 1_795_644_000 + $0 })
    // Without a beginning it is what this server keeps itself.
    let live = try device.get("api/series?device=pi")
    #expect((live.object["series"] as? [Any])?.isEmpty == true)
    try device.stop()
  }

  /// What was recorded from 0 to 9 s, and what came at other times.
  private func joined(_ came: [(time: Double, value: Double)]) -> [Point] {
    let topic = RecordTopic(device: "pi", program: "cyclic-sysinfo", place: "")
    var stretch = RecordedStretch(of: "pi", 0...1000, limits: .init())
    for second in 0..<10 {
      let payload = MadeRecord(sequence: second, seconds: Double(second)).payload
      stretch.take(
        RecordedMessage(
          received: Int64(second), time: Int64(second) * 1_000_000_000,
          source: RecordedSource(prefix: "stats", topic: topic, kind: "system_information"),
          payload: Array(payload.utf8)))
    }
    stretch.end()
    var line = ChartLine(id: 1, device: "pi", chart: .load, label: "load1", capacity: 100)
    for (time, value) in came {
      _ = line.take(
        .gauge(value), time: time, run: RecordRun(bootID: "made", instance: 7), missing: 0)
    }
    return JoinedLine(line, recorded: stretch.lines[.init(chart: .load, label: "load1")])
      .points(from: 0, to: 1000, limit: .max)
  }

  @Test func aRecordingThatEndedBeforeTheServerLeavesAGap() {
    let points = joined([(100, 2), (101, 2)])
    #expect(points.map(\.time) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9.5, 100, 101])
    #expect(points.filter(\.isGap).map(\.time) == [9.5])
  }

  @Test func whereBothHaveAPointItIsTheOneThatCame() {
    let points = joined((5..<12).map { (Double($0), 2) })
    #expect(points.map(\.time) == (0..<12).map(Double.init))
    #expect(points.map(\.value) == [0.25, 0.25, 0.25, 0.25, 0.25] + [2, 2, 2, 2, 2, 2, 2])
  }

  /// Nothing came for a while: the server's own gap, where the recording knows better.
  @Test func aGapThatTheRecordingFillsIsNone() {
    #expect(joined([(0, 2), (1, 2), (2, 2), (8, 2), (9, 2)]).allSatisfy { !$0.isGap })
    let behind = joined([(8, 2), (9, 2), (10, 2), (11, 2), (20, 2)])
    #expect(behind.filter(\.isGap).map(\.time) == [11.5])
  }

  @Test func aWrongOrEmptyRecordingIsOneLine() throws {
    let rig = try Rig()
    let empty = rig.path("empty.sqlite")
    let recorder = try rig.recorder("--sqlite", empty)
    #expect(try recorder.stop() == 0)
    let folder = rig.path("folder")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (path, words) in [
      ("/nowhere", "/nowhere: there is no such file or folder"),
      ("/etc/passwd", "/etc/passwd: not a file of stats-recording record"),
      (empty, "\(empty): nothing is recorded in it yet"),
      (folder, "\(folder): there is no CSV file in it"),
    ] {
      let server = try rig.tool("serve", "--listen", "127.0.0.1:0", "--recording", path)
      #expect(try server.wait() == 1)
      #expect(server.log.count == 1 && server.log[0].contains(words), "\(server.log)")
    }
  }
}
