import CLinux
import Linux

/// Records on their way to the broker: a bounded store that forgets a record when it is acknowledged.
///
/// The memory is cut into slots of 256 bytes; a record takes as many as it needs. Samples and events
/// are two lists in order of arrival over the same slots, so either may fill the whole store, and
/// where there is no room the oldest sample goes before any event does. A record that is in flight
/// stays until it is acknowledged, or returned when the connection is lost.
///
/// ```
///            acknowledged   in flight      waiting
/// samples  ·  ·  ·  ·  ·  [ 7 ] [ 9 ]  [ 10 ] [ 12 ]      a number is the place in the
/// events   ·  ·  ·  ·  ·       [ 8 ]       [ 11 ]         order of arrival
///                                ▲ taken     ▲ next
/// ```
struct Outbox: ~Copyable {
  enum Priority: Int, CaseIterable { case sample, event }

  /// A record that was taken, for ``acknowledge(_:)``.
  struct Ticket: Equatable {
    fileprivate let slot: UInt32
    fileprivate let arrival: UInt64
  }

  struct Entry {
    let ticket: Ticket
    let length: Int
    /// What the record was appended with: the queue it came from.
    let origin: UInt8
  }

  static let slotSize = 256
  private static let payloadSize = slotSize - MemoryLayout<Slot>.stride
  private static let none = UInt32.max

  /// Stands at the beginning of every slot.
  private struct Slot {
    var arrival: UInt64 = 0
    var next = none
    var previous = none
    /// The slot with the rest of the record.
    var continuation = none
    /// The length of the whole record.
    var length: UInt16 = 0
    var origin: UInt8 = 0
    var priority: UInt8 = 0
  }

  private struct List {
    var first = none
    var last = none
    /// The first record that is not in flight.
    var waiting = none
    var lost: UInt64 = 0
  }

  private let memory: UnsafeMutableRawPointer
  private let slotCount: Int
  private var samples = List()
  private var events = List()
  private var free = none
  /// Slots from here on were never used: their pages are not touched before they are needed.
  private var untouched: UInt32 = 0
  private var arrivals: UInt64 = 0
  private(set) var usedSlots = 0
  /// Records in the store, in flight or waiting.
  private(set) var count = 0
  /// Records that were taken and are neither acknowledged nor returned.
  private(set) var inFlight = 0

