import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

/// A replay is published as a bridge does it, also over a connection that breaks.
@Suite(.needs(command: "mosquitto"), .needs(command: "mosquitto_sub")) struct ReplayTests {
  private let topic = "stats/pi/cyclic-sysinfo"

  /// A recording of so many records of one program.
  private func recording(_ rig: Rig, _ count: Int) throws -> String {
    let path = rig.path("r.sqlite")
    let recorder = try rig.recorder("--sqlite", path)
    // One each 10 ms.
    let records = (0..<count).map {
      MadeRecord(sequence: $0, seconds: 1_795_644_575 + Double($0) / 100).payload
    }
    try rig.publish(records, topic: topic)
    try eventually("all are written", within: 20) {
      recorder.send(SIGUSR1)
      return recorder.log.contains { $0.contains(": \(count) written") }
    }
    #expect(try recorder.stop() == 0)
    return path
  }

  /// Each message reaches the subscriber, the first time in the order of the recording.
  private func expectAll(_ subscriber: Subscriber, _ count: Int) throws -> Int {
    try eventually("the last came", within: 20) {
      subscriber.messages.last?.integer("seq") == count - 1
    }
    let came = subscriber.messages.compactMap { $0.integer("seq") }
    var seen: Set<Int> = []
    #expect(came.filter { seen.insert($0).inserted } == Array(0..<count))
    return came.count - count
  }

  @Test(.timeLimit(.minutes(3))) func aConnectionThatIsCutGoesOnWhereItStopped() throws {
    let rig = try Rig()
    let recording = try recording(rig, 3000)
    let target = try Broker(in: rig.folder)
    let subscriber = try Subscriber(port: target.port, topic: "stats/#", in: rig.folder)
    let tap = try Tap(to: target)
    defer { tap.end() }
    tap.set(.cutsEvery(700))
    let replay = try rig.runTool(
      "replay", recording, "--port", "\(tap.port)", "--speed", "0", within: 60)
    #expect(replay.status == 0, "\(replay.log)")
    #expect(replay.log.last?.hasSuffix("published 3000 messages") == true, "\(replay.log)")
    #expect(tap.passed.connections >= 5)
    #expect(
      replay.log.filter { $0.contains("connected again") }.count == tap.passed.connections - 1)
    let again = try expectAll(subscriber, 3000)
    #expect(again <= ReplayPublisher.window * (tap.passed.connections - 1))
    print("3000 messages over \(tap.passed.connections) connections, \(again) came twice")
  }

  /// What the broker had acknowledged went under with it; nothing behind that is left out.
  @Test(.timeLimit(.minutes(3))) func aBrokerThatIsRestartedGetsTheRest() throws {
    let rig = try Rig()
    let recording = try recording(rig, 2000)
    let target = try Broker(in: rig.folder)
    let replay = try ChildProcess(
      [Rig.toolPath(), "replay", recording, "--port", "\(target.port)", "--order", "time"],
      name: "replay", in: rig.folder)
    let witness = try Subscriber(port: target.port, topic: "stats/#", in: rig.folder)
    try eventually("messages come", within: 20) { !witness.messages.isEmpty }
    try eventually("it tells of them", within: 20) {
      replay.send(SIGUSR1)
      return replay.log.contains { $0.firstMatch(of: /published [1-9]\d* messages/) != nil }
    }
    target.kill()
    try eventually("it is told") {
      replay.log.contains { $0.contains("messages are acknowledged; trying again") }
    }
    try target.start()
    let subscriber = try Subscriber(port: target.port, topic: "stats/#", in: rig.folder)
    try eventually("it is back", within: 20) {
      replay.log.contains { $0.contains("connected again") } && subscriber.messages.count > 10
    }
    let came = subscriber.messages.compactMap { $0.integer("seq") }
    let first = try #require(came.first)
    #expect(came == Array(first..<first + came.count))
    #expect(try replay.stop() == 0, "\(replay.log)")
  }

  @Test func aBrokerThatIsNotThereIsToldAtOnce() throws {
    let rig = try Rig()
    let recording = try recording(rig, 1)
    try rig.broker().kill()
    let replay = try rig.runTool("replay", recording, "--port", "\(rig.broker().port)")
    #expect(replay.status == 1)
    #expect(replay.log.count == 1 && replay.log[0].contains("Connection refused"), "\(replay.log)")
  }

  /// mosquitto_sub(1) prints the properties of a bridge's message, and of its replay.
  @Test func contentTypeAndExpiryAreThoseOfABridge() throws {
    let rig = try Rig()
    func witness(_ port: Int) throws -> ChildProcess {
      let process = try ChildProcess(
        [
          "/usr/bin/stdbuf", "-oL", "/usr/bin/mosquitto_sub", "-h", "127.0.0.1", "-p", "\(port)",
          "-V", "5", "-q", "1", "-t", "stats/+/cyclic-sysinfo", "-d", "-F", "message %C %E %p",
        ], name: "mosquitto_sub", in: rig.folder)
      try eventually("it has subscribed") { process.output.contains { $0.hasPrefix("Subscribed") } }
      return process
    }
    func first(_ witness: ChildProcess) throws -> [Substring] {
      var line: String?
      try eventually("a message comes", within: 20) {
        line = witness.output.first { $0.hasPrefix("message ") }
        return line != nil
      }
      return try #require(line).split(separator: " ", maxSplits: 3)
    }
    let live = try witness(rig.broker().port)
    let recorder = try rig.recorder("--sqlite", rig.path("r.sqlite"))
    let bridge = try rig.bridge()
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "100ms"])
    let original = try first(live)
    try eventually("it is written") {
      recorder.send(SIGUSR1)
      return recorder.log.contains { $0.firstMatch(of: /: \d\d+ written/) != nil }
    }
    try collector.stop()
    try bridge.stop()
    try recorder.stop()
    let other = try Broker(in: rig.folder)
    let replayed = try witness(other.port)
    #expect(
      try rig.runTool("replay", rig.path("r.sqlite"), "--port", "\(other.port)", "--speed", "0")
        .status == 0)
    let again = try first(replayed)
    #expect(again[1] == "application/json" && again[1] == original[1])
    // A broker takes off whole seconds that it has had the message.
    let expiries = [original, again].compactMap { Int($0[2]) }
    #expect(expiries.count == 2 && expiries.allSatisfy { 86_395...86_400 ~= $0 }, "\(expiries)")
    #expect(again[3] == original[3])
    let brief = try witness(other.port)
    #expect(
      try rig.runTool(
        "replay", rig.path("r.sqlite"), "--port", "\(other.port)", "--speed", "0",
        "--message-expiry", "60s"
      ).status == 0)
    #expect(try Int(first(brief)[2]).map { 55...60 ~= $0 } == true)
  }

  @Test(arguments: [
    ["record", "--sqlite", "x"], ["replay", "x"], ["losses", "x"], ["watch"], ["influx"],
  ])
  func aDeviceThatIsNoLevelOfATopicIsRefused(_ command: [String]) throws {
    let rig = try Rig()
    for device in ["a/b", "+", "#", ""] {
      let result = try rig.run([Rig.toolPath()] + command + ["--device", device])
      #expect(result.status == 64)
      #expect(
        result.log.contains { $0.contains("--device \(device): a level of a topic") },
        "\(result.log)")
    }
    #expect(!FileManager.default.fileExists(atPath: "x"))
  }
}
