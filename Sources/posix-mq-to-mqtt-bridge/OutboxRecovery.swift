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
    Self.sort(&heads, memory)
    return heads
  }

  /// By arrival, as a heap: the library's sort is 3 KB of code.
  private static func sort(_ heads: inout [UInt32], _ memory: borrowing OutboxMemory) {
    func sink(_ start: Int, _ count: Int) {
      var parent = start
      while 2 * parent + 1 < count {
        var child = 2 * parent + 1
        if child + 1 < count && memory[heads[child]].arrival < memory[heads[child + 1]].arrival {
          child += 1
        }
        if memory[heads[parent]].arrival >= memory[heads[child]].arrival { return }
        heads.swapAt(parent, child)
        parent = child
      }
    }
    for start in stride(from: heads.count / 2 - 1, through: 0, by: -1) { sink(start, heads.count) }
    for end in stride(from: heads.count - 1, to: 0, by: -1) {
      heads.swapAt(0, end)
      sink(0, end)
    }
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
    return part == OutboxMemory.none && length > 0 && head.arrival < OutboxMemory.lastArrival
      && head.checksum == OutboxChecksum.of(bytes.span, length, head)
  }
}

extension Outbox {
  /// Takes over what the memory holds.
  ///
  /// `keeps` says of a record whether it is still wanted. Where the file was found shorter than it was,
  /// what is missing is counted as damaged, a record for each slot.
  func recover(
    fileSize: Int64, _ keeps: (Slot) -> Bool = { _ in true }
  ) -> OutboxRecovery {
    var recovery = OutboxRecovery()
    // The bridge was killed between the two, or the number was damaged: all slots are looked at.
    let allocated = memory.allocatedSlots
    let (used, found) = (memory.head.untouched, memory.slots(in: fileSize))
    if memory.head.isUntouchedRight && used > found && used <= memory.slotCount {
      recovery.damaged = Int(used - found)
    }
    if !memory.head.isUntouchedRight || used > allocated {
      memory.head.untouched = allocated
    }
    let heads = recovery.scan(memory)
    countLoss(kind: 0, times: UInt64(recovery.damaged))
    var isUsed = [Bool](repeating: false, count: Int(memory.head.untouched))
    for index in heads {
      let slot = memory[index]
      guard keeps(slot) else {
        recovery.unwanted += 1
        continue
      }
      var part = index
      while part != Self.none {
        isUsed[Int(part)] = true
        usedSlots += 1
        part = memory[part].continuation
      }
      memory[index].next = Self.none
      link(index)
      memory.head.nextArrival = max(memory.head.nextArrival, slot.arrival + 1)
      if slot.list == ListName.spilled.rawValue && slot.origin & Self.carriedOver == 0 {
        memory.head.spillProgress = max(memory.head.spillProgress, slot.arrival)
      }
    }
    for index in isUsed.indices.reversed() where !isUsed[index] { free(UInt32(index)) }
    return recovery
  }

  /// The newest record that is no spilled one, in the buffer; its length, or nil if there is none.
  func newest(into buffer: inout [UInt8]) -> Int? {
    let last: UInt32 =
      switch (samples.last, events.last) {
      case (Self.none, let event): event
      case (let sample, Self.none): sample
      case (let sample, let event):
        memory[sample].arrival > memory[event].arrival ? sample : event
      }
    guard last != Self.none else { return nil }
    copy(last, into: &buffer)
    return Int(memory[last].length)
  }
}
