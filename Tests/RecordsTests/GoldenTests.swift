import TestSupport
import Testing

@testable import Records

/// What holds for every golden record, of whatever kind.
struct GoldenTests {
  @Test func everyKindHasAGoldenRecord() throws {
    let kinds = try Set(Golden.all.map { String($0.name.split(separator: ".")[0]) })
    for kind in RecordKind.allCases {
      #expect(kinds.contains("\(kind.name)"), "Golden/\(kind.name).v1.hex is missing")
    }
  }

  @Test(arguments: try Golden.all) func itsKindIsItsName(_ golden: Golden) throws {
    let record = try Record(decoding: golden.bytes, count: golden.bytes.count)
    #expect("\(record.kind.name)" == golden.name.split(separator: ".")[0])
  }

  @Test(arguments: try Golden.all) func everyTruncationIsRejected(_ golden: Golden) {
    for length in 0..<golden.bytes.count {
      #expect(throws: RecordError.self) {
        try Record(decoding: Array(golden.bytes[..<length]), count: length)
      }
    }
  }

  /// The lengths in the header agree, but the body is shorter than its fields.
  @Test(arguments: try Golden.all) func aBodyThatIsTooShortIsRejected(_ golden: Golden) throws {
    let bodyLength = golden.bytes.count - RecordHeader.encodedSize
    for length in 0..<bodyLength {
      let bytes = golden.with(bodyLength: length)
      #expect(throws: RecordError.truncated(needed: bodyLength, found: length)) {
        try Record(decoding: bytes, count: bytes.count)
      }
    }
  }

  @Test(arguments: try Golden.all)
  func whatANewerVersionAppendsToTheBodyIsSteppedOver(_ golden: Golden) throws {
    let bytes = golden.with(bodyLength: golden.bytes.count - RecordHeader.encodedSize + 7)
    let newer = try publishedMembers(bytes)
    let known = try publishedMembers(golden.bytes)
    #expect(newer.keys.sorted() == known.keys.sorted())
  }

  @Test(arguments: try Golden.all)
  func whatANewerVersionAppendsToTheHeaderIsSteppedOver(_ golden: Golden) throws {
    var bytes = golden.bytes
    bytes[4] = 2
    bytes[6] += 8
    bytes.insert(contentsOf: [UInt8](repeating: 0xEE, count: 8), at: RecordHeader.encodedSize)
    #expect(try publishedMembers(bytes).count == publishedMembers(golden.bytes).count)
  }

  @Test(arguments: try Golden.all) func trailingBytesAreRejected(_ golden: Golden) {
    let count = golden.bytes.count
    #expect(throws: RecordError.trailingBytes(expected: count, found: count + 1)) {
      try Record(decoding: golden.bytes + [0], count: count + 1)
    }
  }

  /// A queue may have been made for longer messages; nothing behind it is.
  @Test(arguments: try Golden.all) func aRecordMayBeAsLongAsItsQueueAndNoLonger(
    _ golden: Golden
  ) throws {
    let most = RecordHeader.maximumRecordSize
    let longest = golden.with(bodyLength: most - RecordHeader.encodedSize)
    #expect(try publishedMembers(longest).count == publishedMembers(golden.bytes).count)
    let tooLong = golden.with(bodyLength: most - RecordHeader.encodedSize + 1)
    #expect(throws: RecordError.tooLong(most + 1)) {
      try Record(decoding: tooLong, count: tooLong.count)
    }
  }

  /// Whatever a hostile program writes: it is refused, or it is valid JSON.
  @Test(arguments: try Golden.all) func everyMutationIsRefusedOrBecomesJSON(_ golden: Golden) throws
  {
    var random = SeededNumbers(seed: 20_261_121)
    for _ in 0..<3000 {
      var bytes = golden.bytes
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(
          in: 0...255, using: &random)
      }
      if (try? Record(decoding: bytes, count: bytes.count)) == nil { continue }
      _ = try publishedMembers(bytes)
    }
  }
}

extension Golden {
  /// The record with its body cut or filled up to this length, as its header says.
  func with(bodyLength: Int) -> [UInt8] {
    var bytes = Array(bytes.prefix(RecordHeader.encodedSize + bodyLength))
    let missing = RecordHeader.encodedSize + bodyLength - bytes.count
    bytes += [UInt8](repeating: 0xEE, count: missing)
    bytes[10] = UInt8(bodyLength & 255)
    bytes[11] = UInt8(bodyLength >> 8)
    return bytes
  }
}
