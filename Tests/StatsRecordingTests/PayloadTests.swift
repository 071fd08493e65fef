import Foundation
import Records
import Testing

@testable import DeviceRig
@testable import stats_recording

/// What bridges publish in each format, read back.
struct PayloadTests {
  /// A record of each kind, taken now, and the program that it is of.
  private func goldenRecords() throws -> [(program: String, bytes: [UInt8])] {
    let folder = Machine.packageRoot.appending(path: "Tests/RecordsTests/Golden")
    return try FileManager.default.contentsOfDirectory(atPath: folder.path()).sorted().map { name in
      let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
      var bytes = text.split(separator: "\n").flatMap {
        $0.prefix { $0 != "#" }.split(separator: " ").compactMap { UInt8($0, radix: 16) }
      }
      // Its clocks, so that no step is seen between them and now.
      bytes.replaceSubrange(40..<56, with: GarbageQueue.recentSample(sequence: 0)[40..<56])
      let record = try Record(decoding: bytes, count: bytes.count)
      return ("\((record.kind.program ?? .epollPsi).name)", bytes)
    }
  }

  /// The records as they come out of a bridge with these options.
  private func published(
    _ sent: [(program: String, bytes: [UInt8])], _ options: [String]
  ) throws -> [PublishedRecord] {
    let rig = try Rig()
    let bridge = try rig.bridge(options + ["--device-id", "device"])
    let reader = try Reader(port: rig.broker().port)
    defer { reader.end() }
    try eventually("it has subscribed") { reader.isSubscribed }
    for (program, bytes) in sent {
      try GarbageQueue("\(rig.queuePrefix)\(program)", blocking: true).send(bytes)
    }
    try eventually("all \(sent.count) records are read") { reader.records.count >= sent.count }
    #expect(reader.complaints == [])
    #expect(try bridge.stop() == 0)
    return reader.records.sorted { $0.kind < $1.kind }
  }

  @Test(.needs(command: "mosquitto"), arguments: [1, 16])
  func everyFormatIsReadAsTheSameRecords(_ batch: Int) throws {
    let sent = try goldenRecords()
    func read(_ format: String) throws -> [PublishedRecord] {
      try published(
        sent, ["--payload", format, "--batch", "\(batch)", "--batch-time", "50ms"])
    }
    let json = try read("json")
    #expect(json.count == sent.count && Set(json.map(\.kind)).count == sent.count)
    let (record, influx) = (try read("record"), try read("influx"))
    for (expected, (first, second)) in zip(json, zip(record, influx)) {
      #expect(first == expected)
      #expect(second == expected)
    }
    #expect(record.count == json.count && influx.count == json.count)
  }

  /// The topic of a batch is that of the program; each record has the one that it would have alone.
  @Test(.needs(command: "mosquitto")) func recordsOfABatchHaveTheirOwnTopics() throws {
    let sent = try goldenRecords()
    let alone = try published(sent, [])
    let joined = try published(sent, ["--batch", "16", "--batch-time", "50ms"])
    #expect(joined.map(\.topic) == alone.map(\.topic))
    #expect(joined.contains { $0.topic.place.hasPrefix("disk/") })
  }

  private func content(
    _ payload: [UInt8], _ type: String = "", _ properties: [String: String] = [:]
  ) -> MessageContent {
    MessageContent(
      stats_recording.Message(
        topic: "stats/pi-7/cyclic-sysinfo", payload: payload, contentType: type,
        userProperties: properties), prefix: "stats")
  }

  @Test func bytesThatAreNoRecordsAreToldInOneLine() throws {
    let properties = ["boot_id": "b", "time_offset_ns": "1", "clock_synced": "true"]
    let record = GarbageQueue.recentSample(sequence: 7)
    guard case .records(let two) = content(record + record, "", properties) else {
      return #expect(Bool(false), "two records")
    }
    #expect(two.map(\.sequence) == [7, 7])
    for (payload, words) in [
      (record.dropLast(), "no record at byte 0"),
      (record + record.dropLast(9), "no record at byte 144"),
      (record + [1, 2, 3], "no record at byte 144"),
    ] {
      guard case .other(let text) = content(Array(payload), "", properties) else {
        return #expect(Bool(false), "\(words)")
      }
      #expect(text.contains(words), "\(text)")
    }
    guard case .other(let text) = content(record) else { return #expect(Bool(false)) }
    #expect(text.contains("without the user properties boot_id"))
  }

  @Test(arguments: ["load1=1", "a b", "a,b=c d=1", "a b=\"c 1", "a b=x 1", "a b=1i", "a b=1i 1 2"])
  func linesThatAreNoRecordsAreToldInOneLine(_ line: String) {
    #expect(
      content(Array(line.utf8))
        == .other("stats/pi-7/cyclic-sysinfo: line 1 is no record in line protocol"))
  }

  @Test func escapesOfLineProtocolAreUndone() throws {
    let point = try #require(
      ParsedPoint(parsing: #"m,a=x\,y\=\ z,b=dev-x2d\x2d7 s="a \"b\" \\c",n=-5i,f=0.5 -1000"#))
    #expect(point.tags.map(\.value) == [.text("x,y= z"), .text(#"dev-x2d\x2d7"#)])
    #expect(point.fields.map(\.value) == [.text(#"a "b" \c"#), .number("-5"), .number("0.5")])
    #expect(point.nanoseconds == -1000)
  }
}

/// What the host tool reads from a broker, on a thread of its own: tests wait where tasks would run.
private final class Reader: @unchecked Sendable {
  private let lock = NSLock()
  private var read: [PublishedRecord] = []
  private var words: [String] = []
  private var hasSubscribed = false
  private let ended = OneWaySwitch()

  init(port: Int) throws {
    let options = try BrokerOptions.parse(["--port", "\(port)"])
    Thread.detachNewThread { [self] in
      do { try run(options) } catch { lock.withLock { words.append("\(error)") } }
    }
  }

  private func run(_ options: BrokerOptions) throws {
    let client = try BrokerClient(options)
    client.onConnect = { [unowned client] _ in try? client.subscribe("stats/#") }
    client.onSubscribe = { [self] _ in lock.withLock { hasSubscribed = true } }
    client.onMessage = { [self] message in lock.withLock { take(message) } }
    try client.connect()
    while !ended.isSet { try client.loop(timeoutMilliseconds: 50) }
    client.disconnect()
  }

  private func take(_ message: stats_recording.Message) {
    switch MessageContent(message, prefix: "stats") {
    case .records(let records): read += records
    case .status: break
    case .other(let text): words.append(text)
    }
  }

  var isSubscribed: Bool { lock.withLock { hasSubscribed } }
  var records: [PublishedRecord] { lock.withLock { read } }
  var complaints: [String] { lock.withLock { words } }
  func end() { ended.set() }
}
