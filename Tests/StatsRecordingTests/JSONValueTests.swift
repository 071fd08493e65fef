import Testing

@testable import stats_recording

struct JSONValueTests {
  private func parse(_ text: String) throws -> JSONValue {
    try JSONValue(parsing: Array(text.utf8))
  }

  @Test func membersKeepTheirOrderAndNumbersTheirDigits() throws {
    let value = try parse(#"{"b":1.50,"a":18446744073709551615,"c":-0,"d":[true,null,"x"]}"#)
    #expect(
      value
        == .object([
          JSONMember(name: "b", value: .number("1.50")),
          JSONMember(name: "a", value: .number("18446744073709551615")),
          JSONMember(name: "c", value: .number("-0")),
          JSONMember(name: "d", value: .array([.boolean(true), .null, .text("x")])),
        ]))
    #expect(value.members?["a"]?.unsigned == UInt64.max)
  }

  @Test func escapesBecomeCharacters() throws {
    #expect(
      try parse(#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#) == .text("a\"\\/\u{8}\u{C}\n\r\té😀"))
  }

  @Test(arguments: [
    "", "{", "[1,]", "{\"a\":}", "{\"a\" 1}", "01", "1.", "-", "1e", "tru", "\"", "\"\\x\"",
    "\"\\ud83d\"", "\"\u{1}\"", "{} {}", "{a:1}", "[1 2]", String(repeating: "[", count: 100),
  ])
  func whatIsNoJSONIsRefused(_ text: String) {
    #expect(throws: JSONError.self) { try parse(text) }
  }

  @Test func bytesThatAreNoTextAreRefused() {
    #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
  }

  @Test(arguments: [
    ("1795229000.512", 1_795_229_000_512_000_000), ("0.000001", 1000), ("-1.5", -1_500_000_000),
    ("12", 12_000_000_000),
  ])
  func timesKeepTheirNanoseconds(_ digits: String, _ nanoseconds: Int64) {
    #expect(JSONValue.number(digits).nanoseconds == nanoseconds)
  }
}
