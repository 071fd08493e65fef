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

  /// Gives `body` room for so many bytes behind the others; it says how many it has written.
  @inline(__always)
  private mutating func extend(
    _ capacity: Int, _ body: (UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8>
  ) {
    bytes.append(addingCapacity: capacity) { output in
      output.withUnsafeMutableBufferPointer { buffer, count in
        guard let start = buffer.baseAddress else { return }
        count = body(start + count) - start
      }
    }
  }

  /// A name of our own making, which needs no escapes; before a suffix a hyphen, as in a program's
  /// name, becomes `_`.
  @inline(never)
  private mutating func key(_ name: StaticString, _ suffix: StaticString = "") {
    let isFirst = bytes.last == UInt8(ascii: "{")
    extend(name.utf8CodeUnitCount + suffix.utf8CodeUnitCount + 4) { place in
      var place = place
      if !isFirst { place.put(UInt8(ascii: ",")) }
      place.put(UInt8(ascii: "\""))
      let start = place
      place.put(name)
      if suffix.utf8CodeUnitCount > 0 {
        for index in 0..<name.utf8CodeUnitCount where start[index] == UInt8(ascii: "-") {
          start[index] = UInt8(ascii: "_")
        }
        place.put(suffix)
      }
      place.put(UInt8(ascii: "\""))
      place.put(UInt8(ascii: ":"))
      return place
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
    extend(6 * text.count + 2) { place in
      var place = place
      place.put(UInt8(ascii: "\""))
      var index = 0
      while index < text.count {
        let byte = text[index]
        if byte.isPlain {
          place.put(byte)
          index += 1
          continue
        }
        let length = text.validUTF8SequenceLength(at: index)
        if length == 0 {
          // Once for each byte that is no part of a character.
          place.put("\u{FFFD}")
        } else if length == 1 {
          place.put(escaping: byte)
        } else {
          for offset in 0..<length { place.put(text[index + offset]) }
        }
        index += max(length, 1)
      }
      place.put(UInt8(ascii: "\""))
      return place
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
    extend(last - first + 1) { place in
      var place = place
      for index in first..<last {
        if index == point { place.put(UInt8(ascii: ".")) }
        place.put(digits[index])
      }
      return place
    }
  }
}

extension UInt8 {
  /// A character that stands in JSON as it is.
  fileprivate var isPlain: Bool {
    self >= 0x20 && self < 0x7F && self != UInt8(ascii: "\"") && self != UInt8(ascii: "\\")
  }
}

/// The place where the next byte goes, in room that ``JSON/extend(_:_:)`` has made.
extension UnsafeMutablePointer<UInt8> {
  @inline(__always)
  fileprivate mutating func put(_ byte: UInt8) {
    pointee = byte
    self += 1
  }

  @inline(__always)
  fileprivate mutating func put(_ word: StaticString) {
    // memcpy(3); `update(from:count:)` is a loop in a program that is optimized for size.
    UnsafeMutableRawPointer(self).copyMemory(
      from: word.utf8Start, byteCount: word.utf8CodeUnitCount)
    self += word.utf8CodeUnitCount
  }

  /// A character of one byte, escaped as RFC 8259, 7 wants it.
  fileprivate mutating func put(escaping byte: UInt8) {
    put(UInt8(ascii: "\\"))
    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return put(byte) }
    put("u00")
    put(hexadecimal: byte >> 4)
    put(hexadecimal: byte & 15)
  }

  private mutating func put(hexadecimal digit: UInt8) {
    put(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
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
