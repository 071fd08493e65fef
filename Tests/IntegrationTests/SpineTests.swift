import Foundation
import Testing

/// One collector, one bridge, a real broker: the way of a record from end to end.
@Suite(.needs(command: "mosquitto"), .needs(command: "mosquitto_sub"))
struct SpineTests {
  @Test func samplesAgreeWithProcfsReadBesideThem() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "200ms"])
    try eventually("five samples arrive") { subscriber.messages(of: "/cyclic-sysinfo").count >= 5 }
    let uptime = try Double(procfs("uptime")[0])!
    let loads = try procfs("loadavg").prefix(3).map { Double($0)! }
    let sample = try #require(subscriber.messages(of: "/cyclic-sysinfo").last)
    let now = Date().timeIntervalSince1970

    #expect(abs(sample.number("uptime_seconds")! - uptime) < 2)
    for (name, load) in zip(["load1", "load5", "load15"], loads) {
      #expect(abs(sample.number(name)! - load) < 0.3)
    }
    let free = try rig.run([#require(Machine.command("free")), "-b"]).output[1].split(
      separator: " ")
    #expect(sample.integer("memory_total_bytes") == Int(free[1]))
    #expect(abs(sample.integer("memory_free_bytes")! - Int(free[3])!) < 300_000_000)
    #expect(abs(sample.integer("memory_shared_bytes")! - Int(free[4])!) < 100_000_000)
    #expect(abs(sample.number("time")! - now) < 2)
    #expect(sample.text("boot_id") == (try procfs("sys/kernel/random/boot_id")[0]))
    #expect(sample.integer("dropped") == 0)

    try collector.stop()
    #expect(try bridge.stop() == 0)
  }

  @Test func samplesComeAtTheIntervalWithoutDrift() throws {
    let rig = try Rig()
    let collector = try rig.program("cyclic-sysinfo", ["--print", "--interval", "100ms"])
    try eventually("31 samples") { collector.output.count >= 31 }
    let times = try collector.output.map(members).map { $0["time"] as! Double }
    // The 30th interval ends 3 s after the first sample, whatever the ones between did.
    #expect(abs(times[30] - times[0] - 3.0) < 0.05)
  }

  @Test func statusIsRetainedAndTheLastWillFollowsAKill() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    try eventually("online") { subscriber.messages(of: "/status").last?.text("state") == "online" }
    bridge.kill()
    try eventually("offline") {
      subscriber.messages(of: "/status").last?.text("state") == "offline"
    }
    let again = try rig.bridge()
    try eventually("online again") {
      subscriber.messages(of: "/status").last?.text("state") == "online"
    }
    let late = try rig.subscriber()
    try eventually("the status is retained") {
      late.messages(of: "/status").first?.isRetained == true
    }
    #expect(try again.stop() == 0)
    try eventually("a clean end says so too") {
      subscriber.messages(of: "/status").last?.text("state") == "offline"
    }
  }

  @Test func recordsOfABrokerOutageArriveInOrderAndWhole() throws {
    let rig = try Rig()
    let broker = try rig.broker()
    let before = try rig.subscriber()
    let bridge = try rig.bridge("--reconnect-max", "1s")
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "50ms"])
    try eventually("samples arrive") { before.messages(of: "/cyclic-sysinfo").count >= 10 }
    let killed = Date()
    broker.kill()
    try eventually("the bridge notices") {
      bridge.log.contains { $0.contains("trying again") }
    }
    // Taken now: this witness comes back with the broker too.
    let first = sequences(before)
    // The length of the outage itself, not a wait for something.
    try eventually("4 s have passed", within: 6) { Date().timeIntervalSince(killed) >= 4 }
    try broker.start()
    let after = try rig.subscriber()
    try eventually("everything of the outage arrives", within: 20) {
      after.messages(of: "/cyclic-sysinfo").count >= 80
    }
    try collector.stop()
    #expect(try bridge.stop() == 0)
    #expect(after.messages(of: "/status").contains { $0.text("state") == "online" })

    let second = sequences(after)
    #expect(second == second.sorted())
    let missing = Set(0...second.last!).subtracting(first).subtracting(second)
    #expect(missing.isEmpty, "missing: \(missing.sorted())")
    let twice = Set(first).intersection(second)
    // In flight at the kill: published, and not yet acknowledged.
    #expect(twice.count <= 2, "twice: \(twice.sorted())")
    #expect(Set(second).count == second.count)
    #expect(after.messages(of: "/cyclic-sysinfo").allSatisfy { $0.integer("dropped") == 0 })
  }

  @Test func aNewCollectorHasANewInstanceAndTheBridgeGoesOn() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let first = try rig.program("cyclic-sysinfo", ["--interval", "100ms"])
    try eventually("a sample") { !subscriber.messages(of: "/cyclic-sysinfo").isEmpty }
    first.kill()
    let second = try rig.program("cyclic-sysinfo", ["--interval", "100ms"])
    try eventually("another instance") {
      Set(subscriber.messages(of: "/cyclic-sysinfo").map { $0.integer("instance")! }).count == 2
    }
    try second.stop()
    #expect(bridge.isRunning)
    #expect(try bridge.stop() == 0)
  }

  @Test func aStoppedBridgeFillsTheQueueAndTheDropsAreTold() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "10ms"])
    try eventually("a sample") { !subscriber.messages(of: "/cyclic-sysinfo").isEmpty }
    bridge.send(SIGSTOP)
    try eventually("the collector says that the queue is full") {
      collector.log.contains { $0.contains("the queue is full") }
    }
    bridge.send(SIGCONT)
    try eventually("a message tells of the drops") {
      (subscriber.messages(of: "/cyclic-sysinfo").last?.integer("dropped") ?? 0) > 0
    }
    try eventually("the log does too") {
      collector.log.contains { $0.contains("records were dropped") }
    }
    try collector.stop()
    #expect(try bridge.stop() == 0)
    // Every gap in seq is explained by what `dropped` grew by.
    let samples = subscriber.messages.filter { $0.integer("seq") != nil }
    for (one, next) in zip(samples, samples.dropFirst()) {
      let gap = next.integer("seq")! - one.integer("seq")! - 1
      #expect(gap == next.integer("dropped")! - one.integer("dropped")!)
    }
  }

  @Test func garbageInAQueueIsCountedAndLoggedOnce() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let queue = try GarbageQueue("\(rig.queuePrefix)cyclic-sysinfo")
    for length in [0, 1, 55, 56, 144, 500] {
      try queue.send([UInt8](repeating: 0xA5, count: length))
    }
    // A record of a kind that nobody knows yet.
    try queue.send(GarbageQueue.record(kind: 9999, body: [1, 2, 3]))
    try eventually("the status counts them") {
      let status = subscriber.messages(of: "/status").last
      return status?.integer("messages_invalid") == 6 && status?.integer("messages_unknown") == 1
    }
    #expect(bridge.log.count { $0.contains("queue of cyclic-sysinfo") } == 1)
    let collector = try rig.program("cyclic-sysinfo")
    try eventually("records still pass") { !subscriber.messages(of: "/cyclic-sysinfo").isEmpty }
    try collector.stop()
    #expect(try bridge.stop() == 0)
  }

  @Test func twentyThousandRecordsPassWithoutLoss() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let queue = try GarbageQueue("\(rig.queuePrefix)cyclic-sysinfo", blocking: true)
    for sequence in 0..<20_000 { try queue.send(GarbageQueue.sample(sequence: sequence)) }
    try eventually("all arrive", within: 60) { subscriber.messages.count >= 20_001 }
    #expect(try bridge.stop() == 0)
    let sequences = subscriber.messages(of: "/cyclic-sysinfo").map { $0.integer("seq")! }
    #expect(sequences == Array(0..<20_000))
  }

  /// Those of all records, also of the ones that tell a program's state.
  private func sequences(_ subscriber: Subscriber) -> [Int] {
    subscriber.messages.compactMap { $0.integer("seq") }
  }

  private func procfs(_ name: String) throws -> [String] {
    try String(contentsOfFile: "/proc/\(name)", encoding: .utf8)
      .split(whereSeparator: { " \n".contains($0) }).map(String.init)
  }

  private func members(_ line: String) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
  }
}
