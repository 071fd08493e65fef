import Linux

/// What was found in the memory of an outbox that another bridge left.
struct OutboxRecovery {
  /// Records that are there no more as they were written.
  var damaged = 0
  /// Records that are safe elsewhere already.
  var unwanted = 0

  /// The first slots of all whole records, the oldest first.
  mutating func scan(_ memory: borrowing OutboxMemory) -> [UInt32] {
    var heads: [UInt32] = []
    for index in 0..<memory.head.untouched {
      switch memory[index].state {
      case OutboxMemory.Slot.first where isWhole(index, memory): heads.append(index)
      case OutboxMemory.Slot.free, OutboxMemory.Slot.part: continue
      default: damaged += 1
      }
    }
    heads.sort { memory[$0].arrival < memory[$1].arrival }
    return heads
  }

  private func isWhole(_ index: UInt32, _ memory: borrowing OutboxMemory) -> Bool {
    let head = memory[index]
    let length = Int(head.length)
    var bytes = [UInt8](repeating: 0, count: length)
    var (part, offset) = (index, 0)
    while offset < length {
      guard part < memory.head.untouched,
        part == index || memory[part].state == OutboxMemory.Slot.part,
        memory[part].arrival == head.arrival
      else { return false }
      let size = min(OutboxMemory.payloadSize, length - offset)
      memory.read(part, size, into: &bytes, at: offset)
      offset += size
      part = memory[part].continuation
    }
    return part == OutboxMemory.none && length > 0
      && head.checksum == OutboxChecksum.of(bytes.span, length, head)
  }
}

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
