import Foundation
import Testing

/// What it takes to forward a record, counted by valgrind(1).
@Suite(.needs(command: "mosquitto"), .needs(command: "valgrind"), .onItsOwnThread)
struct ForwardingTests {
  /// The memory of Swift comes from posix_memalign(3), that of libmosquitto from malloc(3): whether many
  /// records are forwarded or few, ours is allocated equally often, but for the growth of a buffer or two.
  @Test(arguments: [
    ["--batch", "1"], ["--batch", "32"], ["--payload", "influx", "--batch", "32"],
    ["--payload", "record", "--batch", "32"],
  ])
  func aRecordAllocatesNothing(_ options: [String]) throws {
    func allocations(records: Int) throws -> Int {
      let rig = try Rig()
      let counts = rig.folder.appending(path: "counts").path()
      let bridge = try ChildProcess(
        [
          #require(Machine.command("valgrind")), "--tool=callgrind",
          "--callgrind-out-file=\(counts)",
        ] + Rig.command("posix-mq-to-mqtt-bridge", on: .amd64)
          + [
            "--config", "/dev/null", "--queue-prefix", rig.queuePrefix, "--port",
            "\(rig.broker().port)", "--status-interval", "1h",
          ] + options, name: "bridge", in: rig.folder)
      try eventually("it connects", within: 60) {
        bridge.log.contains { $0.contains("connected to") }
      }
      let load = try LoadGenerator(rig, perSecond: 2000, limit: UInt64(records))
      try eventually("all are taken", within: 60) { load.isTaken }
      #expect(try bridge.stop(within: 60) == 0)
      let words = "stopped: \(records) records published, 0 left"
      #expect(bridge.log.contains { $0.contains(words) }, "\(bridge.log)")
      return try calls(of: "posix_memalign", in: counts)
    }
    let (few, many) = (try allocations(records: 500), try allocations(records: 3000))
    #expect(few > 100)
    #expect(abs(many - few) < 100, "\(few), \(many)")
  }

  /// callgrind's format: a called function has a number, and its name where that comes first.
  private func calls(of name: String, in file: String) throws -> Int {
    var (number, isCalled, sum) = (Substring?.none, false, 0)
    for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n") {
      if let match = line.wholeMatch(of: #/c?fn=\((\d+)\)(?: (.*))?/#) {
        if match.2 == name[...] { number = match.1 }
        isCalled = line.hasPrefix("c") && match.1 == number
      } else if isCalled, let match = line.wholeMatch(of: #/calls=(\d+) .*/#) {
        sum += try #require(Int(match.1))
        isCalled = false
      }
    }
    return sum
  }
}
