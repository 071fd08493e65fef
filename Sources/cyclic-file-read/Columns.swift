/// Reads a line of a text file column by column; what separates them is spaces and tabs.
///
/// It holds places only: the text is shown to it at each step.
struct Columns {
  private(set) var offset: Int
  private let end: Int

  init(_ line: Range<Int>) {
    offset = line.lowerBound
    end = line.upperBound
  }

  /// The next column, or nil at the end of the line.
  mutating func word(_ text: Span<UInt8>) -> Range<Int>? {
    while offset < end && Self.isSpace(text[offset]) { offset += 1 }
    let start = offset
    while offset < end && !Self.isSpace(text[offset]) { offset += 1 }
    return start < offset ? start..<offset : nil
  }

  /// The next column as a decimal number, or nil if it is not one or does not fit.
  mutating func unsigned(_ text: Span<UInt8>) -> UInt64? {
    guard let word = word(text) else { return nil }
    return text.decimal(word)
  }

  /// As ``unsigned(_:)``, with a sign.
  mutating func signed(_ text: Span<UInt8>) -> Int64? {
    guard let word = word(text) else { return nil }
    return text.signedDecimal(word)
  }

  mutating func skip(_ count: Int, _ text: Span<UInt8>) {
    for _ in 0..<count { _ = word(text) }
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
  }
}

extension Span<UInt8> {
  /// The line that begins at `offset`, without its end, and moves `offset` behind that; nil at the
  /// end of the text.
  func line(at offset: inout Int) -> Range<Int>? {
    guard offset < count else { return nil }
    let start = offset
    while offset < count && self[offset] != UInt8(ascii: "\n") { offset += 1 }
    defer { offset += 1 }
    return start..<offset
  }

  /// Decimal digits and nothing else, or nil; nil too if the number does not fit.
  func decimal(_ range: Range<Int>) -> UInt64? {
    guard !range.isEmpty else { return nil }
    var number: UInt64 = 0
    for index in range {
      let digit = self[index] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(UInt64(digit))
      if overflow || carry { return nil }
      number = sum
    }
    return number
  }

  /// As ``decimal(_:)``, with a minus where the number is below 0.
  func signedDecimal(_ range: Range<Int>) -> Int64? {
    guard let first = range.first else { return nil }
    guard self[first] == UInt8(ascii: "-") else {
      return decimal(range).flatMap { Int64(exactly: $0) }
    }
    return decimal(range.dropFirst()).flatMap { Int64(exactly: $0) }.map { -$0 }
  }

  /// Hexadecimal digits, with or without `0x` before them, and nothing else.
  func hexadecimal(_ range: Range<Int>) -> UInt64? {
    var range = range
    if range.count > 2, self[range.lowerBound] == UInt8(ascii: "0"),
      self[range.lowerBound + 1] | 0x20 == UInt8(ascii: "x")
    {
      range = range.dropFirst(2)
    }
    guard 1...16 ~= range.count else { return nil }
    var number: UInt64 = 0
    for index in range {
      guard let digit = Self.hexadecimalDigit(self[index]) else { return nil }
      number = number << 4 | UInt64(digit)
    }
    return number
  }

  private static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// Whether the bytes there are those of this word.
  func equals(_ range: Range<Int>, _ word: StaticString) -> Bool {
    range.count == word.utf8CodeUnitCount && begins(range, with: word)
  }

  func begins(_ range: Range<Int>, with word: StaticString) -> Bool {
    guard range.count >= word.utf8CodeUnitCount else { return false }
    return word.withUTF8Buffer { bytes in
      for index in 0..<bytes.count where self[range.lowerBound + index] != bytes[index] {
        return false
      }
      return true
    }
  }

  /// The range without white space, NUL among it, at its end: what a sysfs attribute ends with.
  func trimmed(_ range: Range<Int>) -> Range<Int> {
    var end = range.upperBound
    while end > range.lowerBound && self[end - 1] <= UInt8(ascii: " ") { end -= 1 }
    return range.lowerBound..<end
  }
}
