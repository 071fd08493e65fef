import Testing

@testable import Records

struct TopicLevelsTests {
  private func levels(_ name: [UInt8]) -> String {
    var topic = TopicLevels()
    topic.append("disk")
    topic.append(name.span)
    return String(decoding: topic.bytes, as: UTF8.self)
  }

  @Test func aNameBecomesOneLevel() {
    #expect(levels([UInt8]("mmcblk0".utf8)) == "/disk/mmcblk0")
    #expect(levels([UInt8]("Küche".utf8)) == "/disk/Küche")
  }

  @Test(arguments: ["a/b", "a+b", "a#b", "a\u{0}b", "a\nb", "a\u{7F}b"])
  func whatMQTTReservesIsReplaced(_ name: String) {
    #expect(levels([UInt8](name.utf8)) == "/disk/a_b")
  }

  @Test func bytesThatAreNotUTF8AreReplaced() {
    #expect(levels([0x61, 0xFF, 0xC3]) == "/disk/a__")
  }

  @Test func anEmptyNameIsNotAnEmptyLevel() {
    #expect(levels([]) == "/disk/_")
  }
}
