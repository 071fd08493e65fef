import TestSupport
import Testing

@testable import posix_mq_to_mqtt_bridge

struct OutboxChecksumTests {
  private static func bytes(_ count: Int) -> [UInt8] {
    var numbers = SeededNumbers(seed: UInt64(count) + 1)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
  }

  private static func checksum(
    _ bytes: [UInt8], _ first: UInt64 = 1, _ second: UInt64 = 2
  ) -> UInt64 {
    OutboxChecksum.of(bytes.span, bytes.count, first, second)
  }

  @Test(arguments: [0, 1, 7, 8, 9, 31, 32, 33, 63, 64, 71, 162, 1024])
  func everyFlippedBitIsFound(_ count: Int) {
    var bytes = Self.bytes(count)
    let whole = Self.checksum(bytes)
    for bit in 0..<(8 * count) {
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(Self.checksum(bytes) != whole, "bit \(bit)")
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
    }
    for bit in UInt64(0)..<64 {
      #expect(Self.checksum(bytes, 1 ^ 1 << bit) != whole)
      #expect(Self.checksum(bytes, 1, 2 ^ 1 << bit) != whole)
    }
  }

  /// They are mixed into lanes, of which each knows only every fourth word.
  @Test func wordsThatChangedPlacesAreFound() {
    let bytes = Self.bytes(96)
    let whole = Self.checksum(bytes)
    for first in 0..<12 {
      for second in 0..<first {
        var swapped = bytes
        for index in 0..<8 { swapped.swapAt(8 * first + index, 8 * second + index) }
        #expect(Self.checksum(swapped) != whole, "words \(second) and \(first)")
      }
    }
  }

  @Test func aMissingEndIsFound() {
    let bytes = Self.bytes(200)
    var seen: Set<UInt64> = []
    for count in 0...200 { #expect(seen.insert(Self.checksum(Array(bytes[..<count]))).inserted) }
  }

  @Test func whatStandsBehindTheLengthDoesNotMatter() {
    let bytes = Self.bytes(100)
    #expect(
      OutboxChecksum.of(bytes.span, 60, 0, 0)
        == OutboxChecksum.of(Array(bytes[..<60]).span, 60, 0, 0))
  }
}
