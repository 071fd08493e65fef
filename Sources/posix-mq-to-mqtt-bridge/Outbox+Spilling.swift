import Linux

/// What goes from the outbox into the ``Spill``.
extension Outbox {
  /// Whether something waits in this list of samples or events.
  func waits(_ name: ListName) -> Bool {
    (name == .samples ? samples.waiting : events.waiting) != Self.none
  }

  /// Shows what waits in a list, the oldest first, without taking it, until `body` says false.
  func forEachWaiting(
    _ name: ListName, _ buffer: inout [UInt8],
    _ body: (_ slot: Slot, _ record: [UInt8]) throws(SystemError) -> Bool
  ) throws(SystemError) {
    var index = name == .samples ? samples.waiting : events.waiting
    while index != Self.none {
      let slot = memory[index]
      copy(index, into: &buffer)
      guard try body(slot, buffer) else { return }
      index = slot.next
    }
  }

  /// What waits in a list is safe elsewhere, up to this arrival.
  func removeWaiting(_ name: ListName, upTo arrival: UInt64) {
    var index = name == .samples ? samples.waiting : events.waiting
    while index != Self.none && memory[index].arrival <= arrival {
      let next = memory[index].next
      withList(name.rawValue) { $0.waiting = next }
      remove(index)
      index = next
    }
  }
}
