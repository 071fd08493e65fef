import Foundation
import Testing

/// Brokers that go, come back, are silent, or refuse: whatever they do, each record arrives or is
/// counted.
@Suite(.needs(command: "mosquitto"), .onItsOwnThread)
struct FaultsBrokerTests {
  @Test(arguments: ["json", "record"], [1, 32])
  func aBrokerKilledAndStartedAgainUnderLoad(_ payload: String, _ batch: Int) throws {
    let device = try FaultRig("--payload", payload, "--batch", "\(batch)", "--batch-time", "20ms")
    let load = try device.load(perSecond: 2000)
    let bridge = try device.start()
    for _ in 0..<3 {
      try eventually("records arrive", within: 30) { [before = device.arrived] in
        device.arrived > before + 500
      }
      device.broker.kill()
      try load.goOn(by: 1400)
      try device.broker.start()
    }
    try eventually("load", within: 30) { load.sent > 5000 }
    let figures = try device.settle(
      "broker killed 3 times under load, \(payload), batches of \(batch)")
    #expect(figures.lost == 0 && figures.counted == 0)
    #expect(figures.duplicated <= 3 * FaultRig.window * batch)
    #expect(try FaultRig.memory(of: bridge) < FaultRig.memoryLimit)
    #expect(try bridge.stop() == 0)
  }

  @Test func aBrokerThatAcceptsAndNeverAnswers() throws {
    let device = try FaultRig("--connect-timeout", "1s")
    device.tap.set(.silent)
    let load = try device.load(perSecond: 200)
    let bridge = try device.start()
    try eventually("it gives the attempt up", within: 20) {
      bridge.log.contains { $0.contains("no answer for 1s; trying again") }
    }
    #expect(load.sent > 100)
    device.tap.set(.open)
    let figures = try device.settle("broker that accepts and never answers")
    #expect(figures.lost == 0 && figures.counted == 0 && figures.duplicated == 0)
    #expect(try bridge.stop() == 0)
  }

  @Test func aBrokerThatStopsAnswering() throws {
    let device = try FaultRig("--keep-alive", "5s")
    let load = try device.load(perSecond: 500)
    let bridge = try device.start()
    try eventually("records arrive") { device.arrived > 100 }
    // TCP goes on acknowledging.
    device.tap.set(.silent)
    try eventually("it gives the connection up", within: 30) {
      bridge.log.contains { $0.contains("nothing was acknowledged for 5s") }
    }
    #expect(load.sent > 2000)
    device.tap.set(.open)
    let figures = try device.settle("broker that stops answering")
    #expect(figures.lost == 0 && figures.counted == 0)
    #expect(figures.duplicated <= FaultRig.window)
    #expect(try bridge.stop() == 0)
  }

  @Test func aBrokerThatDisconnectsAtEvery100thMessage() throws {
    let device = try FaultRig()
    let load = try device.load(perSecond: 300)
    let bridge = try device.start()
    device.tap.set(.cutsEvery(100))
    try eventually("it was cut five times", within: 60) { device.tap.passed.connections > 5 }
    #expect(load.sent > 300)
    device.tap.set(.open)
    let cuts = device.tap.passed.connections
    let figures = try device.settle("connection cut at every 100th message, \(cuts) times")
    #expect(figures.lost == 0 && figures.counted == 0)
    #expect(figures.duplicated <= cuts * FaultRig.window)
    #expect(try bridge.stop() == 0)
  }

  @Test func acknowledgementsThatDoNotPass() throws {
    let device = try FaultRig("--keep-alive", "5s", "--window", "20")
    _ = try device.load(perSecond: 200)
    let bridge = try device.start()
    device.tap.set(.withoutAcknowledgements)
    try eventually("it gives the connection up", within: 30) {
      bridge.log.contains { $0.contains("nothing was acknowledged for 5s") }
    }
    device.tap.set(.open)
    let figures = try device.settle("acknowledgements lost on the way")
    #expect(figures.lost == 0 && figures.counted == 0)
    #expect(device.tap.passed.window <= 21)
    #expect(try bridge.stop() == 0)
  }

  @Test func aReceiveMaximumOf1() throws {
    let device = try FaultRig(brokerSettings: "max_inflight_messages 1")
    let load = try device.load(perSecond: 500)
    let bridge = try device.start()
    try eventually("load", within: 20) { load.sent > 1000 }
    let figures = try device.settle("receive maximum of 1")
    #expect(figures.lost == 0 && figures.counted == 0 && figures.duplicated == 0)
    #expect(device.tap.passed.connections == 1)
    #expect(device.tap.passed.window == 1)
    #expect(try bridge.stop() == 0)
  }

