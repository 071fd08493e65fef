import CLinux
import Foundation
import Testing

/// The bridge killed with SIGKILL: what it had taken from a queue is there again.
@Suite(.needs(command: "mosquitto"), .needs(command: "cc"), .onItsOwnThread)
struct FaultsKillTests {
  @Test func aBridgeKilledUnderLoadLosesNothing() throws {
    let device = try FaultRig("--spill-after", "1s")
    let load = try device.load(perSecond: 2000)
    let events = try device.load(.events, perSecond: 50)
    var kills = 0
    let begin = Date()
    while Date().timeIntervalSince(begin) < 9 {
      let bridge = try device.start()
      try load.goOn(by: .random(in: 40...1200))
      // For a third of the time the broker is away: then records wait, and go to disk.
      device.tap.set(kills % 3 == 2 ? .closed : .open)
      bridge.kill()
      kills += 1
    }
    device.tap.set(.open)
    let bridge = try device.start()
    try eventually("load", within: 20) { load.sent > 1000 && events.sent > 50 }
    let figures = try device.settle("bridge killed at \(kills) moments under load")
    #expect(figures.lost == 0, "missing: \(device.tap.arrivals.missing(of: load).prefix(20))")
    #expect(figures.counted == 0)
    #expect(figures.duplicated <= kills * FaultRig.window)
    #expect(try bridge.stop() == 0)
  }

  /// A system call, and how many instructions behind it the bridge may come.
  struct Moment: CustomTestStringConvertible {
    let call: String
    let upTo: Int
    /// How often the call is let pass at most.
    let calls: Int
    var rounds = 12
    var situation = Situation.withoutBroker
    var testDescription: String { "\(call), \(situation.rawValue)" }

    enum Situation: String {
      case withoutBroker = "without a broker"
      case withBroker = "with a broker"
      case spilling = "on the way to disk"
      case draining = "on the way from disk"
    }
  }

  @Test(arguments: [
    Moment(call: "mq_timedreceive", upTo: 6000, calls: 8, rounds: 40),
    Moment(call: "mq_timedreceive", upTo: 30_000, calls: 8, situation: .withBroker),
    Moment(call: "read", upTo: 20_000, calls: 12, situation: .withBroker),
    Moment(call: "mmap", upTo: 3000, calls: 30),
    Moment(call: "write", upTo: 6000, calls: 3, situation: .spilling),
    Moment(call: "fsync", upTo: 40_000, calls: 4, situation: .spilling),
    Moment(call: "rename", upTo: 40_000, calls: 2, situation: .spilling),
    Moment(call: "pread64", upTo: 40_000, calls: 3, situation: .draining),
    Moment(call: "unlink", upTo: 20_000, calls: 2, situation: .draining),
  ])
  func aBridgeKilledAtAnyInstructionLosesNothing(_ moment: Moment) throws {
    let device = try FaultRig("--spill-after", "1h")
    let tool = try FaultTool.killAt.get()
    let rounds = moment.rounds * FaultRig.thoroughness
    var killed = 0
    for _ in 0..<rounds {
      device.tap.set(.closed)
      // Fewer than the queue holds, so that all of it is there when the bridge starts.
      let loads = [
        try device.load(perSecond: 100_000, limit: 6),
        try device.load(.events, perSecond: 100_000, limit: 3),
      ]
      if moment.situation == .draining {
        let bridge = try device.start()
        try eventually("the queues are empty", within: 20) {
          try #require(bridge.isRunning, "\(bridge.log)")
          return loads.allSatisfy { $0.isTaken }
        }
        try bridge.stop()
      }
      if moment.situation == .withBroker || moment.situation == .draining {
        device.tap.set(.open)
      }
      let process = try device.start(under: [
        tool, moment.call, "\(Int.random(in: 1...moment.calls))",
        "\(Int.random(in: 0...moment.upTo))", moment.situation == .spilling ? "150" : "0",
      ])
      let deadline = Date(timeIntervalSinceNow: moment.situation == .spilling ? 20 : 2)
      try eventually("the bridge is killed or has taken all", within: 30) {
        !process.isRunning || loads.allSatisfy { $0.isTaken } && Date() > deadline
      }
      try process.stop()
      if process.output.contains(where: { $0.hasPrefix("killed") }) { killed += 1 }
    }
    device.tap.set(.open)
    let bridge = try device.start()
    let figures = try device.settle(
      "bridge killed at \(killed) instructions behind \(moment.testDescription)")
    #expect(killed >= 1)
    #expect(figures.lost == 0 && figures.counted == 0)
    let mayComeTwice = moment.situation == .withBroker || moment.situation == .draining
    #expect(figures.duplicated <= (mayComeTwice ? killed * 20 : 0))
    #expect(try bridge.stop() == 0)
  }
}
