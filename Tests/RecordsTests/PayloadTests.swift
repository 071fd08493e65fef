import TestSupport
import Testing

@testable import Records

/// What records are published as beside JSON alone: line protocol, their own bytes, batches.
struct PayloadTests {
  private func payload(
    _ format: PayloadFormat, device: String = "pi-7", isBatch: Bool = false, _ records: [[UInt8]]
  ) throws -> String {
    var payload = Payload(format, deviceID: [UInt8](device.utf8).span)
    for _ in 0..<2 {
      payload.begin(.cyclicFileRead, isBatch: isBatch)
      for bytes in records {
        payload.append(try Record(decoding: bytes, count: bytes.count), .forTests)
      }
      payload.end()
    }
    return String(decoding: payload.bytes, as: UTF8.self)
  }

  private func bytes<Body: RecordBody>(_ body: Body) -> [UInt8] {
    var (header, body, bytes) = (Golden.header, body, [UInt8]())
    header.encode(&body, into: &bytes)
    return bytes
  }

  private let envelope =
    #"boot_id="43908254-216b-467b-8145-3543fe292e1a",instance=1337546i,seq=42i,dropped=3i,"#
    + "clock_synced=true 1795229000512345000"

  @Test func aRecordIsAPointWithTheEnvelopeBehindItsFields() throws {
    let line = try payload(.lineProtocol, [Golden("system_information.v1").bytes])
    #expect(
      line == """
        system_information,device=pi-7,program=cyclic-file-read uptime_seconds=1394i,load1=0.4019,\
        load5=0.1763,load15=0.0586,memory_total_bytes=25276502016i,memory_free_bytes=24189997056i,\
        memory_shared_bytes=9084928i,memory_buffer_bytes=4534272i,swap_total_bytes=1073741824i,\
        swap_free_bytes=1073741312i,high_memory_total_bytes=4096i,high_memory_free_bytes=1024i,\
        process_count=82i,
        """ + envelope)
  }

  /// Names, booleans and numbers with decimals among them; those of nothing are left out.
  @Test func identitiesAreTags() throws {
    let line = try payload(.lineProtocol, [Golden("pressure_stall.v1").bytes])
    #expect(
      line.hasPrefix(
        "pressure_stall,device=pi-7,program=cyclic-file-read,resource=memory,scope=full,polled=true,"
          + "cgroup=system.slice/influxdb.service,threshold_seconds=0.3,window_seconds=2 "
          + #"state="over",stall_seconds=0.035802,interval_seconds=2.500113,"#), "\(line)")
    var sample = PressureSample(.cpu, of: CgroupPath(), Pressure())
    sample.pressure.some.totalMicroseconds = 99_603_873
    #expect(
      try payload(.lineProtocol, [bytes(sample)])
        == "pressure_sample,device=pi-7,program=cyclic-file-read,resource=cpu some_total_seconds=99.603873,"
        + envelope)
  }

  /// A tag stands once: `device` is the one that publishes.
  @Test func aTagThatWouldComeTwiceHasItsKindBeforeIt() throws {
    let line = try payload(.lineProtocol, [Golden("disk.v1").bytes])
    #expect(line.hasPrefix("disk,device=pi-7,program=cyclic-file-read,disk_device="), "\(line)")
  }

  @Test(arguments: [
    ("a,b=c d", #"a\,b\=c\ d"#), (#"dev-x2d\x2d7"#, #"dev-x2d\x2d7"#), ("a\nb", #"a\ b"#),
    (#"end\"#, "end_"), (#"a\,b"#, #"a_\,b"#), (#"a\\b"#, #"a\\b"#), (#""q""#, #""q""#),
    ("ä\u{1}", "ä\u{1}"),
  ])
  func whatATagCannotHoldIsEscaped(_ text: String, _ escaped: String) throws {
    var dump = CoreDump()
    dump.comm = FixedText([UInt8](text.utf8).span)
    let line = try payload(.lineProtocol, [bytes(dump)])
    #expect(line.hasPrefix("core_dump,device=pi-7,program=cyclic-file-read,comm=\(escaped) "))
    let ofDevice = try payload(.lineProtocol, device: text, [bytes(dump)])
    #expect(ofDevice.hasPrefix("core_dump,device=\(escaped),program="))
  }

  @Test func textsAreQuotedAndSayThatTheyWereCut() throws {
    var dump = CoreDump()
    dump.commandLine = FixedText([UInt8]("say \"hi\" \\now\nend, \u{1F41F}".utf8).span)
    dump.comm = FixedText([UInt8](repeating: 0x61, count: 41).span)
    dump.hostname.append(0xFF)
    let line = try payload(.lineProtocol, [bytes(dump)])
    #expect(line.contains(#",command_line="say \"hi\" \\now\nend, 🐟","#), "\(line)")
    #expect(line.contains(#",hostname="\#u{FFFD}","#), "\(line)")
    #expect(line.contains(" crash_time_seconds=0,comm_cut=true,signal_name="), "\(line)")
  }

  @Test func integersBeyondTheLargestOfInfluxDBAreItsLargest() throws {
    var body = SystemInformation()
    body.memoryTotalBytes = .max
    let line = try payload(.lineProtocol, [bytes(body)])
    #expect(line.contains(",memory_total_bytes=9223372036854775807i,"))
  }

  @Test func aBatchOfJSONIsAnArrayThatTellsEachTopic() throws {
    let (disk, system) = (try Golden("disk.v1").bytes, try Golden("system_information.v1").bytes)
    let (first, second) = (try payload(.json, [disk]), try payload(.json, [system]))
    let batch = try payload(.json, isBatch: true, [disk, system])
    let topic = #""clock_synced":true,"topic":"disk/"#
    #expect(batch.contains(topic))
    #expect(
      batch.replacing(/"topic":"[^"]*",/, with: "") == "[\(first),\(second)]")
    #expect(!first.contains(#""topic""#))
  }

  @Test func aBatchOfLinesIsLinesAndOneOfRecordsTheirBytes() throws {
    let (disk, system) = (try Golden("disk.v1").bytes, try Golden("system_information.v1").bytes)
    let lines = [try payload(.lineProtocol, [disk]), try payload(.lineProtocol, [system])]
    #expect(
      try payload(.lineProtocol, isBatch: true, [disk, system]) == lines.joined(separator: "\n"))
    var payload = Payload(.record, deviceID: [UInt8]("pi-7".utf8).span)
    payload.begin(.cyclicFileRead, isBatch: true)
    for bytes in [disk, system, disk] {
      payload.append(try Record(decoding: bytes, count: bytes.count), .forTests)
    }
    payload.removeLast()
    payload.end()
    #expect(payload.bytes == disk + system)
  }

  /// Each name between braces is a field of the kind.
  @Test(arguments: try Golden.all) func everyTopicIsOfFieldsThatAreThere(_ golden: Golden) throws {
    let record = try Record(decoding: golden.bytes, count: golden.bytes.count)
    var listing = TopicOfBody()
    record.kind.withBody(&listing)
    let names = Set(record.kind.fields.map { "\($0.field.name)" })
    for match in listing.topic.matches(of: /\{(\w+)\/?\}/) {
      #expect(names.contains(String(match.1)), "\(listing.topic)")
    }
  }

  private struct TopicOfBody: BodyUse {
    var topic = ""
    mutating func use<Body: RecordBody>(_ type: Body.Type) { topic = "\(Body.topic)" }
  }

  /// The code for all kinds and that for one write the same.
  @Test(arguments: try Golden.all) func whoeverKnowsTheBodyWritesTheSameJSON(
    _ golden: Golden
  ) throws {
    let record = try Record(decoding: golden.bytes, count: golden.bytes.count)
    var json = JSON()
    json.write(record, .forTests)
    var alone = OfBody(record: record)
    record.kind.withBody(&alone)
    #expect(
      String(decoding: alone.json.bytes, as: UTF8.self)
        == String(decoding: json.bytes, as: UTF8.self))
  }

  private struct OfBody: BodyUse {
    let record: Record
    var json = JSON()
    mutating func use<Body: RecordBody>(_ type: Body.Type) {
      json.write(Body.self, record.bytes, record.header, .forTests)
    }
  }
}
