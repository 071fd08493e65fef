import Linux
import Testing

@testable import epoll_psi

struct WordsTests {
  @Test func emptyPartsAreParts() {
    #expect(parts("a::b:", separator: UInt8(ascii: ":")) == ["a", "", "b", ""])
    #expect(parts("", separator: UInt8(ascii: ":")) == [""])
  }
}
