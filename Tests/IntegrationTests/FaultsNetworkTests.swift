import Foundation
import Testing

/// Networks that lose, swallow and forget: a real TCP over a veth pair, and nftables in between.
@Suite(
  .needs(command: "mosquitto"), .needs(command: "nft"), .needs(command: "ip"), .needsRoot,
  .onItsOwnThread)
struct FaultsNetworkTests {
  @Test func aLossOf30Percent() throws {
    let device = try FaultRig("--keep-alive", "15s", isLinked: true)
    let link = try #require(device.link)
    try link.set("numgen random mod 100 < 30 drop")
    let load = try device.load(perSecond: 100)
    let bridge = try device.start()
    try device.waitForConnection(within: 60)
    try eventually("records pass", within: 90) { load.sent > 400 && device.arrived > 200 }
    load.stop()
    // To the end with it: a lossy line is slow, not wrong.
    try eventually("all pass", within: 90) { device.arrived == load.sent }
    try link.set(nil)
    let figures = try device.settle("30 % of packets lost each way")
    #expect(figures.lost == 0 && figures.counted == 0)
    #expect(figures.duplicated <= device.tap.passed.connections * FaultRig.window)
    #expect(try bridge.stop() == 0)
  }

  @Test func aBlackHole() throws {
    let device = try FaultRig("--keep-alive", "5s", "--connect-timeout", "1s", isLinked: true)
    let link = try #require(device.link)
    let load = try device.load(perSecond: 500)
    let bridge = try device.start()
    try eventually("records arrive", within: 20) { device.arrived > 100 }
    try link.set("drop")
    let before = load.sent
    try eventually("it gives the connection up", within: 30) {
      bridge.log.contains { $0.contains("nothing was acknowledged for 5s") }
    }
    try eventually("nobody answers", within: 30) {
      bridge.log.contains { $0.contains("no answer for 1s") }
    }
    // All the time it has read its queue.
    #expect(load.sent - before > 2000)
    try link.set(nil)
    let figures = try device.settle("black hole for \((load.sent - before) / 500) s")
    #expect(figures.lost == 0 && figures.counted == 0)
    #expect(figures.duplicated <= FaultRig.window)
    #expect(try bridge.stop() == 0)
  }

  /// The server has forgotten the connection, and says so only when it is asked.
  @Test func aHalfOpenConnection() throws {
    let device = try FaultRig("--keep-alive", "60s", isLinked: true)
    let link = try #require(device.link)
    let load = try device.load(perSecond: 500)
    let bridge = try device.start()
    try eventually("records arrive", within: 20) { device.arrived > 100 }
    try link.set("drop")
    device.tap.set(.closed)
    try load.goOn(by: 350)
    device.tap.set(.open)
    try link.set(nil)
    try eventually("it notices by itself", within: 30) {
      bridge.log.contains { $0.contains("trying again") } && device.tap.passed.connections == 2
    }
    #expect(load.sent > 300)
    let figures = try device.settle("half-open connection")
    #expect(figures.lost == 0 && figures.counted == 0)
    #expect(figures.duplicated <= FaultRig.window)
    #expect(try bridge.stop() == 0)
  }

  /// The name server swallows questions, later the name is known: nobody waits for the answer meanwhile.
  @Test func aNameThatDoesNotResolveAndLaterDoes() throws {
    let device = try FaultRig(
      "--connect-timeout", "2s", isLinked: true, host: "broker.faults.test")
    let folder = device.rig.folder.path()
    try "nameserver \(NetworkLink.server)\n".write(
      toFile: folder + "/resolv.conf", atomically: false, encoding: .utf8)
    try "127.0.0.1 localhost\n".write(toFile: folder + "/hosts", atomically: false, encoding: .utf8)
    try #require(device.link).set("udp dport 53 drop", ends: ["s"])
    let load = try device.load(perSecond: 200)
    let bridge = try device.start(under: [
      "/usr/bin/unshare", "--mount", "/bin/sh", "-c",
      "for file in hosts resolv.conf; do mount --bind $0/$file /etc/$file || exit; done; exec \"$@\"",
      folder,
    ])
    try eventually("it says that nobody answers", within: 20) {
      bridge.log.contains { $0.contains("no answer to the question for its address for 2s") }
    }
    try eventually("it says that the name is unknown", within: 40) {
      bridge.log.contains { $0.contains("the name broker.faults.test cannot be resolved") }
    }
    // More than 5 s of questions, and none of its records waited in the queue for that.
    #expect(load.sent > 900)
    try "\(NetworkLink.server) broker.faults.test\n".write(
      toFile: folder + "/hosts", atomically: false, encoding: .utf8)
    let figures = try device.settle("name server silent, then the name unknown")
    #expect(figures.lost == 0 && figures.counted == 0 && figures.duplicated == 0)
    #expect(try bridge.stop() == 0)
  }
}
