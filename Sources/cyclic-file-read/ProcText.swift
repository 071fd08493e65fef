// Walking over the text of procfs and sysfs: lines, words and numbers as ranges of its bytes.
// Nothing is copied.

extension Span<UInt8> {
  /// The line that begins at `offset`, without its end; moves `offset` behind it. nil at the end.
  @inline(never)
  func nextLine(_ offset: inout Int) -> Range<Int>? {
    guard offset < count else { return nil }
    let start = offset
    while offset < count && self[offset] != UInt8(ascii: "\n") { offset += 1 }
    defer { offset += 1 }
    return start..<offset
  }

  /// Takes the next word from the front of `rest`; blanks and tabs part words.
  @inline(never)
  func nextWord(_ rest: inout Range<Int>) -> Range<Int>? {
    var start = rest.lowerBound
    while start < rest.upperBound && isBlank(start) { start += 1 }
    var end = start
    while end < rest.upperBound && !isBlank(end) { end += 1 }
    rest = end..<rest.upperBound
    return start < end ? start..<end : nil
  }

  /// Takes the next word, which is a decimal number without a sign; nil if it is not.
  @inline(never)
  func nextNumber(_ rest: inout Range<Int>) -> UInt64? {
    nextWord(&rest).flatMap { number($0) }
  }

  /// The decimal number that is the whole range; nil if it is none, or does not fit.
  @inline(never)
  func number(_ range: Range<Int>) -> UInt64? {
    var value: UInt64 = 0
    for index in range {
      let digit = self[index] &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(UInt64(digit))
      if overflow || carry { return nil }
      value = sum
    }
    return range.isEmpty ? nil : value
  }

  /// The decimal number, perhaps with a minus in front, that is the whole range.
  @inline(never)
  func signedNumber(_ range: Range<Int>) -> Int64? {
    guard let first = range.first else { return nil }
    let isNegative = self[first] == UInt8(ascii: "-")
    guard let value = number(isNegative ? (first + 1)..<range.upperBound : range) else {
      return nil
    }
    if isNegative { return value <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- value) : nil }
    return Int64(exactly: value)
  }

  func holds(_ range: Range<Int>, _ word: StaticString) -> Bool {
    range.count == word.utf8CodeUnitCount && starts(range, with: word)
  }

  @inline(never)
  func starts(_ range: Range<Int>, with word: StaticString) -> Bool {
    word.withUTF8Buffer {
      guard range.count >= $0.count else { return false }
      for index in 0..<$0.count where self[range.lowerBound + index] != $0[index] { return false }
      return true
    }
  }

  private func isBlank(_ index: Int) -> Bool {
    self[index] == UInt8(ascii: " ") || self[index] == UInt8(ascii: "\t")
  }
}

/// A text that is not of the format that it should have.
struct ParseError: Error {
  /// What is wrong with it, such as "has no line MemTotal".
  let reason: StaticString

  init(_ reason: StaticString) {
    self.reason = reason
  }

}
