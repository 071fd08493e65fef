import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

/// Streams of which each number is known.
struct LossCountTests {
  private func count(_ records: [MadeRecord], late: Int64 = 1_000_000_000) throws -> LossCount {
    var count = LossCount(lateNanoseconds: late)
    for record in records { count.add(try record.record()) }
    return count
  }

  private func numbers(_ count: LossCount) -> [UInt64] {
    [
      count.received, count.duplicated, count.missing, count.droppedAtSource, count.lostOnTheWay,
      count.late, count.restarts, count.reboots,
    ]
  }

  @Test func aWholeRunMissesNothing() throws {
    let count = try count((5..<25).map { MadeRecord(sequence: $0) })
    #expect(numbers(count) == [20, 0, 0, 0, 0, 0, 0, 0])
  }

  @Test func whatWasDroppedAtTheSourceIsToldFromWhatWasLostOnTheWay() throws {
    // 3 dropped by the program and 2 lost behind it.
    let records = [
      MadeRecord(sequence: 10, dropped: 4), MadeRecord(sequence: 14, dropped: 7),
      MadeRecord(sequence: 17, dropped: 7),
    ]
    #expect(numbers(try count(records)) == [3, 0, 5, 3, 2, 0, 0, 0])
  }

  @Test func whatComesTwiceIsCountedOnce() throws {
    let records = [1, 2, 3, 2, 3, 3, 4].map { MadeRecord(sequence: $0) }
    #expect(numbers(try count(records)) == [4, 3, 0, 0, 0, 0, 0, 0])
  }

  @Test func whatComesInAnotherOrderIsNotMissing() throws {
    let records = [4, 1, 3, 0, 2].map {
      MadeRecord(sequence: $0, dropped: 0, seconds: 1000 + Double($0))
    }
    // 1 and 0 and 2 are more than a second older than 4; 3 is just one.
    #expect(numbers(try count(records)) == [5, 0, 0, 0, 0, 3, 0, 0])
    #expect(try count(records, late: 3_000_000_000).late == 1)
  }

  @Test func aRunThatFollowsBeginsAtItsFirstRecord() throws {
    let records = [
      MadeRecord(instance: 7, sequence: 100, dropped: 50, seconds: 1000),
      // Started again, of which the first three are missing, one of them dropped; then rebooted.
      MadeRecord(instance: 9, sequence: 3, dropped: 1, seconds: 1001),
      MadeRecord(instance: 2, sequence: 1, seconds: 1002, bootID: "next"),
    ]
    #expect(numbers(try count(records)) == [3, 0, 4, 1, 3, 0, 1, 1])
  }

  @Test func anEarlierRunThatComesLateIsNoRestart() throws {
    let records = [
      MadeRecord(instance: 9, sequence: 0, seconds: 1000),
      MadeRecord(instance: 7, sequence: 80, seconds: 900),
      MadeRecord(instance: 7, sequence: 82, seconds: 901),
    ]
    #expect(numbers(try count(records)) == [3, 0, 1, 0, 1, 2, 0, 0])
  }

  @Test func numbersAtTheEdgesOfTheirTypesAreCounted() throws {
    let records = [0, Int.max].map { MadeRecord(sequence: $0) }
    #expect(try count(records).missing == UInt64(Int.max) - 1)
    var count = LossCount(lateNanoseconds: 0)
    for seconds in ["9223372036.8", "-9223372036.8"] {
      let made = MadeRecord(sequence: seconds.count).payload
        .replacing("1795644575", with: seconds)
      let members = try #require(JSONValue(parsing: Array(made.utf8)).members)
      let topic = try #require(RecordTopic("s/a/b", prefix: "s"))
      count.add(try #require(PublishedRecord(members, topic: topic)))
    }
    #expect(count.late == 1)
  }
}

/// The same by real queues, bridges and brokers.
@Suite(.needs(command: "mosquitto"), .needs(command: "mosquitto_sub"))
struct LossesTests {
  private func losses(_ rig: Rig, _ options: String...) throws -> ChildProcess {
    try ChildProcess(
      [Rig.toolPath(), "losses", "--json", "--port", "\(rig.broker().port)"] + options,
      name: "losses", in: rig.folder)
  }

  private func counts(_ lines: [String], _ program: String) throws -> [String: Int] {
    let line = try #require(lines.last { $0.contains("\"\(program)\"") }, "\(lines)")
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    return try #require(object).compactMapValues { $0 as? Int }
  }

  /// Asks until as many different records of the rig's device have come as the witness saw.
  private func settle(_ losses: ChildProcess, _ rig: Rig, _ received: Int) throws -> [String: Int] {
    var ours: [String: Int] = [:]
    try eventually("it has counted all", within: 20) {
      losses.send(SIGUSR1)
      let lines = losses.output.filter { $0.contains(rig.name) }
      if !lines.isEmpty { ours = try counts(lines, "cyclic-sysinfo") }
      return ours["received"] == received
    }
    return ours
  }

  /// Publishes until the first has come: from then on nothing is missed.
  private func listening(_ rig: Rig) throws -> ChildProcess {
    let process = try losses(rig)
    try eventually("it has subscribed") {
      try rig.publish([MadeRecord().payload], topic: "stats/probe/cyclic-sysinfo")
      process.send(SIGUSR1)
      return process.output.contains { $0.contains("probe") }
    }
    return process
  }

