// The two visitors that mirror each other: what one writes, the other reads.

extension RecordHeader {
  /// Appends the record of this header and `body` to `bytes`, with the kind and lengths it has.
  public mutating func encode<Body: RecordBody>(_ body: inout Body, into bytes: inout [UInt8]) {
    kind = Body.kind.rawValue
    bodyLength = UInt16(Body.lengthOnWire)
    let header = self
    bytes.extend(recordLength) { place in
      var encoder = FieldEncoder(place: place)
      encoder.put(header)
      body.visit(&encoder)
      // Both lengths come from the same `visit`, which must not depend on what the fields hold.
      precondition(encoder.place - place == header.recordLength)
      return encoder.place
    }
  }
}

/// How long a body is on the wire.
struct FieldLength: FieldVisitor {
  var bytes = 0

  @inline(__always)
  mutating func unsigned<T: WireInteger & UnsignedInteger>(_ field: Field, _ value: inout T) {
    bytes &+= T.bitWidth / 8
  }
  @inline(__always)
  mutating func signed<T: WireInteger & SignedInteger>(_ field: Field, _ value: inout T) {
    bytes &+= T.bitWidth / 8
  }
  @inline(__always)
  mutating func optional<T: WireInteger>(_ field: Field, _ value: inout T?) {
    bytes &+= T.bitWidth / 8
  }
  @inline(__always)
  mutating func boolean(_ field: Field, _ value: inout Bool) { bytes &+= 1 }
  @inline(__always)
  mutating func name<T: FieldName>(_ field: Field, _ value: inout T) { bytes &+= 1 }
  @inline(__always)
  mutating func text<let capacity: Int>(_ field: Field, _ value: inout FixedText<capacity>) {
    bytes &+= 2 + capacity
  }
  @inline(__always)
  mutating func buckets(_ field: Field, _ value: inout Buckets) {
    bytes &+= Buckets.bytesOnWire
  }
}

/// Writes each field at once, where it stands: appended byte by byte to an array they were two thirds
/// of the instructions that a record of inotify-pacct took.
struct FieldEncoder: FieldVisitor {
  /// Where the next field goes; the room for all of them is there.
  fileprivate var place: BytePlace

  @inline(__always)
  private mutating func put<T: FixedWidthInteger & BitwiseCopyable>(_ number: T) {
    UnsafeMutableRawPointer(place).storeBytes(of: number.littleEndian, as: T.self)
    place += MemoryLayout<T>.size
  }

  /// The header as ``RecordHeader`` shows it.
  @inline(never)
  fileprivate mutating func put(_ header: RecordHeader) {
    put(RecordHeader.magic)
    put(RecordHeader.formatVersion)
    put(UInt16(RecordHeader.encodedSize))
    put(header.kind)
    put(header.bodyLength)
    put(header.clockSynchronized ? 1 : 0 as UInt32)
    put(header.instance)
    put(header.sequence)
    put(header.dropped)
    put(header.bootTimeNanoseconds)
    put(header.realTimeNanoseconds)
  }

  @inline(__always)
  mutating func unsigned<T: WireInteger & UnsignedInteger>(_ field: Field, _ value: inout T) {
    put(value)
  }
  @inline(__always)
  mutating func signed<T: WireInteger & SignedInteger>(_ field: Field, _ value: inout T) {
    put(value)
  }
  @inline(__always)
  mutating func optional<T: WireInteger>(_ field: Field, _ value: inout T?) {
    put(value ?? ~0)
  }
  @inline(__always)
  mutating func boolean(_ field: Field, _ value: inout Bool) { put(value ? 1 : 0 as UInt8) }
  @inline(__always)
  mutating func name<T: FieldName>(_ field: Field, _ value: inout T) { put(value.rawValue) }
  @inline(__always)
  mutating func text<let capacity: Int>(_ field: Field, _ value: inout FixedText<capacity>) {
    put(value.lengthOnWire)
    UnsafeMutableRawPointer(place).storeBytes(
      of: value.bytes, as: InlineArray<capacity, UInt8>.self)
    place += capacity
  }
  mutating func buckets(_ field: Field, _ value: inout Buckets) {
    for index in 0..<Buckets.count { put(value[index]) }
  }
}

/// Fills a body's fields from a record's bytes, and leaves what a newer version appended.
struct FieldDecoder: FieldVisitor {
  private let bytes: [UInt8]
  private var offset: Int

  init(_ bytes: [UInt8], _ header: RecordHeader) {
    self.bytes = bytes
    offset = Int(header.headerLength)
  }

  /// The body; that it is long enough has been checked.
  mutating func body<Body: RecordBody>() -> Body {
    var body = Body()
    body.visit(&self)
    return body
  }

  private mutating func take(_ width: Int) -> UInt64 {
    defer { offset += width }
    return bytes.span.number(at: offset, width: width)
  }

  @inline(__always)
  mutating func unsigned<T: WireInteger & UnsignedInteger>(_ field: Field, _ value: inout T) {
    value = T(truncatingIfNeeded: take(T.bitWidth / 8))
  }
  @inline(__always)
  mutating func signed<T: WireInteger & SignedInteger>(_ field: Field, _ value: inout T) {
    value = T(truncatingIfNeeded: take(T.bitWidth / 8))
  }
  @inline(__always)
  mutating func optional<T: WireInteger>(_ field: Field, _ value: inout T?) {
    let number = T(truncatingIfNeeded: take(T.bitWidth / 8))
    // Typed, since `number == ~0` would compare with the Int -1.
    let absent: T = ~0
    value = number == absent ? nil : number
  }
  @inline(__always)
  mutating func boolean(_ field: Field, _ value: inout Bool) {
    value = take(1) != 0
  }
  @inline(__always)
  mutating func name<T: FieldName>(_ field: Field, _ value: inout T) {
    value = T(rawValue: UInt8(truncatingIfNeeded: take(1))) ?? .unknown
  }
  mutating func text<let capacity: Int>(_ field: Field, _ value: inout FixedText<capacity>) {
    let length = UInt16(truncatingIfNeeded: take(2))
    value.take(lengthOnWire: length, bytes.span.extracting(offset..<(offset + capacity)))
    offset += capacity
  }
  mutating func buckets(_ field: Field, _ value: inout Buckets) {
    for index in 0..<Buckets.count { value[index] = take(8) }
  }
}
