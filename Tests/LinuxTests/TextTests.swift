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

  @Test func aWordEqualsItselfAlone() {
    let bytes = [UInt8]("--some".utf8)
    #expect(bytes[2...].equals("some"))
    #expect(!bytes[2...].equals("som"))
    #expect(!bytes[2...].equals("somer"))
    #expect(!bytes[2...].equals("full"))
    #expect(!bytes[2..<2].equals("some"))
    #expect(bytes[2..<2].equals(""))
    #expect("some".equals("some"))
    #expect(!"Some".equals("some"))
  }

  @Test func aPrefixIsFoundAtTheBeginningOfASlice() {
    let bytes = [UInt8]("x--some".utf8)
    #expect(bytes[1...].begins(with: "--"))
    #expect(bytes[1...].begins(with: ""))
    #expect(!bytes[...].begins(with: "--"))
    #expect(!bytes[1..<2].begins(with: "--"))
  }

  @Test func bytesThatAreNoTextAreReplaced() {
    #expect(([0x61, 0xFF] as [UInt8])[...].text == "a\u{FFFD}")
  }
}
