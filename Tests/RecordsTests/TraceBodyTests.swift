import Testing

@testable import Records

/// The bodies that trace-consumer sends.
struct TraceBodyTests {
  private static func histogram(_ counts: [Int: UInt64]) -> TracedHistogram {
    var body = TracedHistogram()
    for (bucket, count) in counts { body.counts[bucket] = count }
    return body
  }

  private static func record<Body: RecordBody>(_ body: Body) throws -> Record {
    var (header, body, bytes) = (Golden.header, body, [UInt8]())
    header.encode(&body, into: &bytes)
    return try Record(decoding: bytes, count: bytes.count)
  }

  private static func line(_ record: Record) -> String {
    var payload = Payload(.lineProtocol, deviceID: [UInt8]("pi-7".utf8).span)
    payload.begin(.traceConsumer, isBatch: false)
    payload.append(record, .forTests)
    payload.end()
    return String(decoding: payload.bytes, as: UTF8.self)
  }

  private static func json(_ record: Record) -> String {
    var json = JSON()
    json.write(record, .forTests)
    return String(decoding: json.bytes, as: UTF8.self)
  }

  @Test func valuesAreWrittenAsTheGoldenRecord() throws {
    var body = TracedValue()
    body.aggregation.program = FixedText("exits-by-signal")
    body.aggregation.name = FixedText("exits")
    body.aggregation.key = FixedText("sleep,15")
    body.aggregation.intervalMicroseconds = 1_000_213
    body.value = -3
    try Golden.expect(body, isWrittenAs: "trace_value.v1")
  }

  @Test func histogramsAreWrittenAsTheGoldenRecord() throws {
    var body = Self.histogram([0: 5, 2: 1, 3: 0x0123_4567_89AB_CDEF, 11: 40, 62: 7])
    body.aggregation.program = FixedText("run-queue-latency")
    body.aggregation.name = FixedText("microseconds")
    body.aggregation.intervalMicroseconds = 5_000_100
    try Golden.expect(body, isWrittenAs: "trace_histogram.v1")
  }

  @Test func eventsAreWrittenAsTheGoldenRecord() throws {
    var body = TracedEvent()
    body.program = FixedText("oom-kills")
    body.record = FixedText("victims")
    body.isNotable = true
    body.bootTimeNanoseconds = 1_393_999_123_456
    body.processID = 4711
    body.command = FixedText("stress")
    body.fields = FixedText(#"trigger="Web Content""#)
    try Golden.expect(body, isWrittenAs: "trace_event.v1")
    body.isNotable = false
    #expect(try !Self.record(body).isEvent)
  }

  @Test func lossesAreWrittenAsTheGoldenRecord() throws {
    var body = TracedLoss()
    body.program = FixedText("system-calls")
    body.lostCount = 190
    try Golden.expect(body, isWrittenAs: "trace_loss.v1")
  }

  @Test(arguments: [
    ([:], #""upper_bounds":[],"counts":[]}"#, ""),
    ([0: 5], #""upper_bounds":[0],"counts":[5]}"#, "le_0=5i,"),
    (
      [0: 5, 2: 2, 3: 9], #""upper_bounds":[0,1,3,7],"counts":[5,0,2,9]}"#,
      "le_0=5i,le_1=0i,le_3=2i,le_7=9i,"
    ),
  ])
  func emptyBucketsBehindTheLastAreLeftOut(
    _ counts: [Int: UInt64], _ json: String, _ line: String
  ) throws {
    let record = try Self.record(Self.histogram(counts))
    #expect(Self.json(record).hasSuffix(json))
    #expect(Self.line(record).contains(" interval_seconds=0,\(line)boot_id="))
  }

  /// The longest that there is fits into the room that is made for it.
  @Test func everyBucketMayHoldTheLargestNumber() throws {
    let full = Dictionary(uniqueKeysWithValues: (0..<64).map { ($0, UInt64.max) })
    let record = try Self.record(Self.histogram(full))
    let members = try publishedMembers(record.bytes)
    #expect((members["counts"] as? [UInt64]) == [UInt64](repeating: .max, count: 64))
    #expect((members["upper_bounds"] as? [UInt64]) == (0..<64).map { UInt64(1) << UInt64($0) - 1 })
    let fields = (0..<64).map { "le_\(UInt64(1) << UInt64($0) - 1)=9223372036854775807i" }
    #expect(Self.line(record).contains(" interval_seconds=0,\(fields.joined(separator: ",")),boot"))
    #expect(record.bytes.count <= RecordHeader.maximumRecordSize)
  }

  @Test func theTopicIsOfProgramAggregationAndKey() throws {
    var topic = TopicLevels()
    var body = TracedValue()
    body.aggregation.program = FixedText("execs")
    body.aggregation.name = FixedText("execs")
    body.aggregation.key = FixedText("kworker/0:1")
    body.appendTopic(to: &topic)
    #expect(String(decoding: topic.bytes, as: UTF8.self) == "/value/execs/execs/kworker_0:1")
    topic.removeAll()
    Self.histogram([:]).appendTopic(to: &topic)
    #expect(String(decoding: topic.bytes, as: UTF8.self) == "/histogram/_/_/_")
  }
}
