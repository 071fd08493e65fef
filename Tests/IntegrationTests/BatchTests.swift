import Foundation
import Testing

/// Several records in one message.
@Suite(.needs(command: "mosquitto"), .onItsOwnThread)
struct BatchTests {
  private func objects(_ message: Message) throws -> [[String: Any]] {
    let array = try JSONSerialization.jsonObject(with: Data(message.payload.utf8))
    return try #require(array as? [[String: Any]])
  }

  @Test func aFullBatchGoesAtOnceAndTheRestAfterItsTime() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge("--batch", "4", "--batch-time", "2s")
    let queue = try GarbageQueue("\(rig.queuePrefix)cyclic-sysinfo")
    for sequence in 0..<6 { try queue.send(GarbageQueue.recentSample(sequence: sequence)) }
    let begin = Date()
    try eventually("a full batch") { !subscriber.messages(of: "/cyclic-sysinfo").isEmpty }
    #expect(Date().timeIntervalSince(begin) < 1.5)
    try eventually("the rest") { subscriber.messages(of: "/cyclic-sysinfo").count == 2 }
    #expect(Date().timeIntervalSince(begin) >= 1.9)
    let batches = try subscriber.messages(of: "/cyclic-sysinfo").map(objects)
    #expect(batches.map { $0.map { $0["seq"] as? Int } } == [[0, 1, 2, 3], [4, 5]])
    #expect(try bridge.stop() == 0)
  }

  /// Records of several topics of a program are one message on the program's topic, and say which.
  @Test func recordsOfAProgramJoinWhateverTheyAreAbout() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge("--batch", "1000", "--batch-time", "1s")
    let collector = try rig.program("cyclic-file-read", ["--interval", "100ms"])
    try eventually("a batch") { !subscriber.messages(of: "/cyclic-file-read").isEmpty }
    #expect(try collector.stop() == 0)
    let records = try subscriber.messages(of: "/cyclic-file-read").flatMap(objects)
    let topics = Set(records.compactMap { $0["topic"] as? String })
    #expect(topics.isSuperset(of: ["state", "cpu/total", "memory", "sockets"]), "\(topics)")
    #expect(subscriber.messages(of: "/cpu/total").isEmpty)
    #expect(try bridge.stop() == 0)
  }

  @Test func whatWaitsForOthersIsPublishedWhenTheBridgeStops() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge("--batch", "100", "--batch-time", "1h")
    let queue = try GarbageQueue("\(rig.queuePrefix)cyclic-sysinfo")
    for sequence in 0..<3 { try queue.send(GarbageQueue.recentSample(sequence: sequence)) }
    #expect(try bridge.stop() == 0)
    #expect(bridge.log.last?.hasSuffix("3 records published, 0 left in the outbox") == true)
    try eventually("they arrive") { !subscriber.messages(of: "/cyclic-sysinfo").isEmpty }
    #expect(try subscriber.messages(of: "/cyclic-sysinfo").flatMap(objects).count == 3)
  }

  /// 32 records of 490 bytes are more than it takes: as many as fit go, none is lost.
  @Test func aBatchIsNoLargerThanWhatTheBrokerTakes() throws {
    let device = try FaultRig(
      "--batch", "32", brokerSettings: "max_packet_size 5000")
    let load = try device.load(perSecond: 2000)
    let events = try device.load(.events, perSecond: 50)
    let bridge = try device.start()
    try eventually("load", within: 20) { load.sent > 2000 && events.sent > 30 }
    let figures = try device.settle("maximum packet size of 5,000, batches of 32")
    #expect(figures.lost == 0 && figures.counted == 0 && figures.duplicated == 0)
    #expect(device.tap.passed.connections == 1)
    #expect(device.tap.passed.publishes < figures.sent / 4)
    #expect(try bridge.stop() == 0)
  }

  /// What the broker's access list refuses is counted record by record.
  @Test func eachRecordOfARefusedBatchIsCounted() throws {
    let rig = try Rig()
    let rules = rig.folder.appending(path: "acl")
    try "topic read #\ntopic write stats/+/status\n".write(
      to: rules, atomically: true, encoding: .utf8)
    _ = try rig.broker(
      settings: "listener PORT 127.0.0.1\nallow_anonymous true\nacl_file \(rules.path())")
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge("--batch", "10", "--status-interval", "1s")
    let queue = try GarbageQueue("\(rig.queuePrefix)cyclic-sysinfo")
    for sequence in 0..<10 { try queue.send(GarbageQueue.recentSample(sequence: sequence)) }
    try eventually("the status counts ten") {
      subscriber.messages(of: "/status").last?.integer("records_refused") == 10
    }
    #expect(bridge.log.filter { $0.contains("Not authorized (135)") }.count == 1)
    #expect(try bridge.stop() == 0)
  }
}
