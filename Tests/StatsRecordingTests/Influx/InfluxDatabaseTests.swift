import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

/// Databases behind TLS, that are killed, and as fast as they are.
@Suite(.needs(command: "mosquitto"), .serialized) struct InfluxDatabaseTests {
  let rig: Rig

  init() throws { rig = try Rig() }

  /// InfluxDB's own TLS. What is in it is asked without TLS, when it has been started again.
  @Test(.needs(command: "influxd"), .timeLimit(.minutes(2)))
  func aDatabaseWithAnAuthorityOfItsOwnIsWrittenTo() throws {
    let certificates = try Certificates(in: rig.folder)
    try certificates.sign("server", for: "127.0.0.1")
    let database = try InfluxServer(in: rig.folder)
    try database.create()
    database.kill()
    database.tls = .init(
      certificate: certificates.path("server.pem"), key: certificates.path("server.key"))
    try database.start()
    let options = ["--url", "https://127.0.0.1:\(database.port)", "--database", "stats"]
    let stranger = try rig.influx(options + ["--session", "s"])
    let other = try rig.influx(
      options + ["--session", "o", "--database-ca-file", certificates.otherAuthority])
    let tool = try rig.influx(options + ["--database-ca-file", certificates.authority])
    let bridge = try rig.bridge()
    let load = try LoadGenerator(rig, perSecond: 1000, limit: 2000)
    try eventually("all is sent", within: 20) { load.isTaken }
    // Any server of TLS will do that has a good certificate of somebody else.
    try certificates.sign("elsewhere", for: "other.example")
    let elsewhere = try ChildProcess(
      [
        #require(Machine.command("openssl")), "s_server", "-accept", "127.0.0.1:0", "-cert",
        certificates.path("elsewhere.pem"), "-key", certificates.path("elsewhere.key"), "-www",
      ], name: "openssl", in: rig.folder)
    var port: Substring?
    try eventually("openssl listens") {
      port =
        elsewhere.output.compactMap { line in
          line.firstMatch(of: /ACCEPT 127\.0\.0\.1:(\d+)/).map { $0.1 }
        }.first
      return port != nil
    }
    let misnamed = try rig.influx([
      "--url", "https://127.0.0.1:\(port ?? "")", "--session", "m", "--database-ca-file",
      certificates.authority,
    ])
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "100ms"])
    for (mistaken, words) in [
      (stranger, "name yours with --database-ca-file"), (other, "no trusted authority has signed"),
      (misnamed, "its certificate is for another name"),
    ] {
      try eventually("it is told: \(words)", within: 20) {
        mistaken.log.contains { $0.contains(words) }
      }
    }
    try collector.stop()
    try bridge.stop()
    // What the others have said they say of a batch, so the load is long there; SIGTERM writes the rest.
    #expect(try tool.stop() == 0, "\(tool.log)")
    for mistaken in [stranger, other, misnamed] { try mistaken.stop() }
    database.kill()
    database.tls = nil
    try database.start()
    let found = try database.count("system_information", "instance = \(load.instance)")
    #expect(found == 2000, "\(tool.log)")
  }

  /// It keeps for seconds in memory what it has taken: that is written again when it is back.
  @Test(.needs(command: "victoria-metrics"), .timeLimit(.minutes(3)))
  func aVictoriaMetricsThatIsKilledUnderLoadMissesNothing() throws {
    let database = try VictoriaServer(in: rig.folder)
    let tool = try rig.influx(["--url", database.address, "--database", "stats"])
    let bridge = try rig.bridge()
    // It keeps whole milliseconds.
    let load = try LoadGenerator(rig, perSecond: 500, resolutionMicroseconds: 1000)
    for _ in 1...4 {
      try load.goOn(by: 1500)
      database.kill()
      try load.goOn(by: 300)
      try database.start()
    }
    let sent = load.stop()
    let series = "system_information_seq{device=\"\(rig.name)\"}"
    let found = try lastCount(of: sent) { try database.count(series) }
    #expect(found == sent, "\(tool.log)")
    print("\(sent) records sent, VictoriaMetrics killed 4 times, \(found) values in it")
    #expect(try tool.stop() == 0)
    #expect(tool.log.last?.contains(" 0 refused") == true)
    try bridge.stop()
  }

  /// What waits in the session is written as fast as it goes.
  @Test(.needs(command: "influxd"), .needs(command: "mosquitto_pub"), .timeLimit(.minutes(2)))
  func whatHasWaitedIsWrittenAtOnce() throws {
    let database = try InfluxServer(in: rig.folder)
    try database.create()
    #expect(try rig.influx(database).stop() == 0)
    let count = 50_000
    let records = (0..<count).map {
      MadeRecord(sequence: $0, seconds: 1_795_000_000 + Double($0) / 1000).payload
    }
    try rig.publish(records, topic: "stats/pi/cyclic-sysinfo")
    let start = ContinuousClock.now
    let tool = try rig.influx(
      ["--url", database.address, "--database", "stats", "--batch-time", "1s"])
    try eventually("all is stored", within: 60, every: 0.1) {
      try database.count("system_information") == count
    }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    #expect(try tool.stop() == 0)
    let rate = Int(Double(count) / seconds)
    print("\(count) points in \(String(format: "%.1f", seconds)) s: \(rate) points per second")
    #expect(rate > 1000)
  }

  @Test(arguments: [
    (["--database-ca-file", "/etc/passwd"], "needs a --url that begins with https://"),
    (
      ["--url", "https://x", "--database-ca-file", "/etc/passwd"],
      "/etc/passwd: no certificate (PEM) in it"
    ),
    (["--url", "https://x", "--database-ca-file", "/nowhere"], "/nowhere: No such file"),
  ])
  func aMistakeIsOneClearLine(_ options: [String], _ words: String) throws {
    let result = try rig.run([Rig.toolPath(), "influx"] + options)
    #expect(result.status == 64)
    #expect(result.log.contains { $0.contains(words) }, "\(result.log)")
  }
}
