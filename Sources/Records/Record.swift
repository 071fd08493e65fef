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
    (header, kind) = try Self.check(bytes.span.extracting(first: count))
    self.bytes = bytes
  }

  /// The same checks of the record that is the whole of `bytes`, which nobody keeps: to count references to
  /// them was a tenth of the bridge's time where it publishes records as they are.
  @discardableResult
  public static func check(
    _ bytes: Span<UInt8>
  ) throws(RecordError) -> (header: RecordHeader, kind: RecordKind) {
    let header = try RecordHeader(decoding: bytes)
    guard let kind = RecordKind(rawValue: header.kind) else { throw .unknownKind(header.kind) }
    let needed = FieldTables.all.bodyLength(of: kind)
    guard header.bodyLength >= needed else {
      throw .truncated(needed: needed, found: Int(header.bodyLength))
    }
    return (header, kind)
  }

  /// The body, if the record is of its kind.
  public func body<Body: RecordBody>(as type: Body.Type) -> Body? {
    kind.rawValue == Body.kind.rawValue ? decode() : nil
  }

  /// See ``RecordBody/isEvent``.
  public var isEvent: Bool { kind.isEvent(bytes, header) }

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

extension RecordKind {
  /// Whether this record, which was checked, is an event: see ``RecordBody/isEvent``.
  public func isEvent(_ record: [UInt8], _ header: RecordHeader) -> Bool {
    switch FieldTables.all.eventRule(of: self) {
    case .never: false
    case .always: true
    case .firstField: record[Int(header.headerLength)] != 0
    case .dependsOnFields: fieldsSayEvent(record, header)
    }
  }

  @inline(never)
  private func fieldsSayEvent(_ record: [UInt8], _ header: RecordHeader) -> Bool {
    var question = EventQuestion(record: record, header: header)
    return withBody(&question)
  }
}

private struct EventQuestion: BodyUse {
  let record: [UInt8]
  let header: RecordHeader

  @inline(__always)
  func use<Body: RecordBody>(_ type: Body.Type) -> Bool {
    guard case .dependsOnFields = Body.eventRule else { return false }
    var decoder = FieldDecoder(record, header)
    let body: Body = decoder.body()
    return body.isEvent
  }
}
