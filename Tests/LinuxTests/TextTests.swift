import TestSupport
import Testing

@testable import Linux

struct TextTests {
  @Test func textsAndNumbersAreJoined() {
    let name = Text("Küche")
    let word: StaticString = "word"
    #expect(Text("") == "")
    #expect(Text("plain") == "plain")
    #expect(Text("\(name)") == "Küche")
    #expect(Text("a \(name), \(word): \(-1)\n") == "a Küche, word: -1\n")
    #expect(Text("\(UInt64.max) \(Int64.min)") == "18446744073709551615 -9223372036854775808")
    #expect(Text("\(Int32.min) \(UInt32.max) \(UInt16(0))") == "-2147483648 4294967295 0")
  }

  @Test func bytesThatAreNoUnicodeGoThroughUnchanged() {
    let bytes: [UInt8] = [0x2F, 0xFF, 0xC3, 0x2E]
    let text = Text("\(Text(bytes))!")
    #expect(text.bytes == bytes + [0x21])
    #expect(text.c == [0x2F, -1, -61, 0x2E, 0x21, 0])
    #expect(text.c.withUnsafeBufferPointer { Text(cString: $0.baseAddress!) } == text)
  }

  @Test func aWordEqualsItselfAlone() {
    let text: Text = "some"
    let word: StaticString = "some"
    #expect(text == word)
    #expect(text != Text("som"))
    #expect(text != Text("somer"))
    #expect(text != Text("full"))
    #expect(Text() == "")
    #expect(text.starts(with: "so") && !text.starts(with: "somer"))
  }

  @Test(arguments: ["", "-1", "1x", "18446744073709551616", "99999999999999999999", " 1"])
  func whatIsNoDecimalNumberIsRefused(_ text: String) {
    #expect(Text(text).number == nil)
  }

  @Test(arguments: [0, 7, 4096, UInt64.max])
  func decimalNumbersAreRead(_ number: UInt64) {
    #expect(Text("\(number)").number == number)
  }
}
