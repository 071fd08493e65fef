import Records
import TestSupport
import Testing

@testable import dlt_proc_watch

/// Whatever comes: no crash, every byte accounted for, every record can be sent and read.
struct MutationTests {
  private static func mutated(_ original: [UInt8], _ random: inout SeededNumbers) -> [UInt8] {
    var bytes = original
    let likely = Array("DLTS\u{1}0123456789 ()\n".utf8) + [0, 0xFF, 0x3D, 0x23, 0x08, 0x02]
    for _ in 0..<Int.random(in: 1...8, using: &random) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      let byte = likely.randomElement(using: &random)!
      switch Int.random(in: 0..<6, using: &random) {
      case 0: bytes[place] = byte
      case 1: bytes[place] = .random(in: 0...255, using: &random)
      case 2: bytes.insert(byte, at: place)
      case 3: bytes.removeSubrange(place..<min(bytes.count, place + Int(byte)))
      case 4: bytes.removeSubrange(place...)
      default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 30)], at: place)
      }
    }
    return bytes
  }

  @Test func aMutatedTraceLosesNoByte() throws {
    var random = SeededNumbers(seed: 96)
    let original = Array(try Fixture.bytes("sample.dlt").prefix(4000))
    for round in 0..<8000 {
      let bytes = Self.mutated(original, &random)
      let found = messages(bytes, .file, chunk: [1000, 4096][round % 2])
      let inMessages = found.messages.reduce(0) { $0 + $1.count + 16 }
      try #require(
        UInt64(inMessages) + found.framer.skippedBytes + found.framer.truncatedBytes
          == UInt64(bytes.count), "seed 96, round \(round)")
      var watch = ProcessWatch(WatchSettings(limit: 3))
      for message in found.messages { watch.take(message) }
      try expectRoundTrips(watch.reports)
    }
  }

  @Test func aMutatedConnectionBreaksOrGoesOn() throws {
    var random = SeededNumbers(seed: 97)
    let original = Array(try Fixture.bytes("raw-tcp-stream.bin").suffix(4000))
    let start = try #require((0..<2000).first { MessageForm(of: original, at: $0) != nil })
    for round in 0..<6000 {
      let bytes = Self.mutated(Array(original[start...]), &random)
      let found = messages(bytes, .connection, chunk: [1000, 4096][round % 2])
      try #require(found.framer.pendingBytes <= MessageFramer.maximumLength)
      var watch = ProcessWatch(WatchSettings(names: [Array("node".utf8)], limit: 2))
      for message in found.messages { watch.take(message) }
      try expectRoundTrips(watch.reports)
    }
  }

  /// The headers are right here, so that the mutations reach arguments and texts.
  @Test func mutatedPayloadsAreReadOrRefused() throws {
    var random = SeededNumbers(seed: 98)
    let originals = [
      Making().stat(), Making().command(4, "node"), Making().notRunning("x"),
      Making(isBigEndian: true).stat(), Making().overflow(7),
    ]
    var watch = ProcessWatch(WatchSettings(limit: 5))
    for round in 0..<20_000 {
      let original = originals[round % originals.count]
      let payload = Self.mutated(Array(original[26...]), &random)
      var bytes = Array(original[..<26]) + payload
      bytes[2] = UInt8(bytes.count >> 8)
      bytes[3] = UInt8(bytes.count & 255)
      bytes[1] = UInt8(truncatingIfNeeded: round)
      watch.take(bytes, arrival: UInt64(round))
      try expectRoundTrips(watch.taken())
    }
    #expect(watch.messageCount == 20_000)
    #expect(watch.unreadableCount > 1000)
  }

  private func expectRoundTrips(_ reports: [Report]) throws {
    for report in reports {
      switch report {
      case .load(let body): try expectRoundTrip(body)
      case .lifecycle(let body): try expectRoundTrip(body)
      case .loss(let body): try expectRoundTrip(body)
      }
    }
  }

  private func expectRoundTrip<Body: RecordBody>(_ body: Body) throws {
    var body = body
    var header = RecordHeader(instance: 1)
    var bytes: [UInt8] = []
    header.encode(&body, into: &bytes)
    try #require(bytes.count <= RecordHeader.maximumRecordSize)
    try #require(Record(decoding: bytes, count: bytes.count).kind == Body.kind)
  }
}
