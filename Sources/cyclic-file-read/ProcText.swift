import CLinux

// Walking over the text of procfs and sysfs: lines, words and numbers as ranges of its bytes.
// Nothing is copied.

extension Span<UInt8> {
  /// The line that begins at `offset`, without its end; moves `offset` behind it. nil at the end.
  @inline(never)
  func nextLine(_ offset: inout Int) -> Range<Int>? {
    guard offset < count else { return nil }
    let line = offset..<(firstIndex(of: UInt8(ascii: "\n"), from: offset) ?? count)
    offset = line.upperBound + 1
    return line
  }

  /// Where the byte stands first, at `start` or behind it: memchr(3), which looks at many at once.
  func firstIndex(of byte: UInt8, from start: Int) -> Int? {
    withUnsafeBytes {
      guard let base = $0.baseAddress, (0..<$0.count).contains(start),
        let found = memchr(base + start, Int32(byte), $0.count - start)
      else { return nil }
      return UnsafeRawPointer(found) - base
    }
  }

  /// Where the byte stands last: memrchr(3).
  func lastIndex(of byte: UInt8) -> Int? {
    withUnsafeBytes {
      guard let base = $0.baseAddress, let found = clinux_memrchr(base, Int32(byte), $0.count)
      else { return nil }
      return UnsafeRawPointer(found) - base
    }
  }

  // Each byte of some files comes through here: so the bounds are checked once for each word, and
  // not for each byte, which halves the instructions.

  /// Takes the next word from the front of `rest`; blanks and tabs part words.
  @inline(never)
  func nextWord(_ rest: inout Range<Int>) -> Range<Int>? {
    precondition(rest.lowerBound >= 0 && rest.upperBound <= count)
    var start = rest.lowerBound
    while start < rest.upperBound && isBlank(unchecked: start) { start += 1 }
    var end = start
    while end < rest.upperBound && !isBlank(unchecked: end) { end += 1 }
    rest = end..<rest.upperBound
    return start < end ? start..<end : nil
  }

  /// Takes decimal numbers, perhaps with a minus in front, from the front of `rest` until `numbers` is
  /// full; false if there are less, or one is a word or has more than 18 digits, of which each number fits.
  @inline(never)
  @_optimize(speed)  // a tenth of the instructions
  func nextNumbers<let count: Int>(
    _ rest: inout Range<Int>, into numbers: inout InlineArray<count, Int64>
  ) -> Bool {
    precondition(rest.lowerBound >= 0 && rest.upperBound <= self.count)
    let end = rest.upperBound
    var index = rest.lowerBound
    for place in 0..<count {
      while index < end && isBlank(unchecked: index) { index += 1 }
      // Half of the columns of an idle process; without this it takes 330 of 2,500 instructions more.
      if index + 1 < end, self[unchecked: index] == UInt8(ascii: "0"),
        self[unchecked: index + 1] == UInt8(ascii: " ")
      {
        numbers[place] = 0
        index += 2
        continue
      }
      let isNegative = index < end && self[unchecked: index] == UInt8(ascii: "-")
      if isNegative { index += 1 }
      let start = index
      var value: Int64 = 0
      while index < end, let digit = digit(unchecked: index) {
        value = value &* 10 &+ Int64(truncatingIfNeeded: digit)
        index += 1
      }
      guard start < index, index &- start < 19, index == end || isBlank(unchecked: index) else {
        return false
      }
      numbers[place] = isNegative ? 0 &- value : value
    }
    rest = index..<end
    return true
  }

  /// Takes the next word, which is a decimal number without a sign; nil if it is not.
  @inline(never)
  func nextNumber(_ rest: inout Range<Int>) -> UInt64? {
    precondition(rest.lowerBound >= 0 && rest.upperBound <= count)
    var start = rest.lowerBound
    while start < rest.upperBound && isBlank(unchecked: start) { start += 1 }
    var (end, value) = (start, UInt64(0))
    while end < rest.upperBound, let digit = digit(unchecked: end) {
      value = value &* 10 &+ digit
      end += 1
    }
    // 19 digits always fit.
    if start < end, end - start < 20, end == rest.upperBound || isBlank(unchecked: end) {
      rest = end..<rest.upperBound
      return value
    }
    return nextWord(&rest).flatMap { number($0) }
  }

  /// The decimal number that is the whole range; nil if it is none, or does not fit.
  @inline(never)
  func number(_ range: Range<Int>) -> UInt64? {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    var value: UInt64 = 0
    if range.count < 20 {  // always fits
      for index in range {
        guard let digit = digit(unchecked: index) else { return nil }
        value = value &* 10 &+ digit
      }
      return range.isEmpty ? nil : value
    }
    for index in range {
      guard let digit = digit(unchecked: index) else { return nil }
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(digit)
      if overflow || carry { return nil }
      value = sum
    }
    return value
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
      let word = $0
      guard range.count >= word.count else { return false }
      precondition(range.lowerBound >= 0 && range.upperBound <= count)
      return withUnsafeBytes {
        guard let base = $0.baseAddress, let first = word.baseAddress else { return word.isEmpty }
        return memcmp(base + range.lowerBound, first, word.count) == 0
      }
    }
  }

  private func isBlank(unchecked index: Int) -> Bool {
    let byte = self[unchecked: index]
    // Most bytes are neither, which the first comparison tells: a fifth of the instructions of a word.
    return byte <= UInt8(ascii: " ") && (byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t"))
  }

  private func digit(unchecked index: Int) -> UInt64? {
    let digit = self[unchecked: index] &- UInt8(ascii: "0")
    return digit <= 9 ? UInt64(digit) : nil
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
