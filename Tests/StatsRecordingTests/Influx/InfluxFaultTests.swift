import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

/// Nothing is lost while database, broker or the program itself come and go, and each point is there
/// once.
@Suite(.needs(command: "mosquitto"), .needs(command: "influxd"), .serialized)
struct InfluxFaultTests {
  let rig: Rig
  let database: InfluxServer

  init() throws {
    rig = try Rig()
    database = try InfluxServer(in: rig.folder)
    try database.create()
  }

  private func count(_ load: LoadGenerator) throws -> Int {
    try database.count("system_information", "instance = \(load.instance)")
  }

  /// All that the bridge has published is in the database; which came once and which came more
  /// often, its count does not tell: the same point is one.
  private func expectAll(_ load: LoadGenerator) throws {
    let sent = load.stop()
    #expect(sent > 1000)
    let found = try lastCount(of: sent) { try count(load) }
    #expect(found == sent)
    print("\(sent) records sent, \(found) points")
  }

  @Test(.timeLimit(.minutes(3))) func aDatabaseThatIsKilledUnderLoadMissesNothing() throws {
    let tool = try rig.influx(database)
    let bridge = try rig.bridge()
    let load = try LoadGenerator(rig, perSecond: 2000)
    for round in 1...4 {
      try load.goOn(by: 2000)
      database.kill()
      try load.goOn(by: 1500 * round)
      try database.start()
    }
    try expectAll(load)
    #expect(tool.log.contains { $0.contains("trying again") })
    #expect(tool.log.contains { $0.contains("the database is back") })
    #expect(try tool.stop() == 0)
    #expect(tool.log.last?.contains(" 0 refused") == true)
    try bridge.stop()
  }

  @Test(.timeLimit(.minutes(3))) func aProgramThatIsKilledAtRandomMissesNothing() throws {
    var tool = try rig.influx(database, "--batch-size", "500")
    let bridge = try rig.bridge()
    let load = try LoadGenerator(rig, perSecond: 2000)
    for _ in 1...12 {
      try load.goOn(by: .random(in: 100...1400))
      tool.kill()
      tool = try rig.influx(database, "--batch-size", "500", waits: false)
    }
    try expectAll(load)
    #expect(try tool.stop() == 0)
    try bridge.stop()
  }

  /// mosquitto writes what it does: no PUBACK comes while the database has not answered.
  @Test(.timeLimit(.minutes(2))) func aMessageIsAcknowledgedWhenTheDatabaseHasIt() throws {
    let broker = try rig.broker(
      settings: "listener PORT 127.0.0.1\nallow_anonymous true\nlog_type debug")
    let tool = try rig.influx(database, "--session", "witness")
    let bridge = try rig.bridge()
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "20ms"])
    func lines(_ what: String) -> Int { broker.log.count { $0.contains(what) } }
    let (sent, acknowledged) = ("Sending PUBLISH to witness", "Received PUBACK from witness")
    try eventually("PUBACKs come") { lines(acknowledged) > 20 }

    database.process?.send(SIGSTOP)
    // What the database had answered just before is acknowledged still.
    var before = -1
    try eventually("no PUBACK is under way any more", every: 0.5) {
      defer { before = lines(acknowledged) }
      return lines(acknowledged) == before
    }
    let began = lines(sent)
    try eventually("100 more messages are sent", within: 20) { lines(sent) >= began + 100 }
    #expect(lines(acknowledged) == before)
    #expect(lines(sent) >= before + 100)

    database.process?.send(SIGCONT)
    try collector.stop()
    try bridge.stop()
    try eventually("all is acknowledged", within: 20) { lines(sent) == lines(acknowledged) }
    print("\(lines(sent) - before) messages waited for the database without a PUBACK")
    #expect(try tool.stop() == 0)
  }

  /// Asked to end while the database is away, it leaves to the broker what is not stored.
  @Test(.timeLimit(.minutes(2))) func anEndWithoutTheDatabaseLosesNothing() throws {
    let tool = try rig.influx(database)
    let bridge = try rig.bridge()
    let load = try LoadGenerator(rig, perSecond: 1000)
    try eventually("points come") { try count(load) > 500 }
    database.kill()
    try load.goOn(by: 1000)
    #expect(try tool.stop() == 0)
    #expect(tool.log.contains { $0.contains("stay with the broker") })
    try database.start()
    let next = try rig.influx(database)
    try expectAll(load)
    #expect(!next.log.contains { $0.contains("does not know the session") })
    try next.stop()
    try bridge.stop()
  }

  @Test(.timeLimit(.minutes(3))) func twoInstancesShareTheLoadAndOneMayDie() throws {
    let first = try rig.influx(database, "--share", "g", "--session", "g1")
    let second = try rig.influx(database, "--share", "g", "--session", "g2")
    let bridge = try rig.bridge()
    let load = try LoadGenerator(rig, perSecond: 1000)
    try eventually("load goes on") { load.sent > 3000 }
    let sent = load.stop()
    try eventually("\(sent) points", within: 30) { try count(load) == sent }
    #expect(try first.stop() == 0 && second.stop() == 0)
    let shares = try [first, second].map { tool in
      let line = try #require(tool.log.last)
      return try #require(Int(line.firstMatch(of: #/(\d+) records/#)?.1 ?? ""))
    }
    #expect(shares.allSatisfy { $0 > sent / 10 })
    #expect(shares.reduce(0, +) == sent)
    print("\(sent) records, shared as \(shares)")
    try bridge.stop()
  }
}
