import Foundation
import TestSupport
import Testing

@testable import Records

struct JSONTests {
  @Test func aRecordIsOneFlatObjectWithTheEnvelopeFirst() throws {
    let golden = try Golden("system_information.v1")
    var json = JSON()
    json.write(try Record(decoding: golden.bytes, count: golden.bytes.count), .forTests)
    let expected = """
      {"v":1,"kind":"system_information","time":1795229000.512345,\
      "boot_id":"43908254-216b-467b-8145-3543fe292e1a","instance":1337546,"seq":42,"dropped":3,\
      "clock_synced":true,"uptime_seconds":1394,"load1":0.4019,"load5":0.1763,"load15":0.0586,\
      "memory_total_bytes":25276502016,"memory_free_bytes":24189997056,\
      "memory_shared_bytes":9084928,"memory_buffer_bytes":4534272,\
      "swap_total_bytes":1073741824,"swap_free_bytes":1073741312,\
      "high_memory_total_bytes":4096,"high_memory_free_bytes":1024,"process_count":82}
      """
    #expect(String(decoding: json.bytes, as: UTF8.self) == expected)
  }

  @Test(arguments: [
    (0, 0, "0"), (0, 4, "0"), (7, 0, "7"), (1, 4, "0.0001"), (153, 4, "0.0153"),
    (10_000, 4, "1"), (12_340, 4, "1.234"), (100, 0, "100"),
    (UInt64.max, 0, "18446744073709551615"), (UInt64.max, 9, "18446744073.709551615"),
  ])
  func unsignedNumbers(_ value: UInt64, _ decimals: Int, _ text: String) {
    var json = JSON()
    json.begin()
    json.member("x", value, decimals: decimals)
    #expect(String(decoding: json.bytes, as: UTF8.self) == #"{"x":"# + text)
  }

  @Test(arguments: [
    (-1, 0, "-1"), (-1500, 3, "-1.5"), (-5, 3, "-0.005"), (Int64.min, 0, "-9223372036854775808"),
  ])
  func signedNumbers(_ value: Int64, _ decimals: Int, _ text: String) {
    var json = JSON()
    json.begin()
    json.member("x", value, decimals: decimals)
    #expect(String(decoding: json.bytes, as: UTF8.self) == #"{"x":"# + text)
  }

  /// Foundation's decoder is the witness for both UTF-8 and JSON.
  @Test func anyBytesBecomeTheTextThatFoundationSees() throws {
    var random = SeededNumbers(seed: 7)
    for _ in 0..<5000 {
      let bytes = (0..<Int.random(in: 0...12, using: &random)).map { _ in
        // More of what is special than chance would bring.
        Bool.random(using: &random)
          ? UInt8.random(in: 0...255, using: &random)
          : [0x22, 0x5C, 0x00, 0x7F, 0xC2, 0xE0, 0xA0, 0xED, 0xF0, 0x90, 0xF4, 0x8F, 0xBF]
            .randomElement(using: &random)!
      }
      var json = JSON()
      json.begin()
      json.member("x", text: bytes.span)
      json.end()
      let text = try #require(String(validating: json.bytes, as: UTF8.self))
      let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: String]
      let found = try #require(object?["x"])
      if let valid = String(validating: bytes, as: UTF8.self) {
        #expect(Array(found.utf8) == Array(valid.utf8))
      } else {
        #expect(found.unicodeScalars.contains("\u{FFFD}"))
      }
    }
  }

  @Test func aTextThatWasCutSaysSo() {
    var json = JSON()
    json.begin()
    json.member("name", text: FixedText<4>("abcdef"))
    json.end()
    #expect(String(decoding: json.bytes, as: UTF8.self) == #"{"name":"abcd","name_cut":true}"#)
  }

  @Test func theBufferIsUsedAgain() {
    var json = JSON()
    for _ in 0..<2 {
      json.begin()
      json.member("a", true)
      json.member("b-c", suffix: "_e", "d")
      json.end()
      #expect(String(decoding: json.bytes, as: UTF8.self) == #"{"a":true,"b_c_e":"d"}"#)
    }
  }
}
