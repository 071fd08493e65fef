// The two visitors that mirror each other: what one writes, the other reads.

extension RecordHeader {
  /// Appends the record of this header and `body` to `bytes`, with the kind and lengths it has.
  public mutating func encode<Body: RecordBody>(_ body: inout Body, into bytes: inout [UInt8]) {
    var length = FieldLength()
    body.visit(&length)
    kind = Body.kind.rawValue
    bodyLength = UInt16(length.bytes)
    encode(into: &bytes)
    var encoder = FieldEncoder(bytes: bytes)
    bytes = []
    body.visit(&encoder)
    bytes = encoder.bytes
  }
}

/// How long a body is on the wire.
struct FieldLength: FieldVisitor {
  var bytes = 0

  @inline(__always)
  mutating func unsigned<T: WireInteger & UnsignedInteger>(_ field: Field, _ value: inout T) {
    bytes += T.bitWidth / 8
  }
  @inline(__always)
  mutating func signed<T: WireInteger & SignedInteger>(_ field: Field, _ value: inout T) {
    bytes += T.bitWidth / 8
  }
  @inline(__always)
  mutating func optional<T: WireInteger>(_ field: Field, _ value: inout T?) {
    bytes += T.bitWidth / 8
  }
  @inline(__always)
  mutating func boolean(_ field: Field, _ value: inout Bool) { bytes += 1 }
  @inline(__always)
  mutating func name<T: FieldName>(_ field: Field, _ value: inout T) { bytes += 1 }
  @inline(__always)
  mutating func text<let capacity: Int>(_ field: Field, _ value: inout FixedText<capacity>) {
    bytes += 2 + capacity
  }
}

struct FieldEncoder: FieldVisitor {
  var bytes: [UInt8]

  @inline(__always)
  mutating func unsigned<T: WireInteger & UnsignedInteger>(_ field: Field, _ value: inout T) {
    bytes.append(littleEndian: value)
  }
  @inline(__always)
  mutating func signed<T: WireInteger & SignedInteger>(_ field: Field, _ value: inout T) {
    bytes.append(littleEndian: value)
  }
  @inline(__always)
  mutating func optional<T: WireInteger>(_ field: Field, _ value: inout T?) {
    bytes.append(littleEndian: value ?? ~0)
  }
  @inline(__always)
  mutating func boolean(_ field: Field, _ value: inout Bool) { bytes.append(value ? 1 : 0) }
  @inline(__always)
  mutating func name<T: FieldName>(_ field: Field, _ value: inout T) {
    bytes.append(value.rawValue)
  }
  mutating func text<let capacity: Int>(_ field: Field, _ value: inout FixedText<capacity>) {
    bytes.append(littleEndian: value.lengthOnWire)
    for index in 0..<value.count { bytes.append(value[index]) }
    for _ in value.count..<capacity { bytes.append(0) }
  }
}

/// Fills a body's fields from a record's bytes, and steps over what a newer version appended.
struct FieldDecoder: FieldVisitor {
  private let bytes: [UInt8]
  private let start: Int
  private let end: Int
  private var offset: Int

  init(_ bytes: [UInt8], _ header: RecordHeader) {
    self.bytes = bytes
    start = Int(header.headerLength)
    end = start + Int(header.bodyLength)
    offset = start
  }

  mutating func body<Body: RecordBody>() throws(RecordError) -> Body {
    var body = Body()
    body.visit(&self)
    // Fields that did not fit have moved the offset beyond the end all the same.
    guard offset <= end else { throw .truncated(needed: offset - start, found: end - start) }
    return body
  }

  /// Where the next `length` bytes begin, or nil if the body is too short for them.
  @inline(__always)
  private mutating func next(_ length: Int) -> Int? {
    defer { offset += length }
    return offset + length <= end ? offset : nil
  }

  @inline(__always)
  mutating func unsigned<T: WireInteger & UnsignedInteger>(_ field: Field, _ value: inout T) {
    if let place = next(T.bitWidth / 8) { value = bytes.span.littleEndian(at: place, as: T.self) }
  }
  @inline(__always)
  mutating func signed<T: WireInteger & SignedInteger>(_ field: Field, _ value: inout T) {
    if let place = next(T.bitWidth / 8) { value = bytes.span.littleEndian(at: place, as: T.self) }
  }
  @inline(__always)
  mutating func optional<T: WireInteger>(_ field: Field, _ value: inout T?) {
    guard let place = next(T.bitWidth / 8) else { return }
    let number = bytes.span.littleEndian(at: place, as: T.self)
    // Typed, since `number == ~0` would compare with the Int -1.
    let absent: T = ~0
    value = number == absent ? nil : number
  }
  @inline(__always)
  mutating func boolean(_ field: Field, _ value: inout Bool) {
    if let place = next(1) { value = bytes[place] != 0 }
  }
  @inline(__always)
  mutating func name<T: FieldName>(_ field: Field, _ value: inout T) {
    if let place = next(1) { value = T(rawValue: bytes[place]) ?? .unknown }
  }
  mutating func text<let capacity: Int>(_ field: Field, _ value: inout FixedText<capacity>) {
    guard let place = next(2 + capacity) else { return }
    value.take(
      lengthOnWire: bytes.span.littleEndian(at: place, as: UInt16.self),
      bytes.span.extracting((place + 2)..<(place + 2 + capacity)))
  }
}
