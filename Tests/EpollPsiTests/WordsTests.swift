import Testing

@testable import epoll_psi

struct WordsTests {
  @Test func aWordEqualsItselfAlone() {
    let bytes = [UInt8]("--some".utf8)
    #expect(bytes[2...].equals("some"))
    #expect(!bytes[2...].equals("som"))
    #expect(!bytes[2...].equals("somer"))
    #expect(!bytes[2...].equals("full"))
    #expect(!bytes[2..<2].equals("some"))
    #expect(bytes[2..<2].equals(""))
  }

  @Test func emptyPartsAreParts() {
    let texts = parts("a::b:", separator: UInt8(ascii: ":")).map {
      String(decoding: $0, as: UTF8.self)
    }
    #expect(texts == ["a", "", "b", ""])
    #expect(parts("", separator: UInt8(ascii: ":")) == [[]])
  }
}
