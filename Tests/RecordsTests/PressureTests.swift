import Testing

@testable import Records

struct PressureTests {
  private func topic<Body: RecordBody>(_ body: Body) -> String {
    var topic = TopicLevels()
    body.appendTopic(to: &topic)
    return String(decoding: topic.bytes, as: UTF8.self)
  }

  private func sample(_ cgroup: [UInt8]) -> PressureSample {
    PressureSample(.io, of: CgroupPath(cgroup.span), Pressure())
  }

  @Test func theSystemsTopicIsTheResource() {
    #expect(topic(sample([])) == "/io")
    var stall = PressureStall()
    stall.resource = .memory
    #expect(topic(stall) == "/memory")
  }

  @Test func eachPartOfACgroupsPathIsALevel() {
    let path = [UInt8]("system.slice/ssh.service".utf8)
    #expect(topic(sample(path)) == "/cgroup/io/system.slice/ssh.service")
    #expect(topic(sample([UInt8]("user.slice".utf8))) == "/cgroup/io/user.slice")
  }

  @Test func noPartOfAPathBecomesAnEmptyOrReservedLevel() {
    #expect(topic(sample([UInt8]("a//b/".utf8))) == "/cgroup/io/a/b")
    #expect(topic(sample([UInt8]("+/#/a+b".utf8))) == "/cgroup/io/_/_/a_b")
    #expect(topic(sample([0x61, 0xFF, 0x2F, 0x0A])) == "/cgroup/io/a_/_")
  }

  @Test func aPathThatIsTooLongIsCutAndSaysSo() throws {
    let long = [UInt8]([[UInt8]](repeating: [UInt8]("slice/".utf8), count: 50).joined())
    var body = sample(long)
    var header = Golden.header
    var bytes: [UInt8] = []
    header.encode(&body, into: &bytes)
    let members = try publishedMembers(bytes)
    #expect((members["cgroup"] as? String)?.utf8.count == 256)
    #expect(members["cgroup_cut"] as? Bool == true)
    // Mosquitto allows 200 levels.
    #expect(topic(body).split(separator: "/").count < 200)
  }

  @Test func aLineThatTheKernelDoesNotHaveHasNoKeys() throws {
    let sample = try publishedMembers(Golden("pressure_sample.v1").bytes)
    #expect(sample["some_avg10"] as? Double == 0.0127)
    #expect(sample["some_total_seconds"] as? Double == 99.603873)
    #expect(!sample.keys.contains { $0.hasPrefix("full_") })
  }

  @Test func beginAndEndOfAStallAreEventsWhatIsBetweenIsNot() {
    var stall = PressureStall()
    for (state, isEvent) in [
      (PressureStall.State.onset, true), (.ongoing, false), (.over, true), (.gone, true),
    ] {
      stall.state = state
      #expect(stall.isEvent == isEvent)
    }
    #expect(!sample([]).isEvent)
  }

  @Test func theLongestRecordIsWithinTheLimit() throws {
    #expect(try Golden("pressure_stall.v1").bytes.count <= RecordHeader.maximumRecordSize)
  }
}