  /// Errors: those of mmap(2).
  init(byteCount: Int) throws(SystemError) {
    slotCount = max(8, byteCount / Self.slotSize)
    guard
      let memory = mmap(
        nil, slotCount * Self.slotSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      Int(bitPattern: memory) != -1
    else { throw SystemError("mmap", "the outbox") }
    self.memory = memory
  }

  deinit { munmap(memory, slotCount * Self.slotSize) }

  /// Records that were given up because there was no room.
  func lost(_ priority: Priority) -> UInt64 {
    priority == .sample ? samples.lost : events.lost
  }

  /// How much of the store is in use, from 0 to 100.
  var usedPercent: Int { usedSlots * 100 / slotCount }

  // MARK: Append, take, acknowledge

  /// Keeps the first `length` bytes; makes room by giving up the oldest waiting samples.
  ///
  /// Where only events wait, a new sample is given up itself, and a new event takes the place of the
  /// oldest ones. Every record that was given up is counted in ``lost(_:)``.
  mutating func append(
    _ record: [UInt8], _ length: Int, origin: UInt8, _ priority: Priority
  ) {
    let needed = max(1, (length + Self.payloadSize - 1) / Self.payloadSize)
    while slotCount - usedSlots < needed {
      if samples.waiting != Self.none {
        give(up: samples.waiting)
      } else if priority == .event && events.waiting != Self.none {
        give(up: events.waiting)
      } else {
        if priority == .sample { samples.lost += 1 } else { events.lost += 1 }
        return
      }
    }
    var rest = Self.none
    // From the last part to the first, so that each knows where the next one is.
    for part in stride(from: needed - 1, through: 0, by: -1) {
      let index = takeFreeSlot()
      let range = (part * Self.payloadSize)..<min(length, (part + 1) * Self.payloadSize)
      slot(index).pointee = Slot(
        arrival: arrivals, continuation: rest, length: UInt16(length), origin: origin,
        priority: UInt8(priority.rawValue))
      record.withUnsafeBytes {
        payload(index).copyMemory(from: $0.baseAddress! + range.lowerBound, byteCount: range.count)
      }
      rest = index
    }
    arrivals += 1
    count += 1
    link(rest)
  }

  /// The oldest record that is not in flight, copied to the beginning of `buffer`; from now on it is.
  mutating func take(into buffer: inout [UInt8]) -> Entry? {
    guard let index = oldestWaiting else { return nil }
    let head = slot(index).pointee
    withList(head.priority) { $0.waiting = head.next }
    inFlight += 1
    var (part, offset) = (index, 0)
    while part != Self.none {
      let size = min(Self.payloadSize, Int(head.length) - offset)
      let source = UnsafeRawBufferPointer(start: payload(part), count: size)
      buffer.withUnsafeMutableBytes {
        $0.baseAddress!.advanced(by: offset).copyMemory(from: source.baseAddress!, byteCount: size)
      }
      offset += size
      part = slot(part).pointee.continuation
    }
    return Entry(
      ticket: Ticket(slot: index, arrival: head.arrival), length: Int(head.length),
      origin: head.origin)
  }

  /// The record has arrived, or will never be taken: it leaves the store.
  mutating func acknowledge(_ ticket: Ticket) {
    inFlight -= 1
    remove(ticket.slot)
  }

  /// The connection is lost: what was in flight waits again, in its old order.
  mutating func returnInFlight() {
    samples.waiting = samples.first
    events.waiting = events.first
    inFlight = 0
  }

  private var oldestWaiting: UInt32? {
    switch (samples.waiting, events.waiting) {
    case (Self.none, Self.none): nil
    case (let sample, Self.none): sample
    case (Self.none, let event): event
    case (let sample, let event):
      slot(sample).pointee.arrival < slot(event).pointee.arrival ? sample : event
    }
  }

  // MARK: Slots and lists

  private mutating func give(up index: UInt32) {
    let head = slot(index).pointee
    withList(head.priority) {
      $0.waiting = head.next
      $0.lost += 1
    }
    remove(index)
  }

  private mutating func link(_ index: UInt32) {
    let last = withList(slot(index).pointee.priority) { list in
      let last = list.last
      if last == Self.none { list.first = index }
      if list.waiting == Self.none { list.waiting = index }
      list.last = index
      return last
    }
    slot(index).pointee.previous = last
    if last != Self.none { slot(last).pointee.next = index }
  }

  private mutating func remove(_ index: UInt32) {
    let head = slot(index).pointee
    withList(head.priority) {
      if head.previous == Self.none { $0.first = head.next }
      if head.next == Self.none { $0.last = head.previous }
    }
    if head.previous != Self.none { slot(head.previous).pointee.next = head.next }
    if head.next != Self.none { slot(head.next).pointee.previous = head.previous }
    count -= 1
    var part = index
    while part != Self.none {
      let next = slot(part).pointee.continuation
      slot(part).pointee.next = free
      free = part
      usedSlots -= 1
      part = next
    }
    if count == 0 { releaseMemory() }
  }

  /// After a backlog the store is empty for a long time: its pages go back to the machine.
  private mutating func releaseMemory() {
    guard untouched > 256 else { return }
    madvise(memory, Int(untouched) * Self.slotSize, MADV_DONTNEED)
    untouched = 0
    free = Self.none
  }

  private mutating func takeFreeSlot() -> UInt32 {
    usedSlots += 1
    guard free != Self.none else {
      defer { untouched += 1 }
      return untouched
    }
    let index = free
    free = slot(index).pointee.next
    return index
  }

  private mutating func withList<Result>(
    _ priority: UInt8, _ body: (inout List) -> Result
  ) -> Result {
    priority == UInt8(Priority.sample.rawValue) ? body(&samples) : body(&events)
  }

  private func slot(_ index: UInt32) -> UnsafeMutablePointer<Slot> {
    (memory + Int(index) * Self.slotSize).assumingMemoryBound(to: Slot.self)
  }

  private func payload(_ index: UInt32) -> UnsafeMutableRawPointer {
    memory + Int(index) * Self.slotSize + MemoryLayout<Slot>.stride
  }
}
