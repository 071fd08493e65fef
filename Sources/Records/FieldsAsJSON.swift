/// Writes the fields of a body from where they stand in the record's bytes.
///
/// A record is published without being decoded: what a field costs is one call with its name and
/// its width. That the body is long enough has been checked.
struct FieldsAsJSON: FieldVisitor {
  private let bytes: [UInt8]
  private var offset: Int
  var json: JSON

  init(_ bytes: [UInt8], _ header: RecordHeader, _ json: consuming JSON) {
    self.bytes = bytes
    offset = Int(header.headerLength)
    self.json = json
  }

  @inline(__always)
  mutating func unsigned<T: WireInteger & UnsignedInteger>(_ field: Field, _ value: inout T) {
    number(field.name, NumberShape(T.self, field))
  }
  @inline(__always)
  mutating func signed<T: WireInteger & SignedInteger>(_ field: Field, _ value: inout T) {
    number(field.name, NumberShape(T.self, field))
  }
  @inline(__always)
  mutating func optional<T: WireInteger>(_ field: Field, _ value: inout T?) {
    optional(field.name, NumberShape(T.self, field))
  }
  @inline(__always)
  mutating func boolean(_ field: Field, _ value: inout Bool) {
    boolean(field.name, optional: false)
  }
  @inline(__always)
  mutating func optionalBoolean(_ field: Field, _ value: inout Bool?) {
    boolean(field.name, optional: true)
  }
  @inline(__always)
  mutating func name<T: FieldName>(_ field: Field, _ value: inout T) {
    json.member(field.name, (T(rawValue: bytes[offset]) ?? .unknown).name)
    offset += 1
  }
  @inline(__always)
  mutating func text<let capacity: Int>(_ field: Field, _ value: inout FixedText<capacity>) {
    text(field.name, capacity: capacity)
  }

  @inline(never)
  private mutating func number(_ name: StaticString, _ shape: NumberShape) {
    let number = bytes.span.number(at: offset, width: shape.width)
    offset += shape.width
    if shape.isSigned {
      let unused = 64 - 8 * shape.width
      let signed = (Int64(bitPattern: number) << unused) >> unused
      json.member(name, signed, decimals: shape.decimals)
    } else {
      json.member(name, number, decimals: shape.decimals)
    }
  }

  /// What is absent, all bits set, has no key.
  @inline(never)
  private mutating func optional(_ name: StaticString, _ shape: NumberShape) {
    var rest = 0
    while rest < shape.width && bytes[offset + rest] == 0xFF { rest += 1 }
    if rest == shape.width { offset += shape.width } else { number(name, shape) }
  }

  /// 0 or 1; where it is optional 255 if it is absent.
  @inline(never)
  private mutating func boolean(_ name: StaticString, optional: Bool) {
    let byte = bytes[offset]
    offset += 1
    if !optional || byte != 0xFF { json.member(name, byte != 0) }
  }

  /// A text that was cut has a second key with `_cut` behind its name.
  @inline(never)
  private mutating func text(_ name: StaticString, capacity: Int) {
    let length = Int(bytes[offset]) | Int(bytes[offset + 1]) << 8
    let start = offset + 2
    let bytes = bytes
    json.member(name, text: bytes.span.extracting(start..<(start + min(length & 0x7FFF, capacity))))
    if length & 0x8000 != 0 { json.member(name, suffix: "_cut", true) }
    offset = start + capacity
  }
}

/// How a number stands on the wire, in one word: each field passes it to the same function.
private struct NumberShape {
  private let bits: UInt32

  @inline(__always)
  init<T: WireInteger>(_ type: T.Type, _ field: Field) {
    bits = UInt32(T.bitWidth / 8) | (T.isSigned ? 16 : 0) | UInt32(field.decimals) << 8
  }

  var width: Int { Int(bits & 15) }
  var isSigned: Bool { bits & 16 != 0 }
  var decimals: Int { Int(bits >> 8) }
}
