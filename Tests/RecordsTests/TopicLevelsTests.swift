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

  /// MQTT 5, 1.5.4: a broker may close the connection over them, and mosquitto does.
  @Test(arguments: [0x80, 0x9F, 0xFDD0, 0xFDEF, 0xFFFE, 0xFFFF, 0x1FFFE, 0x10FFFF] as [UInt32])
  func controlCharactersAndNoncharactersAreReplaced(_ number: UInt32) throws {
    let bytes = String(try #require(Unicode.Scalar(number))).utf8
    #expect(levels([UInt8](bytes)) == "/disk/" + bytes.map { _ in "_" }.joined())
  }

  @Test(arguments: [0xA0, 0xFDCF, 0xFDF0, 0xFFFD, 0x1EFFE, 0x1FFFD, 0x10FFFD] as [UInt32])
  func theirNeighboursStay(_ number: UInt32) throws {
    let character = String(try #require(Unicode.Scalar(number)))
    #expect(levels([UInt8](character.utf8)) == "/disk/" + character)
  }

  @Test func bytesThatAreNotUTF8AreReplaced() {
    #expect(levels([0x61, 0xFF, 0xC3]) == "/disk/a__")
  }

  @Test func anEmptyNameIsNotAnEmptyLevel() {
    #expect(levels([]) == "/disk/_")
  }
}
