import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

@Suite(.needs(command: "mosquitto"), .needs(command: "mosquitto_sub"))
struct RecordTests {
  /// What real programs publish under load, a witness beside the recorder, and replays of both forms to
  /// another broker.
  @Test func whatWasRecordedReplaysToTheSameBytes() throws {
    let rig = try Rig()
    let witness = try rig.subscriber()
    let (csv, sqlite) = (rig.path("csv"), rig.path("r.sqlite"))
    let recorder = try rig.recorder("--csv", csv, "--sqlite", sqlite)
    let bridge = try rig.bridge()
    var collectors = try [
      rig.program("cyclic-sysinfo", ["--interval", "10ms"]),
      rig.program(
        "cyclic-file-read",
        ["--interval", "200ms", "--processes-interval", "200ms", "--process-count", "50"]),
    ]
    if FileManager.default.fileExists(atPath: "/proc/pressure/cpu") {
      collectors.append(try rig.program("epoll-psi", ["--interval", "100ms"]))
    }
    try eventually("many records", within: 30) { witness.messages.count > 1500 }
    for collector in collectors { #expect(try collector.stop() == 0) }
    #expect(try bridge.stop() == 0)
    try eventually("the bridge has said goodbye") {
      witness.messages.last?.text("state") == "offline"
    }
    let seen = witness.messages.map { "\($0.topic)\t\($0.payload)" }
    let all = seen.count
    recorder.send(SIGUSR1)
    try eventually("all is written", within: 20) {
      recorder.send(SIGUSR1)
      return recorder.log.filter { $0.contains(": \(all) written, 0 duplicates") }.count >= 2
    }
    #expect(try recorder.stop() == 0)

    for recording in [csv, sqlite] {
      let printed = try rig.runTool("replay", recording, "--print")
      #expect(printed.status == 0)
      #expect(printed.output == seen, "\(recording)")

      let other = try Broker(in: rig.folder)
      let subscriber = try Subscriber(port: other.port, topic: "stats/#", in: rig.folder)
      let replay = try rig.runTool(
        "replay", recording, "--port", "\(other.port)", "--speed", "0")
      #expect(replay.status == 0, "\(replay.log)")
      #expect(replay.log.last?.contains("published \(all) messages") == true)
      try eventually("all came") { subscriber.messages.count >= all }
      #expect(subscriber.messages.map { "\($0.topic)\t\($0.payload)" } == seen)
      let late = try Subscriber(port: other.port, topic: "stats/#", in: rig.folder)
      try eventually("the status is retained") { late.messages.first?.isRetained == true }
      other.kill()
    }
  }

  @Test func eachFormBecomesTheOtherAndBack() throws {
    let rig = try Rig()
    let sqlite = rig.path("r.sqlite")
    let recorder = try rig.recorder("--sqlite", sqlite)
    let bridge = try rig.bridge()
    let collector = try rig.program("cyclic-file-read", ["--interval", "200ms"])
    try eventually("records are written") {
      recorder.send(SIGUSR1)
      return recorder.log.contains { $0.firstMatch(of: /\d\d\d+ written/) != nil }
    }
    try collector.stop()
    try bridge.stop()
    #expect(try recorder.stop() == 0)
    let original = try rig.runTool("replay", sqlite, "--print").output
    #expect(original.count > 100)

    #expect(try rig.runTool("replay", sqlite, "--csv", rig.path("csv")).status == 0)
    #expect(try rig.runTool("replay", rig.path("csv"), "--print").output == original)
    let back = rig.path("back.sqlite")
    #expect(try rig.runTool("replay", rig.path("csv"), "--sqlite", back).status == 0)
    #expect(try rig.runTool("replay", back, "--print").output == original)
    // Made again, nothing is added.
    let again = try rig.runTool("replay", sqlite, "--sqlite", back)
    #expect(again.log.last?.contains(": 0 written, \(original.count) duplicates left out") == true)
    let occupied = try rig.runTool("replay", sqlite, "--csv", rig.path("csv"))
    #expect(occupied.status == 1)
    #expect(occupied.log.contains { $0.contains("is not empty; give --csv a new folder") })
  }

  @Test func aRecordThatComesTwiceIsWrittenOnce() throws {
    let rig = try Rig()
    let (csv, sqlite) = (rig.path("csv"), rig.path("r.sqlite"))
    let recorder = try rig.recorder("--csv", csv, "--sqlite", sqlite)
    let records = (0..<50).map { MadeRecord(sequence: $0).payload }
    try rig.publish(records + records.prefix(20), topic: "stats/pi/cyclic-sysinfo")
    try eventually("both are written") {
      recorder.send(SIGUSR1)
      return recorder.log.filter { $0.contains(": 50 written, 20 duplicates left out") }.count >= 2
    }
    #expect(try recorder.stop() == 0)

    // Nor by another run of the recorder.
    let again = try rig.recorder("--csv", csv, "--sqlite", sqlite)
    try rig.publish(records, topic: "stats/pi/cyclic-sysinfo")
    try eventually("nothing is written again") {
      again.send(SIGUSR1)
      return again.log.filter { $0.contains(": 0 written, 50 duplicates left out") }.count >= 2
    }
    #expect(try again.stop() == 0)
    for recording in [csv, sqlite] {
      let lines = try rig.runTool("replay", recording, "--print").output
      #expect(lines == records.map { "stats/pi/cyclic-sysinfo\t\($0)" })
    }
  }

  @Test func whatIsNoRecordIsToldAndCounted() throws {
    let rig = try Rig()
    let recorder = try rig.recorder("--csv", rig.path("csv"))
    try rig.publish(["{", "[1]", "{}", "7"], topic: "stats/pi/cyclic-sysinfo")
    try rig.publish([MadeRecord().payload], topic: "stats/../..%2f/../x")
    try eventually("all came") {
      recorder.send(SIGUSR1)
      return recorder.log.contains {
        $0.contains("received 5 messages: 1 records, 0 statuses, 4 unreadable")
      }
    }
    #expect(recorder.log.contains { $0.contains("not JSON: ") && $0.contains("cyclic-sysinfo") })
    #expect(try recorder.stop() == 0)
    let folders = try FileManager.default.contentsOfDirectory(atPath: rig.path("csv")).sorted()
    #expect(folders == ["%2e%2e", ".lock"])
    #expect(
      try rig.runTool("replay", rig.path("csv"), "--print").output
        == ["stats/../..%2f/../x\t\(MadeRecord().payload)"])
  }

