import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

/// The program against a real Mosquitto and a real InfluxDB.
@Suite(.needs(command: "mosquitto"), .needs(command: "influxd"))
struct InfluxTests {
  let rig: Rig
  let database: InfluxServer

  init() throws {
    rig = try Rig()
    database = try InfluxServer(in: rig.folder)
  }

  @Test func whatRealProgramsSendIsInTheDatabase() throws {
    try database.create()
    let subscriber = try rig.subscriber()
    let tool = try rig.influx(database)
    let bridge = try rig.bridge()
    let collectors = [
      try rig.program("cyclic-sysinfo", ["--interval", "100ms"]),
      try rig.program("cyclic-file-read", ["--interval", "500ms"]),
    ]
    try eventually("records come", within: 20) { subscriber.messages.count > 100 }
    for collector in collectors { try collector.stop() }
    try bridge.stop()
    try eventually("the will or the last status comes") {
      subscriber.messages(of: "/status").last?.text("state") == "offline"
    }
    #expect(try tool.stop() == 0)
    let kinds = Dictionary(grouping: subscriber.messages.filter { $0.integer("seq") != nil }) {
      $0.text("kind") ?? ""
    }
    #expect(kinds.count > 8)
    for (kind, messages) in kinds { #expect(try database.count(kind) == messages.count, "\(kind)") }
    let load = try #require(
      try database.query("SELECT * FROM system_information ORDER BY time LIMIT 1").first)
    let message = try #require(kinds["system_information"]?.first)
    #expect(load["device"] as? String == rig.name)
    #expect(load["program"] as? String == "cyclic-sysinfo")
    #expect(load["load1"] as? Double == message.number("load1"))
    #expect((load["seq"] as? NSNumber)?.intValue == message.integer("seq"))
    #expect(load["boot_id"] as? String == message.text("boot_id"))
    let status = try database.query("SELECT * FROM bridge_status ORDER BY time LIMIT 1")
    #expect(status.first?["state"] as? String == "online")
  }
}

extension Rig {
  /// Starts the tool with a short batch time; it has subscribed when this returns.
  func influx(_ database: InfluxServer, _ options: String..., waits: Bool = true) throws
    -> ChildProcess
  {
    try influx(["--url", database.address, "--database", "stats"] + options, waits: waits)
  }

  func influx(_ options: [String], waits: Bool = true) throws -> ChildProcess {
    let process = try ChildProcess(
      [
        Self.toolPath(), "influx", "--host", "127.0.0.1", "--port", "\(broker().port)",
        "--batch-time", "100ms",
      ] + options, name: "influx", in: folder)
    if waits {
      try eventually("influx connects") { process.log.contains { $0.contains("connected to") } }
    }
    return process
  }
}
