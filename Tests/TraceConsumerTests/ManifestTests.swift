import BPFObjects
import Foundation
import TestSupport
import Testing

struct ManifestTests {
  private func parse(_ text: String) throws -> Manifest { try Manifest(parsing: Array(text.utf8)) }

  @Test func fieldsStandAsInC() throws {
    let manifest = try parse(
      "# c\n\naggregate m count comm:text5 pid:u32 a:u8 b:i64\nrecord r x:u16 y:text3\nlost l\n")
    #expect(manifest.aggregates[0].key.fields.map(\.offset) == [0, 8, 12, 16])
    #expect(manifest.aggregates[0].key.bytes == 24)
    #expect(manifest.records[0].layout.bytes == 6)
    #expect(manifest.lost == Array("l".utf8))
  }

  @Test func bucketsAreTheValue() throws {
    let aggregate = try parse("aggregate m quantize 27").aggregates[0]
    #expect(aggregate.kind == .quantize(buckets: 27) && aggregate.valueBytes == 216)
  }

  @Test(arguments: [
    ("", 1, 1), ("aggregate", 1, 10), ("aggregate m", 1, 12), ("aggregate m most", 1, 13),
    ("aggregate m quantize", 1, 21), ("aggregate m quantize 66", 1, 22),
    ("lost l\nrecord r", 2, 9), ("record r x", 1, 10), ("record r x:u7", 1, 10),
    ("record r x:text0", 1, 10), ("record r :u8", 1, 10), ("what", 1, 1), ("lost", 1, 5),
  ])
  func whatIsWrongHasALineAndAColumn(_ text: String, _ line: Int, _ column: Int) throws {
    let error = try #require(throws: ManifestError.self) { try parse(text) }
    #expect(error.line == line && error.column == column)
  }

  @Test func mutationsAreReadOrRefused() {
    let text = Array("aggregate m quantize 64 comm:text16\nrecord r x:u64\nlost l".utf8)
    var numbers = SeededNumbers(seed: 5)
    var refused = 0
    for _ in 0..<20_000 {
      var bytes = text
      for _ in 0..<3 {
        bytes[Int.random(in: bytes.indices, using: &numbers)] = UInt8.random(
          in: 0...255, using: &numbers)
      }
      if (try? Manifest(parsing: bytes)) == nil { refused += 1 }
    }
    #expect(refused > 5000 && refused < 20_000)
  }
}