  /// What is too large for the broker is refused, counted and said once; the rest arrives.
  @Test func aMaximumPacketSizeThatIsTooSmall() throws {
    // A core dump's record is longer than a sample's.
    let device = try FaultRig(brokerSettings: "max_packet_size 500")
    let load = try device.load(perSecond: 100)
    let events = try device.load(.events, perSecond: 10)
    let bridge = try device.start()
    try eventually("load", within: 20) { load.sent > 200 && events.sent > 20 }
    load.stop()
    events.stop()
    try eventually("samples arrive", within: 20) {
      device.tap.arrivals.figures(of: load.instance).distinct == load.sent
    }
    #expect(try bridge.stop() == 0)
    let figures = FaultFigures(
      "maximum packet size of 500: core dumps are longer", device.loads, device.tap,
      counted: events.sent)
    figures.tell()
    #expect(figures.arrived == load.sent && figures.lost == events.sent)
    let refusals = bridge.log.filter {
      $0.contains("records of inotify-coredump are refused: Packet larger than supported")
    }
    #expect(refusals.count == 1, "\(bridge.log)")
    // Even the status is too long for such a broker.
    #expect(bridge.log.filter { $0.contains("the status cannot be published") }.count == 1)
  }

  @Test(.needs(command: "mosquitto_sub"))
  func aSessionThatIsTakenOver() throws {
    let device = try FaultRig()
    let load = try device.load(perSecond: 200)
    let bridge = try device.start()
    try eventually("records arrive") { device.arrived > 100 }
    for _ in 0..<3 {
      let other = try ChildProcess(
        [
          #require(Machine.command("mosquitto_sub")), "-h", "127.0.0.1", "-p",
          "\(device.broker.port)", "-V", "5", "-i", "stats-recording-\(device.rig.name)", "-t", "x",
        ], name: "thief", in: device.rig.folder)
      let before = device.tap.passed.connections
      try eventually("the bridge comes back", within: 20) {
        device.tap.passed.connections > before || !other.isRunning
      }
      other.kill()
    }
    // Mosquitto 2.0.11 does not say why it closes the connection.
    #expect(bridge.log.filter { $0.contains("the broker closed the connection") }.count >= 1)
    #expect(load.sent > 100)
    let figures = try device.settle("session taken over 3 times")
    #expect(figures.lost == 0 && figures.counted == 0)
    #expect(figures.duplicated <= 6 * FaultRig.window)
    #expect(try bridge.stop() == 0)
  }

  @Test func aQueueOfDepth1() throws {
    let device = try FaultRig(queueDepth: 1)
    let load = try device.load(perSecond: 500)
    let bridge = try device.start()
    try eventually("load", within: 20) { load.sent > 1000 }
    device.tap.set(.closed)
    try load.goOn(by: 250)
    device.tap.set(.open)
    let figures = try device.settle("queue depth of 1, broker away for a moment")
    #expect(figures.lost == 0 && figures.counted == 0)
    #expect(figures.duplicated <= FaultRig.window)
    #expect(try bridge.stop() == 0)
  }

  /// SIGSTOP stands in for a suspended machine: neither side notices for a while.
  @Test func aBridgeThatSleeps() throws {
    let device = try FaultRig("--keep-alive", "5s")
    let load = try device.load(perSecond: 500)
    let bridge = try device.start()
    try eventually("records arrive") { device.arrived > 100 }
    kill(bridge.id, SIGSTOP)
    // Longer than the broker's patience, one and a half times the keep-alive.
    let seconds: UInt32 = FaultRig.seconds == nil ? 9 : 60
    sleep(seconds)
    kill(bridge.id, SIGCONT)
    try load.goOn(by: 500)
    let figures = try device.settle("bridge stopped for \(seconds) s")
    #expect(figures.lost == 0 && figures.counted == 0)
    #expect(figures.duplicated <= FaultRig.window)
    #expect(try bridge.stop() == 0)
  }

  @Test func aBridgeThatIsStoppedUnderLoadLeavesNothingInFlight() throws {
    let device = try FaultRig()
    let load = try device.load(perSecond: 2000)
    for _ in 0..<4 {
      let bridge = try device.start()
      try eventually("records arrive", within: 20) { [before = device.arrived] in
        device.arrived > before + 300
      }
      #expect(try bridge.stop() == 0)
      #expect(
        bridge.log.last?.hasSuffix("records published, 0 left in the outbox") == true,
        "\(bridge.log)")
    }
    let bridge = try device.start()
    #expect(load.sent > 1000)
    let figures = try device.settle("bridge stopped 4 times under load")
    #expect(figures.lost == 0 && figures.counted == 0 && figures.duplicated == 0)
    #expect(try bridge.stop() == 0)
  }
}
