import Foundation
import Testing

/// What the broker refuses is never lost in silence.
@Suite(.needs(command: "mosquitto"), .needs(command: "mosquitto_sub"))
struct RefusalTests {
  @Test func aTopicThatTheAccessListForbidsIsToldOnceAndCounted() throws {
    let rig = try Rig()
    let list = rig.folder.appending(path: "acl").path()
    try "topic readwrite stats/\(rig.name)/status\ntopic read #\n".write(
      toFile: list, atomically: true, encoding: .utf8)
    _ = try rig.broker(
      settings: "listener PORT 127.0.0.1\nallow_anonymous true\nacl_file \(list)")
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "20ms"])
    try eventually("the status counts the refusals") {
      (subscriber.messages(of: "/status").last?.integer("records_refused") ?? 0) > 10
    }
    let status = try #require(subscriber.messages(of: "/status").last)
    #expect(status.integer("refusal_reason") == 135)
    #expect(status.text("refusal") == "Not authorized")
    #expect(status.integer("records_published") == 0)
    #expect(bridge.log.count { $0.contains("refused: Not authorized (135)") } == 1)
    #expect(subscriber.messages(of: "/cyclic-sysinfo").isEmpty)
    try collector.stop()
    #expect(try bridge.stop() == 0)
  }

  @Test func aMessageThatIsTooLargeForTheBrokerIsToldAndCounted() throws {
    let rig = try Rig()
    _ = try rig.broker(
      settings: "listener PORT 127.0.0.1\nallow_anonymous true\nmax_packet_size 400")
    let bridge = try rig.bridge()
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "50ms"])
    try eventually("the log says so") {
      bridge.log.contains { $0.contains("records of cyclic-sysinfo are refused") }
    }
    try collector.stop()
    #expect(try bridge.stop() == 0)
    #expect(bridge.log.count { $0.contains("are refused") } == 1)
  }

  @Test func aBrokerThatTakesOneMessageAtATimeGetsThemAll() throws {
    let rig = try Rig()
    _ = try rig.broker(
      settings: "listener PORT 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 1")
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let queue = try GarbageQueue("\(rig.queuePrefix)cyclic-sysinfo", blocking: true)
    for sequence in 0..<500 { try queue.send(GarbageQueue.sample(sequence: sequence)) }
    try eventually("all arrive") { subscriber.messages(of: "/cyclic-sysinfo").count >= 500 }
    #expect(
      subscriber.messages(of: "/cyclic-sysinfo").map { $0.integer("seq")! } == Array(0..<500))
    #expect(try bridge.stop() == 0)
  }
}
