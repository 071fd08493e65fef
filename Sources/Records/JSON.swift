/// Writes flat JSON objects into a buffer that is used again and again.
///
/// Whatever bytes come in, valid UTF-8 and valid JSON (RFC 8259) come out. Numbers are written from
/// integers alone, so that every architecture writes the same bytes.
public struct JSON: Sendable {
  /// What was written since ``begin()``.
  public private(set) var bytes: [UInt8] = []

  public init() {
    bytes.reserveCapacity(2048)
  }

  /// Without a buffer, to stand for one that is elsewhere.
  init(empty: ()) {}

  /// Forgets what was written and opens an object.
  public mutating func begin() {
    bytes.removeAll(keepingCapacity: true)
    bytes.append(UInt8(ascii: "{"))
  }

  public mutating func end() {
    bytes.append(UInt8(ascii: "}"))
  }

  /// A name of our own making, which needs no escapes; a hyphen, as in a program's, becomes `_`.
  @inline(never)
  private mutating func key(_ name: StaticString, _ suffix: StaticString = "") {
    let isFirst = bytes.last == UInt8(ascii: "{")
    bytes.append(addingCapacity: name.utf8CodeUnitCount + suffix.utf8CodeUnitCount + 4) { output in
      if !isFirst { output.append(UInt8(ascii: ",")) }
      output.append(UInt8(ascii: "\""))
      name.withUTF8Buffer {
        for byte in $0 {
          output.append(byte == UInt8(ascii: "-") ? UInt8(ascii: "_") : byte)
        }
      }
      suffix.withUTF8Buffer { for byte in $0 { output.append(byte) } }
      output.append(UInt8(ascii: "\""))
      output.append(UInt8(ascii: ":"))
    }
  }

  public mutating func member(
    _ name: StaticString, suffix: StaticString = "", _ value: Bool
  ) {
    key(name, suffix)
    let word: StaticString = value ? "true" : "false"
    word.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  /// A text of our own making.
  public mutating func member(
    _ name: StaticString, suffix: StaticString = "", _ value: StaticString
  ) {
    value.withUTF8Buffer { member(name, suffix: suffix, text: $0.span) }
  }

  /// A text from outside: any bytes.
  @inline(never)
  public mutating func member(
    _ name: StaticString, suffix: StaticString = "", text: Span<UInt8>
  ) {
    key(name, suffix)
    // No byte becomes more than six.
    bytes.append(addingCapacity: 6 * text.count + 2) { output in
      output.append(UInt8(ascii: "\""))
      var index = 0
      while index < text.count {
        let length = text.validUTF8SequenceLength(at: index)
        if length == 0 {
          // U+FFFD, once for each byte that is no part of a character.
          output.append(0xEF)
          output.append(0xBF)
          output.append(0xBD)
          index += 1
        } else if length == 1 {
          output.append(escaping: text[index])
          index += 1
        } else {
          for offset in 0..<length { output.append(text[index + offset]) }
          index += length
        }
      }
      output.append(UInt8(ascii: "\""))
    }
  }

  /// A text that was cut has a second key with `_cut` behind its name.
  public mutating func member<let capacity: Int>(
    _ name: StaticString, suffix: StaticString = "", text: FixedText<capacity>
  ) {
    member(name, suffix: suffix, text: text.bytes.span.extracting(first: text.count))
    if text.isCut { member(name, suffix: "_cut", true) }
  }

  public mutating func member(_ name: StaticString, _ value: Int64, decimals: Int = 0) {
    key(name)
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    append(value.magnitude, decimals: decimals)
  }

  public mutating func member(
    _ name: StaticString, suffix: StaticString = "", _ value: UInt64, decimals: Int = 0
  ) {
    key(name, suffix)
    append(value, decimals: decimals)
  }

  /// `value` divided by ten to the power of `decimals`, without trailing zeros after the point.
  @inline(never)
  private mutating func append(_ value: UInt64, decimals: Int) {
    var digits = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
    var first = digits.count
    var rest = value
    // At least one digit stands before the point.
    while rest > 0 || digits.count - first <= decimals {
      first -= 1
      digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    var last = digits.count
    let point = digits.count - decimals
    while last > point && digits[last - 1] == UInt8(ascii: "0") { last -= 1 }
    bytes.append(addingCapacity: last - first + 1) { output in
      for index in first..<last {
        if index == point { output.append(UInt8(ascii: ".")) }
        output.append(digits[index])
      }
    }
  }
}

extension OutputSpan<UInt8> {
  /// A character of one byte, escaped where RFC 8259, 7 wants it.
  @inline(__always)
  fileprivate mutating func append(escaping byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"):
      append(UInt8(ascii: "\\"))
      append(byte)
    case 0..<0x20, 0x7F:
      append(UInt8(ascii: "\\"))
      append(UInt8(ascii: "u"))
      append(UInt8(ascii: "0"))
      append(UInt8(ascii: "0"))
      append(hexadecimal: byte >> 4)
      append(hexadecimal: byte & 15)
    default: append(byte)
    }
  }

  private mutating func append(hexadecimal digit: UInt8) {
    append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
  }
}

extension Span<UInt8> {
  /// The length of the UTF-8 character at `index`, or 0 if none begins there.
  ///
  /// Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
  public func validUTF8SequenceLength(at index: Int) -> Int {
    let lead = self[index]
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch lead {
    case 0..<0x80: return 1
    case 0xC2...0xDF: length = 2
    case 0xE0:
      length = 3
      second = 0xA0...0xBF
    case 0xE1...0xEC, 0xEE...0xEF: length = 3
    case 0xED:
      length = 3
      second = 0x80...0x9F
    case 0xF0:
      length = 4
      second = 0x90...0xBF
    case 0xF1...0xF3: length = 4
    case 0xF4:
      length = 4
      second = 0x80...0x8F
    default: return 0
    }
    guard index + length <= count, second.contains(self[index + 1]) else { return 0 }
    for offset in 2..<Swift.max(length, 2) where self[index + offset] & 0xC0 != 0x80 { return 0 }
    return length
  }
}
