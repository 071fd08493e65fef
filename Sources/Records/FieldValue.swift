/// A value as it stands in a record's bytes.
enum FieldValue {
  /// The machine does not have it.
  case absent
  case number(magnitude: UInt64, isNegative: Bool)
  case boolean(Bool)
  case word(StaticString)
  /// Where its bytes stand in the body.
  case text(Range<Int>, isCut: Bool)
}

extension FieldEntry {
  /// The field's value; that the body is long enough has been checked. `word` is what a number means.
  @inline(__always)
  func value(in body: Span<UInt8>, _ word: (UInt8) -> StaticString) -> FieldValue {
    let offset = Int(offset)
    switch form {
    case .unsigned, .signed: return number(in: body)
    case .boolean:
      let byte = body[offset]
      return isOptional && byte == 0xFF ? .absent : .boolean(byte != 0)
    case .word: return .word(word(body[offset]))
    // No value but many: who writes tables looks for them before.
    case .buckets: return .absent
    case .text:
      let length = Int(body[offset]) | Int(body[offset + 1]) << 8
      let start = offset + 2
      // A length beyond the capacity is what no program writes.
      return .text(start..<(start + min(length & 0x7FFF, size)), isCut: length & 0x8000 != 0)
    }
  }

  @inline(__always)
  private func number(in body: Span<UInt8>) -> FieldValue {
    var number = body.number(at: Int(offset), width: size)
    let unused = 64 - 8 * UInt64(size)
    if isOptional && number == ~0 >> unused { return .absent }
    guard case .signed = form, number >> (63 - unused) != 0 else {
      return .number(magnitude: number, isNegative: false)
    }
    number |= ~(~0 >> unused)
    return .number(magnitude: 0 &- number, isNegative: true)
  }
}

extension BytePlace {
  mutating func put(magnitude: UInt64, isNegative: Bool, _ field: FieldEntry) {
    if isNegative { put(UInt8(ascii: "-")) }
    put(magnitude, decimals: field.decimals)
  }
}