  @Test func whatAFullQueueDroppedIsCountedAsTheProgramCountsIt() throws {
    let rig = try Rig()
    let witness = try rig.subscriber()
    let (csv, sqlite) = (rig.path("csv"), rig.path("r.sqlite"))
    let recorder = try rig.recorder("--csv", csv, "--sqlite", sqlite)
    let losses = try listening(rig)
    let bridge = try rig.bridge()
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "10ms"])
    try eventually("samples arrive") { witness.messages(of: "/cyclic-sysinfo").count > 20 }
    bridge.send(SIGSTOP)
    try eventually("the queue is full") {
      collector.log.contains { $0.contains("the queue is full") }
    }
    bridge.send(SIGCONT)
    try eventually("it has room again") {
      collector.log.contains { $0.contains("the queue has room again") }
    }
    let before = witness.messages.count
    try eventually("samples arrive") { witness.messages.count > before + 20 }
    try collector.stop()
    try bridge.stop()
    try eventually("the bridge has said goodbye") {
      witness.messages.last?.text("state") == "offline"
    }
    // All of the program's records: its state goes by another topic.
    let records = witness.messages.filter { $0.topic.contains("/cyclic-sysinfo") }
    let sequences = Set(records.compactMap { $0.integer("seq") })
    let dropped = try #require(records.compactMap { $0.integer("dropped") }.max())
    let missing = try #require(sequences.max()) - #require(sequences.min()) + 1 - sequences.count
    #expect(dropped > 0)
    #expect(missing == dropped)

    _ = try settle(losses, rig, sequences.count)
    #expect(try losses.stop() == 0)
    try eventually("it is written") {
      recorder.send(SIGUSR1)
      return recorder.log.filter { $0.contains("\(witness.messages.count + 1) written") }.count >= 2
    }
    #expect(try recorder.stop() == 0)
    let results = try [
      losses.output, rig.runTool("losses", csv, "--json").output,
      rig.runTool("losses", sqlite, "--json").output,
    ]
    for lines in results {
      let ours = try counts(lines.filter { $0.contains(rig.name) }, "cyclic-sysinfo")
      #expect(ours["received"] == sequences.count)
      #expect(ours["missing"] == dropped)
      #expect(ours["dropped"] == dropped)
      #expect(ours["lost"] == 0)
      #expect(ours["duplicated"] == 0)
      #expect(ours["restarts"] == 0)
    }
    let table = try rig.runTool("losses", sqlite, "--device", rig.name).output
    #expect(
      table.first?.split(separator: " ").map(String.init)
        == [
          "device", "program", "received", "duplicated", "missing", "dropped", "lost", "late",
          "restarts", "reboots",
        ])
    #expect(
      table.last?.split(separator: " ").map(String.init)
        == [
          rig.name, "cyclic-sysinfo", "\(sequences.count)", "0", "\(dropped)", "\(dropped)", "0",
          "0", "0", "0",
        ])
  }

  /// A bridge and a collector that are killed: nothing is lost on the way, the restart is counted, and what
  /// the bridge sends again is told from the rest.
  @Test func killedProgramsAreToldFromLosses() throws {
    let rig = try Rig()
    let witness = try rig.subscriber()
    let losses = try listening(rig)
    let outbox = rig.path("outbox")
    let bridge = try rig.bridge("--outbox", outbox)
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "5ms"])
    try eventually("samples arrive") { witness.messages(of: "/cyclic-sysinfo").count > 50 }
    bridge.kill()
    let again = try rig.bridge("--outbox", outbox)
    let before = witness.messages.count
    try eventually("samples arrive") { witness.messages.count > before + 50 }
    collector.kill()
    let second = try rig.program("cyclic-sysinfo", ["--interval", "5ms"])
    let middle = witness.messages.count
    try eventually("samples arrive") { witness.messages.count > middle + 50 }
    try second.stop()
    try again.stop()
    try eventually("the bridge has said goodbye") {
      witness.messages.last?.text("state") == "offline"
    }
    struct Identity: Hashable {
      let instance: Int
      let sequence: Int
    }
    let records = witness.messages.filter { $0.topic.contains("/cyclic-sysinfo") }.compactMap {
      message in
      message.integer("instance").map {
        Identity(instance: $0, sequence: message.integer("seq") ?? -1)
      }
    }
    #expect(Set(records.map(\.instance)).count == 2)
    let ours = try settle(losses, rig, Set(records).count)
    #expect(try losses.stop() == 0)
    #expect(ours["duplicated"] == records.count - Set(records).count)
    #expect(ours["restarts"] == 1)
    #expect(ours["reboots"] == 0)
    #expect(ours["lost"] == 0)
  }

  @Test func aCountForAWhileEndsByItself() throws {
    let rig = try Rig()
    let process = try losses(rig, "--for", "1500ms")
    let records = [1, 2, 2, 5].map { MadeRecord(sequence: $0).payload }
    try eventually("it ends") {
      try rig.publish(records, topic: "stats/pi/cyclic-sysinfo")
      return !process.isRunning
    }
    #expect(try process.wait() == 0)
    let ours = try counts(process.output, "cyclic-sysinfo")
    #expect(ours["received"] == 3)
    #expect(ours["missing"] == 2)
    #expect((ours["duplicated"] ?? 0) >= 1)
    let nobody = try rig.runTool("losses", "--port", "1", "--for", "10s")
    #expect(nobody.status == 1)
    #expect(nobody.log.contains { $0.contains("connect to 127.0.0.1:1: Connection refused") })
  }
}
