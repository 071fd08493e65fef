import Daemon
import Records
import Linux
import TestSupport
import Testing

@testable import posix_mq_to_mqtt_bridge

struct TopicsTests {
  private func topics(_ arguments: String...) -> (topics: Topics, answer: Options.Answer?) {
    var options = Options(
      "tester", arguments: ["--config", "/dev/null"] + arguments.map { Text($0) })
    let topics = Topics(&options)
    return (topics, options.answer("Tests topics."))
  }

  private func text(_ topic: [UInt8]) -> String {
    #expect(topic.last == 0)
    return String(decoding: topic.dropLast(), as: UTF8.self)
  }

  private func record<Body: RecordBody>(_ body: Body) throws -> Record {
    var (header, body, bytes) = (RecordHeader(instance: 1), body, [UInt8]())
    header.encode(&body, into: &bytes)
    return try Record(decoding: bytes, count: bytes.count)
  }

  @Test func theyAreMadeOfPrefixDeviceAndProgram() throws {
    let (topics, answer) = topics("--device-id", "pi-7", "--topic-prefix", "site/a")
    #expect(answer == nil)
    #expect(text(topics.status) == "site/a/pi-7/status")
    var topic = TopicLevels()
    topics.name(try record(SystemInformation()), of: .cyclicSysinfo, &topic)
    #expect(text(topic.bytes) == "site/a/pi-7/cyclic-sysinfo")
    topics.name(try record(SourceState(.running)), of: .cyclicSysinfo, &topic)
    #expect(text(topic.bytes) == "site/a/pi-7/cyclic-sysinfo/state")
  }

  @Test func theDefaultDeviceIsAlwaysTheSameAndNotTheMachineID() {
    let first = topics().topics.deviceID
    #expect(first == topics().topics.deviceID)
    #expect(!first.isEmpty)
  }

  @Test(arguments: ["a/b", "a+", "#", "", "a\u{1}", "$SYS", "a\u{85}", "\u{FFFF}"])
  func aDeviceThatIsNoTopicLevelIsRefused(_ id: String) {
    #expect(topics("--device-id", id).answer?.status == 2)
  }

  @Test func aDeviceThatIsNotUTF8IsRefused() {
    var options = Options(
      "tester", arguments: ["--config", "/dev/null", "--device-id", Text([0x61, 0xC3])])
    _ = Topics(&options)
    #expect(options.answer("Tests topics.")?.status == 2)
  }

  @Test func aDeviceMayHaveAnyNameOfOneLevel() {
    #expect(topics("--device-id", "Küche 7\u{1F41F}").answer == nil)
  }

  @Test(arguments: ["/a", "a/", "a//b", "a/+", "#", "$share/a"])
  func aPrefixThatIsNoTopicIsRefused(_ prefix: String) {
    #expect(topics("--topic-prefix", prefix).answer?.status == 2)
  }
}
