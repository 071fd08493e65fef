import Linux

/// The checksum of a record in the outbox and in the spill: FNV-1a over words of 64 bits.
///
/// Each step is reversible, so a change of bits within one word is always found.
enum OutboxChecksum {
  /// Of the fields that were given with the record, and of its bytes.
  static func of(_ bytes: Span<UInt8>, _ length: Int, _ slot: OutboxMemory.Slot) -> UInt64 {
    of(
      bytes, length,
      slot.arrival, UInt64(slot.length) << 16 | UInt64(slot.origin) << 8 | UInt64(slot.list))
  }

  static func of(
    _ bytes: Span<UInt8>, _ length: Int, _ first: UInt64, _ second: UInt64
  ) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func mix(_ word: UInt64) {
      hash = (hash ^ word) &* 0x0000_0100_0000_01B3
      // The upper bits of a product reach the lower ones of the next.
      hash ^= hash >> 32
    }
    mix(first)
    mix(second)
    var index = 0
    while index + 8 <= length {
      mix(
        UInt64(
          littleEndian: bytes.bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)))
      index += 8
    }
    var rest: UInt64 = 0
    while index < length {
      rest = rest << 8 | UInt64(bytes[index])
      index += 1
    }
    mix(rest)
    return hash
  }
}
