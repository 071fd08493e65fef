import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

/// What a database does not take, and who must not write at all.
@Suite(
  .needs(command: "mosquitto"), .needs(command: "mosquitto_pub"), .needs(command: "influxd"),
  .serialized)
struct InfluxRefusalTests {
  let rig: Rig

  init() throws { rig = try Rig() }

  /// Publishes each line as a message, as fast as mosquitto_pub(1) can.
  private func publish(_ lines: [String], _ path: String = "cyclic-sysinfo") throws {
    let file = rig.folder.appending(path: Machine.uniqueName()).path()
    try (lines.joined(separator: "\n") + "\n").write(
      toFile: file, atomically: true, encoding: .utf8)
    let publisher = try ChildProcess(
      [
        try #require(Machine.command("mosquitto_pub")), "-h", "127.0.0.1", "-p",
        "\(rig.broker().port)", "-V", "5", "-q", "1", "-l", "-t", "stats/\(rig.name)/\(path)",
      ], name: "mosquitto_pub", in: rig.folder, input: file)
    try #require(try publisher.wait(within: 60) == 0, "\(publisher.log)")
  }

  private func record(_ kind: String, _ index: Int, _ fields: String) -> String {
    #"{"v":1,"kind":"\#(kind)","time":\#(1_795_000_000 + index).25,"boot_id":"b","instance":1,"#
      + #""seq":\#(index),"dropped":0,"clock_synced":true,\#(fields)}"#
  }

