/// The place where the next byte goes, in room that ``Swift/Array/extend(_:_:)`` has made.
///
/// All that is published is written through these few functions: numbers come from integers alone, so
/// every architecture writes the same bytes.
typealias BytePlace = UnsafeMutablePointer<UInt8>

extension [UInt8] {
  /// Gives `body` room for so many bytes behind the others; it says how far it has written.
  ///
  /// Once for a record, not for each piece of it: that is 2,900 of 26,000 instructions.
  @inline(__always)
  mutating func extend(_ capacity: Int, _ body: (BytePlace) -> BytePlace) {
    append(addingCapacity: capacity) { output in
      output.withUnsafeMutableBufferPointer { buffer, count in
        guard let start = buffer.baseAddress else { return }
        count = body(start + count) - start
      }
    }
  }
}

extension BytePlace {
  /// What a number takes at most, with its sign, point and what stands there while it is written.
  static var roomForNumber: Int { 24 }

  @inline(__always)
  mutating func put(_ byte: UInt8) {
    pointee = byte
    self += 1
  }

  @inline(__always)
  mutating func put(_ word: StaticString) {
    put(word.utf8Start, word.utf8CodeUnitCount)
  }

  /// memcpy(3); `update(from:count:)` is a loop in a program that is optimized for size.
  @inline(__always)
  mutating func put(_ start: UnsafePointer<UInt8>, _ count: Int) {
    UnsafeMutableRawPointer(self).copyMemory(from: start, byteCount: count)
    self += count
  }

  @inline(__always)
  mutating func put(_ value: Bool) {
    put(value ? "true" : "false" as StaticString)
  }

  mutating func put(_ value: Int64, decimals: Int = 0) {
    if value < 0 { put(UInt8(ascii: "-")) }
    put(value.magnitude, decimals: decimals)
  }

  /// `value` divided by ten to the power of `decimals`, without trailing zeros after the point.
  @inline(never)
  mutating func put(_ value: UInt64, decimals: Int = 0) {
    // From the last digit to the first, at the end of the room; then all move to its beginning.
    let end = self + 21
    var first = end
    var rest = value
    while rest > UInt64(UInt32.max) {
      // Nine digits at a time: a machine of 32 bits divides 64 bits in a function.
      let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 1_000_000_000)
      first.putDigits(before: UInt32(truncatingIfNeeded: remainder), atLeast: 9)
      rest = quotient
    }
    first.putDigits(before: UInt32(truncatingIfNeeded: rest), atLeast: first == end ? 1 : 0)
    let point = end - decimals
    // At least one digit stands before the point.
    while first >= point {
      first -= 1
      first.pointee = UInt8(ascii: "0")
    }
    var last = end
    while last > point && (last - 1).pointee == UInt8(ascii: "0") { last -= 1 }
    while first < last {
      if first == point { put(UInt8(ascii: ".")) }
      put(first.pointee)
      first += 1
    }
  }

  /// Goes back by the digits of `number`.
  @inline(__always)
  private mutating func putDigits(before number: UInt32, atLeast count: Int) {
    var (rest, missing) = (number, count)
    while rest > 0 || missing > 0 {
      self -= 1
      pointee = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
      missing -= 1
    }
  }

  /// A text from outside, any bytes, as a string of JSON (RFC 8259, 7). No byte becomes more than six.
  @inline(never)
  mutating func put(jsonText text: Span<UInt8>) {
    put(UInt8(ascii: "\""))
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") {
        put(byte)
        index += 1
      } else if byte < 0x80 {
        put(escaping: byte)
        index += 1
      } else {
        index += put(character: text, at: index)
      }
    }
    put(UInt8(ascii: "\""))
  }

  /// The UTF-8 character at `index`, or U+FFFD for a byte that is no part of one; how many bytes it was.
  mutating func put(character text: Span<UInt8>, at index: Int) -> Int {
    let length = text.validUTF8SequenceLength(at: index)
    if length == 0 {
      put("\u{FFFD}")
      return 1
    }
    for offset in 0..<length { put(text[index + offset]) }
    return length
  }

  private mutating func put(escaping byte: UInt8) {
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
