import Testing

@testable import cyclic_file_read

/// Lines, words and numbers.
struct ProcTextTests {
  @Test func theLastLineNeedsNoEnd() {
    #expect(lines(of: Array("a\n\nb c".utf8)) == [Array("a".utf8), [], Array("b c".utf8)])
    #expect(lines(of: []).isEmpty)
    #expect(lines(of: Array("\n".utf8)) == [[]])
  }

  @Test func wordsArePartedByBlanksAndTabs() {
    let text = Array("  one\t two ".utf8)
    var rest = text.indices
    let words = (0..<4).map { _ in text.span.nextWord(&rest) }
    #expect(words == [2..<5, 7..<10, nil, nil])
  }

  @Test(arguments: [
    ("0", 0), ("18446744073709551615", UInt64.max), ("18446744073709551616", nil),
    ("99999999999999999999", nil), ("", nil), ("-1", nil), ("+1", nil), ("1.", nil), ("0x1", nil),
    ("000000000000000000000000001", 1), ("１", nil),
  ])
  func aNumberIsDigitsThatFit(_ text: String, _ value: UInt64?) {
    let bytes = Array(text.utf8)
    let number = bytes.span.number(bytes.indices)
    #expect(number == value)
  }

  @Test(arguments: [
    ("-9223372036854775808", Int64.min), ("-9223372036854775809", nil),
    ("9223372036854775807", Int64.max), ("9223372036854775808", nil), ("-", nil), ("--1", nil),
    ("-0", 0), ("", nil), ("-256", -256),
  ])
  func aSignedNumberIsOneThatFits(_ text: String, _ value: Int64?) {
    let bytes = Array(text.utf8)
    let number = bytes.span.signedNumber(bytes.indices)
    #expect(number == value)
  }

  @Test func aWordIsHeldWholeOrNot() {
    let text = Array("cpu0".utf8)
    let held = [0..<4, 0..<3].map { text.span.holds($0, "cpu0") }
    #expect(held == [true, false])
    let isLonger = text.span.holds(0..<4, "cpu")
    #expect(!isLonger)
    let started = [0..<4, 0..<3, 0..<2].map { text.span.starts($0, with: "cpu") }
    #expect(started == [true, true, false])
  }
}
