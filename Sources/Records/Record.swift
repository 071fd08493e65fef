/// A record as its bytes came: the header was read, and the body is as long as its kind wants it.
///
/// The fields stay where they are until somebody asks: see ``Payload``, ``JSON/write(_:_:)`` and
/// ``body(as:)``.
public struct Record: Sendable {
  public let header: RecordHeader
  public let kind: RecordKind
  let bytes: [UInt8]

  /// Checks the record that is the whole of the first `count` bytes. Errors: see ``RecordError``.
  public init(decoding bytes: [UInt8], count: Int) throws(RecordError) {
    header = try RecordHeader(decoding: bytes.span.extracting(first: count))
    guard let kind = RecordKind(rawValue: header.kind) else { throw .unknownKind(header.kind) }
    self.kind = kind
    self.bytes = bytes
    let needed = FieldTables.all.bodyLength(of: kind)
    guard header.bodyLength >= needed else {
      throw .truncated(needed: needed, found: Int(header.bodyLength))
    }
  }

  /// The body, if the record is of its kind.
  public func body<Body: RecordBody>(as type: Body.Type) -> Body? {
    kind.rawValue == Body.kind.rawValue ? decode() : nil
  }

  /// See ``RecordBody/isEvent``.
  public var isEvent: Bool {
    var question = EventQuestion(record: self)
    return kind.withBody(&question)
  }

  fileprivate func decode<Body: RecordBody>() -> Body {
    var decoder = FieldDecoder(bytes, header)
    return decoder.body()
  }
}

extension RecordBody {
  /// How many bytes the fields take on the wire.
  static var lengthOnWire: Int {
    var length = FieldLength()
    var body = Self()
    body.visit(&length)
    return length.bytes
  }
}

private struct EventQuestion: BodyUse {
  let record: Record

  @inline(__always)
  func use<Body: RecordBody>(_ type: Body.Type) -> Bool {
    switch Body.eventRule {
    case .never: return false
    case .always: return true
    case .firstField: return record.bytes[Int(record.header.headerLength)] != 0
    case .dependsOnFields:
      let body: Body = record.decode()
      return body.isEvent
    }
  }
}
