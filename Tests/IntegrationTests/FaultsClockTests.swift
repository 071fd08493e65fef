import Foundation
import Testing

/// The wall clock is stepped while the broker is away.
@Suite(
  .needs(command: "mosquitto"), .needs(command: "mosquitto_sub"), .needs(command: "cc"),
  .onItsOwnThread)
struct FaultsClockTests {
  private static let twoYears = 2 * 365 * 86_400

  /// Records of the right time, of two years too late, and of the right time again, all published when
  /// the clock is right: each has the time at which it was taken.
  @Test(arguments: [false, true])
  func timesAreRightWhenTheClockWasWrongDuringAnOutage(_ spills: Bool) throws {
    let device = try FaultRig("--spill-after", spills ? "1s" : "1h")
    let path = device.rig.folder.path() + "/offset"
    func step(_ seconds: Int) throws {
      try "\(seconds)".write(toFile: path, atomically: true, encoding: .utf8)
    }
    try step(0)
    let shim = ["LD_PRELOAD": try FaultTool.wrongClock.get(), "WRONG_CLOCK": path]
    let subscriber = try device.rig.subscriber()
    let bridge = try device.start(environment: shim)
    try device.waitForConnection()
    let begin = Date().timeIntervalSince1970
    let collector = try device.rig.program(
      "cyclic-sysinfo", ["--interval", "100ms", "--verbose"], environment: shim)
    try eventually("records arrive") { subscriber.messages(of: "/cyclic-sysinfo").count > 5 }
    device.tap.set(.closed)
    for seconds in [0, Self.twoYears, 0] {
      try step(seconds)
      try eventually("15 samples more") { [before = collector.log.count] in
        collector.log.count >= before + 15
      }
    }
    if spills { #expect(!device.spillFiles.isEmpty) }
    device.tap.set(.open)
    try eventually("all of the outage arrives", within: 20) {
      (subscriber.messages(of: "/cyclic-sysinfo").last?.number("time") ?? 0)
        > Date().timeIntervalSince1970 - 0.5
    }
    #expect(try collector.stop() == 0)
    #expect(try bridge.stop() == 0)
    let end = Date().timeIntervalSince1970
    let messages = subscriber.messages(of: "/cyclic-sysinfo")
    var times: [Int: Double] = [:]
    for message in messages {
      let (sequence, time) = (message.integer("seq")!, message.number("time")!)
      #expect(time > begin - 1 && time < end + 1, "seq \(sequence): \(time - begin) s")
      // What comes twice has the same time.
      #expect(abs((times[sequence] ?? time) - time) < 0.001)
      times[sequence] = time
    }
    let sequences = times.keys.sorted()
    // 0 is what it said of itself.
    #expect(sequences == Array(sequences[0]...sequences.last!), "none is missing")
    for (one, next) in zip(sequences, sequences.dropFirst()) {
      #expect(times[next]! - times[one]! > 0.02 && times[next]! - times[one]! < 1)
    }
    print(
      "| clock two years ahead during an outage\(spills ? ", spilled" : "") | \(times.count) |",
      "\(times.count) | \(messages.count - times.count) | 0 | 0 |")
  }
}
