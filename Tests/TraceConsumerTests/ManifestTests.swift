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

  private let format = TracepointFormat(
    parsing: Array(
      """
      name: thing
      ID: 3
      format:
      \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;

      \tfield:char comm[16];\toffset:8;\tsize:16;\tsigned:0;
      \tfield:const void * address;\toffset:24;\tsize:8;\tsigned:0;
      \tfield:__data_loc char[] file;\toffset:32;\tsize:4;\tsigned:0;

      print fmt: "comm=%s field:x; offset:1; size:2", REC->comm
      """.utf8))

  @Test func aTracepointHasItsFieldsWhereTheKernelSays() {
    let fields = format.fields.map {
      "\(String(decoding: $0.name, as: UTF8.self)) \($0.offset) \($0.bytes)"
    }
    #expect(fields == ["common_type 0 2", "comm 8 16", "address 24 8", "file 32 4"])
  }

  @Test(
    arguments: [
      ("comm=8:16 address=24:8", nil, nil), ("comm=8:16 file=32:8", "file", 32),
      ("address=16:8", "address", 24), ("pid=8:4", "pid", nil),
    ] as [(String, String?, Int?)])
  func whatIsElsewhereIsTheDifference(_ wanted: String, _ name: String?, _ offset: Int?) throws {
    let manifest = try parse("lost l\nrecord r x:u8\ntracepoint group/thing \(wanted)\n")
    let difference = manifest.tracepoints[0].difference(from: format)
    #expect(difference.map { String(decoding: $0.wanted.name, as: UTF8.self) } == name)
    #expect(difference?.found?.offset == offset)
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
    ("lost l\ntracepoint", 2, 11), ("tracepoint a", 1, 12), ("tracepoint ../b x=1:2", 1, 12),
    ("tracepoint a/b", 1, 15), ("tracepoint a/b x", 1, 16), ("tracepoint a/b x=1", 1, 16),
    ("tracepoint a/b =1:2", 1, 16), ("tracepoint a/b x=1:y", 1, 16),
  ])
  func whatIsWrongHasALineAndAColumn(_ text: String, _ line: Int, _ column: Int) throws {
    let error = try #require(throws: ManifestError.self) { try parse(text) }
    #expect(error.line == line && error.column == column)
  }

  @Test func mutationsAreReadOrRefused() {
    let text = Array(
      "aggregate m quantize 64 comm:text16\nrecord r x:u64\nlost l\ntracepoint a/b x=8:4".utf8)
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