  @Test(.timeLimit(.minutes(2))) func aPointThatIsRefusedIsCountedAndHoldsUpNoOther() throws {
    let database = try InfluxServer(in: rig.folder)
    try database.create()
    // Somebody has made a text of what is a number.
    let line = "odd,device=\(rig.name),program=cyclic-sysinfo n=\"text\" 1795000000000000000"
    #expect(HTTP.post("\(database.address)/write?db=stats", line)?.status == 204)
    let tool = try rig.influx(database, "--batch-size", "1000", "--batch-time", "2s")
    try publish(
      (0..<1000).map { index in
        index % 100 == 7
          ? record("odd", index, #""n":5"#) : record("system_information", index, #""load1":0.5"#)
      })
    try eventually("the others are there", within: 20) {
      try database.count("system_information") == 990
    }
    #expect(try tool.stop() == 0)
    #expect(tool.log.last?.contains("1000 records, 990 points stored, 10 refused") == true)
    let told = tool.log.filter { $0.contains("refuses") }
    #expect(told.count == 1)
    #expect(told.first?.contains("field type conflict: input field \"n\"") == true)
    #expect(try database.count("odd") == 0)
  }

  @Test(.timeLimit(.minutes(2))) func whatIsTooLargeAtOnceIsWrittenInPieces() throws {
    let database = try InfluxServer(in: rig.folder, settings: "max-body-size = 20000")
    try database.create()
    let tool = try rig.influx(database, "--batch-time", "1s", "--no-gzip")
    let text = String(repeating: "x", count: 100)
    try publish((0..<1000).map { record("new_kind", $0, #""t":"\#(text)""#) })
    try publish([record("huge", 0, #""t":"\#(String(repeating: text, count: 300))""#)])
    try eventually("all but the huge one are there", within: 20) {
      try database.count("new_kind") == 1000
    }
    #expect(try tool.stop() == 0)
    #expect(tool.log.last?.contains("1000 points stored, 1 refused") == true)
  }

  @Test(.timeLimit(.minutes(2))) func whoMayNotWriteWaitsAndIsTold() throws {
    let database = try InfluxServer(in: rig.folder, settings: "auth-enabled = true")
    database.user = "admin:secret"
    _ = HTTP.post(
      "\(database.address)/query",
      "q=\(HTTP.encoded("CREATE USER admin WITH PASSWORD 'secret' WITH ALL PRIVILEGES"))")
    let password = rig.folder.appending(path: "password").path()
    try "wrong\n".write(toFile: password, atomically: true, encoding: .utf8)
    func tool() throws -> ChildProcess {
      try rig.influx(
        database, "--database-username", "admin", "--database-password-file", password)
    }
    let stranger = try tool()
    try publish((0..<10).map { record("system_information", $0, #""load1":0.5"#) })
    try eventually("it is told") { stranger.log.contains { $0.contains("authorization failed") } }
    #expect(try stranger.stop() == 0)
    try "secret\n".write(toFile: password, atomically: true, encoding: .utf8)
    let friend = try tool()
    try eventually("the database is asked for") {
      friend.log.contains { $0.contains("database not found") }
    }
    try database.create()
    try eventually("what waited is there", within: 20) {
      try database.count("system_information") == 10
    }
    #expect(try friend.stop() == 0)
  }

  /// Texts that nobody would write, of a process that may call itself anything.
  @Test(.timeLimit(.minutes(2))) func hostileTextsArriveAsTheyAre() throws {
    let database = try InfluxServer(in: rig.folder)
    try database.create()
    let tool = try rig.influx(database)
    let texts = [
      #"a,b=c d"#, #"say "x""#, #"C:\dir\x"#, "é😀", "tab\there", "#comment", "'", "=", ",", " ",
      #"\x2d"#, "a b\\\\x", "i", "t", "5i", "\u{1}",
    ]
    let lines = try texts.enumerated().map { index, text in
      let json = String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
      return record("core_dump", index, #""comm":\#(json),"command_line":\#(json)"#)
    }
    try publish(lines, "inotify-coredump")
    try eventually("all are there", within: 20) {
      try database.count("core_dump") == texts.count
    }
    let rows = try database.query("SELECT comm, command_line FROM core_dump ORDER BY time")
    #expect(rows.map { $0["comm"] as? String } == texts)
    #expect(rows.map { $0["command_line"] as? String } == texts)
    // What line protocol cannot say: a newline, and a backslash before a byte with an escape.
    try publish(
      [record("core_dump", 100, #""comm":"a\nb\\","command_line":"a\nb\\""#)], "inotify-coredump")
    try eventually("it is there") { try database.count("core_dump") == texts.count + 1 }
    let last = try database.query(
      "SELECT comm, command_line FROM core_dump ORDER BY time DESC LIMIT 1")
    #expect(last.first?["comm"] as? String == "a b_")
    #expect(last.first?["command_line"] as? String == #"a\nb\"#)
    #expect(try tool.stop() == 0)
  }

  @Test(.timeLimit(.minutes(2))) func whatIsNoRecordIsCountedAndNotAskedForAgain() throws {
    let database = try InfluxServer(in: rig.folder)
    try database.create()
    let tool = try rig.influx(database)
    try publish(
      ["{}", "[1]", "hello", "{\"v\":1"] + [record("system_information", 0, #""load1":1"#)])
    try eventually("the record is there") { try database.count("system_information") == 1 }
    #expect(try tool.stop() == 0)
    #expect(tool.log.contains { $0.contains("messages are no records") })
    #expect(tool.log.last?.contains("4 messages not understood") == true)
    let again = try rig.influx(database)
    #expect(try again.stop() == 0)
    #expect(again.log.last?.contains("0 messages") == true)
  }

  @Test(.timeLimit(.minutes(2))) func twoOfOneSessionAreTold() throws {
    let database = try InfluxServer(in: rig.folder)
    try database.create()
    let first = try rig.influx(database)
    let second = try rig.influx(database)
    try eventually("it is told", within: 30) {
      (first.log + second.log).contains { $0.contains("--session of its own") }
    }
    try first.stop()
    try second.stop()
  }

  /// Version 2's address, at a database that has it; the same record twice is one.
  @Test(.needs(command: "victoria-metrics"), .timeLimit(.minutes(3)))
  func aDatabaseOfVersion2ThatIsRestartedUnderLoadMissesNothing() throws {
    let database = try VictoriaServer(in: rig.folder)
    let token = rig.folder.appending(path: "token").path()
    try "secret\n".write(toFile: token, atomically: true, encoding: .utf8)
    let options = [
      "--url", database.address, "--org", "o", "--bucket", "stats", "--token-file", token,
    ]
    var tool = try rig.influx(options)
    let bridge = try rig.bridge()
    // It keeps whole milliseconds.
    let load = try LoadGenerator(rig, perSecond: 200, resolutionMicroseconds: 1000)
    for _ in 1...3 {
      try load.goOn(by: 400)
      try database.stop()
      try load.goOn(by: 400)
      try database.start()
      tool.kill()
      tool = try rig.influx(options, waits: false)
    }
    let sent = load.stop()
    let series = "system_information_seq{device=\"\(rig.name)\"}"
    let found = try lastCount(of: sent) { try database.count(series) }
    #expect(found == sent)
    print("\(sent) records sent, \(found) values in VictoriaMetrics")
    #expect(try tool.stop() == 0)
    try bridge.stop()
  }
}
