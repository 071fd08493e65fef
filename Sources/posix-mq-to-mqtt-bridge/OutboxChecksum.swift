import Linux

/// The checksum of a record in the outbox and in the spill: FNV-1a over words of 64 bits, in four lanes.
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
    precondition(length <= bytes.count)
    let bytes = bytes.bytes
    func word(_ offset: Int) -> UInt64 {
      UInt64(
        littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
    }
    // Four at a time, since each product waits for the one before it: a third of the time.
    var lanes = (mixed(basis, first), mixed(basis, second), basis, basis)
    var index = 0
    while index + 32 <= length {
      lanes.0 = mixed(lanes.0, word(index))
      lanes.1 = mixed(lanes.1, word(index + 8))
      lanes.2 = mixed(lanes.2, word(index + 16))
      lanes.3 = mixed(lanes.3, word(index + 24))
      index += 32
    }
    var hash = mixed(mixed(mixed(lanes.0, lanes.1), lanes.2), lanes.3)
    while index + 8 <= length {
      hash = mixed(hash, word(index))
      index += 8
    }
    var rest: UInt64 = 0
    while index < length {
      rest = rest << 8 | UInt64(bytes.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self))
      index += 1
    }
    return mixed(hash, rest)
  }

  private static let basis: UInt64 = 0xCBF2_9CE4_8422_2325

  @inline(__always)
  private static func mixed(_ hash: UInt64, _ word: UInt64) -> UInt64 {
    let product = (hash ^ word) &* 0x0000_0100_0000_01B3
    // The upper bits of a product reach the lower ones of the next.
    return product ^ product >> 32
  }
}