  @Test func aSessionKeepsWhatComesWhileTheRecorderIsAway() throws {
    let rig = try Rig()
    let sqlite = rig.path("r.sqlite")
    let options = ["--sqlite", sqlite, "--session", "keeper"]
    let first = try rig.recorder(options[0], options[1], options[2], options[3])
    let records = (0..<300).map { MadeRecord(sequence: $0).payload }
    try rig.publish(Array(records[..<100]), topic: "stats/pi/cyclic-sysinfo")
    try eventually("the first are written") {
      first.send(SIGUSR1)
      return first.log.contains { $0.contains(": 100 written") }
    }
    first.kill()
    try rig.publish(Array(records[100...]), topic: "stats/pi/cyclic-sysinfo")
    let second = try rig.recorder(options[0], options[1], options[2], options[3])
    try eventually("the others are written") {
      second.send(SIGUSR1)
      return second.log.contains { $0.contains(": 200 written") }
    }
    #expect(try second.stop() == 0)
    let lines = try rig.runTool("replay", sqlite, "--print").output
    #expect(lines == records.map { "stats/pi/cyclic-sysinfo\t\($0)" })
  }

  @Test func aBrokerThatGoesAndComesIsRecordedFromAgain() throws {
    let rig = try Rig()
    let broker = try rig.broker()
    let recorder = try rig.recorder("--sqlite", rig.path("r.sqlite"))
    try rig.publish([MadeRecord(sequence: 1).payload], topic: "stats/pi/cyclic-sysinfo")
    broker.kill()
    try eventually("it notices") { recorder.log.contains { $0.hasSuffix("; trying again") } }
    try broker.start()
    try eventually("it is back") {
      recorder.log.filter { $0.contains("recording from") }.count == 2
    }
    try rig.publish([MadeRecord(sequence: 2).payload], topic: "stats/pi/cyclic-sysinfo")
    try eventually("both are written") {
      recorder.send(SIGUSR1)
      return recorder.log.contains { $0.contains(": 2 written") }
    }
    #expect(try recorder.stop() == 0)
  }

  @Test func aSecondRecorderIsTurnedAway() throws {
    let rig = try Rig()
    let (csv, sqlite) = (rig.path("csv"), rig.path("r.sqlite"))
    let recorder = try rig.recorder("--csv", csv, "--sqlite", sqlite)
    for target in [["--csv", csv], ["--sqlite", sqlite]] {
      let second = try rig.recorder(target[0], target[1])
      #expect(try second.wait() == 1)
      #expect(second.log.contains { $0.contains("another recorder writes there") })
    }
    #expect(try recorder.stop() == 0)
  }

  @Test(arguments: [
    (["record"], "give --csv DIR, --sqlite FILE, or both"),
    (["record", "--sqlite", "/dev/null/x"], "/dev/null/x: Not a directory"),
    (["record", "--csv", "/dev/null/x"], "/dev/null/x: "),
    (["record", "--sqlite", "x", "--rotate-size", "1MiB"], "are for --csv"),
    (
      ["record", "--csv", "x", "--keep-size", "1MiB", "--rotate-size", "1MiB"], "at least two files"
    ),
    (["replay", "/nowhere"], "/nowhere: there is no such file or folder"),
    (["replay", "/proc/self", "--print"], "there is no CSV file in it"),
    (["replay", "/etc/passwd", "--print"], "/etc/passwd: not a file of stats-recording record"),
    (["replay", "x", "--print", "--csv", "y"], "only one of them"),
    (["replay", "x", "--speed=-1"], "--speed: 0 or more"),
    (["losses", "x", "--for", "3s"], "not for a recording"),
  ])
  func aMistakeIsOneClearLine(_ arguments: [String], _ words: String) throws {
    let rig = try Rig()
    let broker =
      arguments[0] == "replay" && !arguments.contains("--print")
      ? ["--port", "\(try rig.broker().port)"] : []
    let result = try rig.run([Rig.toolPath()] + arguments + broker)
    #expect(result.status != 0)
    #expect(result.log.contains { $0.contains(words) }, "\(result.log)")
    #expect(!FileManager.default.fileExists(atPath: "y"))
  }
}
