/// What the payload of every record of this machine tells beside the record itself.
public struct Envelope: Sendable {
  /// /proc/sys/kernel/random/boot_id: tells the sequences of one boot from those of another.
  public let bootID: [UInt8]
  /// The clock by which the time of a record is told; read it once for a batch.
  public var clock: ClockReading

  public init(bootID: [UInt8], clock: ClockReading) {
    self.bootID = bootID
    self.clock = clock
  }
}

/// As what records are published.
public enum PayloadFormat: Sendable {
  /// An object; several are an array.
  case json
  /// InfluxDB's: a line each.
  case lineProtocol
  /// The record's own bytes, each of which knows its length; what they do not tell is told beside them.
  case record

  /// The MIME type of the message.
  public var contentType: StaticString {
    switch self {
    case .json: "application/json"
    case .lineProtocol: "text/plain; charset=utf-8"
    case .record: "application/vnd.stats-recording.record"
    }
  }
}

/// The payload of a message: one record or several of a program, in a buffer that is used again and again.
public struct Payload: Sendable {
  public let format: PayloadFormat
  public private(set) var bytes: [UInt8] = []
  private var isBatch = false
  private var count = 0
  /// Where the last record begins, with what separates it from the one before.
  private var last = 0
  /// `,device=pi-7`, and the same with the program behind it.
  private let deviceTag: [UInt8]
  private var tags: [UInt8] = []
  private var topic = TopicLevels()

  /// `deviceID` is what line protocol has as a tag.
  public init(_ format: PayloadFormat, deviceID: Span<UInt8>) {
    self.format = format
    var tag: [UInt8] = []
    tag.extend(8 + 3 * deviceID.count) { place in
      var place = place
      place.put(",device=")
      place.put(tagText: deviceID)
      return place
    }
    deviceTag = tag
    bytes.reserveCapacity(2048)
  }

  /// Forgets what was written. A batch tells each record's own topic, where the format can.
  public mutating func begin(_ program: Program, isBatch: Bool) {
    bytes.removeAll(keepingCapacity: true)
    self.isBatch = isBatch
    count = 0
    guard case .lineProtocol = format else { return }
    tags.removeAll(keepingCapacity: true)
    tags += deviceTag
    tags.extend(32) { place in
      var place = place
      place.put(",program=")
      place.put(program.name)
      return place
    }
  }

  /// Takes the last record away again.
  public mutating func removeLast() {
    bytes.removeLast(bytes.count - last)
    count -= 1
  }

  public mutating func append(_ record: Record, _ envelope: Envelope) {
    last = bytes.count
    let tables = FieldTables.all
    switch format {
    case .json:
      topic.removeAll()
      if isBatch {
        bytes.append(count == 0 ? UInt8(ascii: "[") : UInt8(ascii: ","))
        record.appendTopic(to: &topic)
      }
      bytes.append(record, tables, envelope, topic: topic)
    case .lineProtocol:
      if count > 0 { bytes.append(UInt8(ascii: "\n")) }
      let tags = tags
      bytes.extend(tables.room(record.kind, envelope) + tags.count) { place in
        var place = place
        place.put(
          line: record.kind, record.header, record.bytes.span, tables, envelope, tags: tags.span)
        return place
      }
    case .record:
      let length = record.header.recordLength
      bytes.extend(length) { place in
        var place = place
        record.bytes.withUnsafeBufferPointer { place.put($0.baseAddress!, length) }
        return place
      }
    }
    count += 1
  }

  /// The same for ``PayloadFormat/record``, of a record of this length that was checked before.
  public mutating func append(checked length: Int, _ write: (inout OutputSpan<UInt8>) -> Void) {
    last = bytes.count
    bytes.append(addingCapacity: length, initializingWith: write)
    count += 1
  }

  public mutating func end() {
    if isBatch, case .json = format { bytes.append(UInt8(ascii: "]")) }
  }
}

extension JSON {
  /// The version of the payload: it changes when a key changes its meaning.
  public static let payloadVersion: UInt64 = 1

  /// Writes the record as it is published alone.
  public mutating func write(_ record: Record, _ envelope: Envelope) {
    bytes.removeAll(keepingCapacity: true)
    bytes.append(record, FieldTables.all, envelope, topic: TopicLevels())
  }

  /// The same for a program that knows which body it has: it needs no code for all the others.
  public mutating func write<Body: RecordBody>(
    _ type: Body.Type, _ record: [UInt8], _ header: RecordHeader, _ envelope: Envelope
  ) {
    let buffer = bytes
    bytes = []
    var fields = FieldsAsJSON(Body.kind.constantName, header, record, envelope, buffer)
    // Only its list of fields is wanted, none of its values.
    var body = Body()
    body.visit(&fields)
    bytes = fields.end()
  }
}

extension [UInt8] {
  @inline(never)
  fileprivate mutating func append(
    _ record: Record, _ tables: FieldTables, _ envelope: Envelope, topic: TopicLevels
  ) {
    let levels = topic.bytes.span.extracting(droppingFirst: topic.bytes.isEmpty ? 0 : 1)
    extend(tables.room(record.kind, envelope) + 6 * levels.count) { place in
      var place = place
      place.put(
        json: record.kind, record.header, record.bytes.span, tables, envelope, topic: levels)
      return place
    }
  }
}
