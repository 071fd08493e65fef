import Foundation
import Testing

/// The programs as built for ARM, under qemu-user, against the same broker.
@Suite(
  .needs(command: "mosquitto"), .needs(command: "qemu-aarch64-static"),
  .needs(command: "qemu-arm-static"))
struct CrossTests {
  @Test func everyArchitecturePublishesTheSameBytesForTheSameRecord() throws {
    let records = (0..<5).map { GarbageQueue.recentSample(sequence: $0) }
    var payloads: [Rig.Architecture: [String]] = [:]
    for architecture in Rig.Architecture.allCases {
      let rig = try Rig()
      let subscriber = try rig.subscriber()
      let bridge = try rig.bridge(on: architecture)
      let queue = try GarbageQueue("\(rig.queuePrefix)cyclic-sysinfo")
      for record in records { try queue.send(record) }
      try eventually("five records through \(architecture)", within: 30) {
        subscriber.messages(of: "/cyclic-sysinfo").count == 5
      }
      payloads[architecture] = subscriber.messages(of: "/cyclic-sysinfo").map(\.payload)
      #expect(try bridge.stop(within: 30) == 0)
    }
    #expect(payloads[.amd64]?.count == 5)
    #expect(payloads[.arm64] == payloads[.amd64])
    #expect(payloads[.armhf] == payloads[.amd64])
  }

  @Test(arguments: [Rig.Architecture.arm64, .armhf])
  func collectorsPublishFromEveryArchitecture(_ architecture: Rig.Architecture) throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge(on: architecture)
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "100ms"], on: architecture)
    try eventually("three samples", within: 30) {
      subscriber.messages(of: "/cyclic-sysinfo").count >= 3
    }
    let sample = try #require(subscriber.messages(of: "/cyclic-sysinfo").last)
    // The same machine, whatever the program was built for.
    let native = try rig.runProgram("cyclic-sysinfo", "--once").output[0]
    let members = try #require(
      JSONSerialization.jsonObject(with: Data(native.utf8)) as? [String: Any])
    // qemu-arm 7.2 cuts sysinfo(2) to 32 bits where a kernel would raise mem_unit.
    let range = architecture == .armhf ? 1 << 32 : Int.max
    let memory = try #require(members["memory_total_bytes"] as? Int)
    #expect(sample.integer("memory_total_bytes") == memory % range)
    #expect(sample.members.keys.sorted() == members.keys.sorted())
    #expect(try collector.stop(within: 30) == 0)
    #expect(try bridge.stop(within: 30) == 0)
  }
}
