import Foundation
import Testing

/// Bridge, collectors and broker killed at random under 2,000 records a second: half a minute, or as long
/// as STATS_FAULT_SECONDS says.
@Suite(.needs(command: "mosquitto"), .onItsOwnThread)
struct FaultsChaosTests {
  @Test func everythingIsKilledAtRandom() throws {
    let device = try FaultRig("--spill-after", "1s")
    let seconds = FaultRig.seconds ?? 30
    let load = try device.load(perSecond: 2000)
    let events = try device.load(.events, perSecond: 20)
    var bridge = try device.start()
    let settings = ["--interval", "20ms"]
    var collector = try device.rig.program("cyclic-sysinfo", settings)
    var (bridges, collectors, brokers, cuts) = (0, 0, 0, 0)
    var memory = 0
    let begin = Date()
    while Date().timeIntervalSince(begin) < seconds {
      usleep(.random(in: 100_000...1_200_000))
      #expect(bridge.isRunning, "\(bridge.log)")
      switch Int.random(in: 0..<10) {
      case 0..<4:
        memory = max(memory, (try? FaultRig.memory(of: bridge)) ?? 0)
        bridge.kill()
        bridges += 1
        if Bool.random() { usleep(.random(in: 0...1_000_000)) }
        bridge = try device.start()
      case 4..<6:
        device.broker.kill()
        brokers += 1
        usleep(.random(in: 0...2_000_000))
        try device.broker.start()
      case 6..<8:
        collector.kill()
        collectors += 1
        collector = try device.rig.program("cyclic-sysinfo", settings)
      default:
        device.tap.set(.closed)
        cuts += 1
        usleep(.random(in: 0...3_000_000))
        device.tap.set(.open)
      }
    }
    collector.kill()
    memory = max(memory, try FaultRig.memory(of: bridge))
    let figures = try device.settle(
      """
      \(Int(seconds)) s of 2,000 records a second, killed: bridge \(bridges), broker \(brokers), \
      collector \(collectors) times, cut \(cuts) times
      """, within: 120)
    #expect(load.sent > Int(seconds) * 1000 && events.sent > Int(seconds) * 10)
    #expect(figures.lost == 0 && figures.counted == 0)
    #expect(figures.duplicated <= (bridges + brokers + cuts) * FaultRig.window)
    #expect(memory < FaultRig.memoryLimit, "\(memory) KiB")
    print("peak memory of the bridge: \(memory) KiB")
    // What is missing of a collector's records found its queue full, and the next record says so.
    let gaps = device.tap.arrivals.gaps(without: device.loads)
    #expect(gaps.count > collectors / 2)
    #expect(gaps.allSatisfy { $0.missing <= $0.dropped }, "\(gaps)")
    #expect(try bridge.stop() == 0)
  }
}
