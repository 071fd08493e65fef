import Testing

@testable import Linux

struct TextTests {
  @Test func textsAndNumbersAreJoined() {
    let name = "Küche"
    let word: StaticString = "word"
    #expect(joined("") == "")
    #expect(joined("plain") == "plain")
    #expect(joined("\(name)") == "Küche")
    #expect(joined("a \(name), \(word): \(-1)\n") == "a Küche, word: -1\n")
    #expect(joined("\(UInt64.max) \(Int64.min)") == "18446744073709551615 -9223372036854775808")
    #expect(joined("\(Int32.min)") == "-2147483648")
  }
}
