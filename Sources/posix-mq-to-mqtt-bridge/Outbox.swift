import CLinux
import Linux
import Records

/// Records on their way to the broker: a bounded store that forgets a record when it is acknowledged.
///
/// The memory is cut into slots of 256 bytes; a record takes as many as it needs. Samples and events
/// are two lists in order of arrival over the same slots, so either may fill the whole store, and
/// where there is no room the oldest sample goes before any event does. A third, short list holds
/// what comes back from the ``Spill``, and goes before the others. A record that is in flight stays
/// until it is acknowledged, or returned when the connection is lost.
///
/// ```
///            acknowledged   in flight      waiting
/// samples  ·  ·  ·  ·  ·  [ 7 ] [ 9 ]  [ 10 ] [ 12 ]      a number is the place in the
/// events   ·  ·  ·  ·  ·       [ 8 ]       [ 11 ]         order of arrival
///                                ▲ taken     ▲ next
/// ```
///
/// What each record goes through is optimized for speed: 100 instructions less, 1 KB more.
///
/// A class, since a structure of this size would be copied for each of its functions that does not change it.
final class Outbox {
  enum Priority: Int, CaseIterable { case sample, event }

  enum ListName: UInt8, CaseIterable {
    case samples, events, spilled

    init(_ priority: Priority) { self = priority == .sample ? .samples : .events }
  }

  /// A record that was taken, for ``acknowledge(_:)``.
  struct Ticket: Equatable {
    fileprivate let slot: UInt32
    let arrival: UInt64
  }

  struct Entry {
    let ticket: Ticket
    let length: Int
    /// What the record was appended with: the queue it came from.
    let origin: UInt8
    /// On the list of the spilled a ``BootStamp`` stands before the record.
    let list: ListName
  }

  typealias Slot = OutboxMemory.Slot
  static let slotSize = OutboxMemory.slotSize
  static let payloadSize = OutboxMemory.payloadSize
  static let none = OutboxMemory.none

  struct List {
    var first = none
    var last = none
    /// The first record that is not in flight.
    var waiting = none
    var count = 0
  }

  private(set) var memory: OutboxMemory
  var samples = List()
  var events = List()
  var spilled = List()
  var free = none
  var usedSlots = 0
  /// Records that were taken and are neither acknowledged nor returned.
  private(set) var inFlight = 0
  /// The file system has no room for the slots that are not allocated yet.
  private(set) var isCramped = false

  /// In memory that goes with the bridge. Errors: those of mmap(2).
  convenience init(byteCount: Int, messageSize: Int = 1024) throws(SystemError) {
    self.init(
      try OutboxMemory(slotCount: Self.slots(byteCount), inboxSize: messageSize))
  }

  /// In this memory; see ``recover()`` for what stands there.
  init(_ memory: consuming OutboxMemory) {
    self.memory = memory
  }

  static func slots(_ byteCount: Int) -> Int { max(8, byteCount / slotSize) }

  /// Records in the store, in flight or waiting.
  var count: Int { samples.count + events.count + spilled.count }

  /// Those of one list.
  func count(_ name: ListName) -> Int {
    switch name {
    case .samples: samples.count
    case .events: events.count
    case .spilled: spilled.count
    }
  }

  /// Records that were given up because there was no room, of the kind with this number.
  func lost(kind: UInt16) -> UInt64 { memory.head.lost[Self.place(of: kind)] }

  /// All records that were given up.
  var lost: UInt64 {
    var sum: UInt64 = 0
    for index in 0..<128 { sum &+= memory.head.lost[index] }
    return sum
  }

  private static func place(of kind: UInt16) -> Int { kind < 128 ? Int(kind) : 0 }

  func countLoss(kind: UInt16, times: UInt64 = 1) {
    memory.head.lost[Self.place(of: kind)] &+= times
  }

  /// How much of the store is in use, from 0 to 100; where the file system has no room for all of it,
  /// of what it has room for.
  var usedPercent: Int { usedSlots * 100 / usableSlots }

  /// Whether so much of the store is in use. Asked for each record: without a division.
  func isUsed(percent: Int) -> Bool { usedSlots * 100 >= percent * usableSlots }

  private var usableSlots: Int {
    Int(isCramped ? max(1, memory.head.untouched) : memory.slotCount)
  }

  // MARK: Append, take, acknowledge

  /// Keeps the first `length` bytes; makes room by giving up the oldest waiting samples.
  ///
  /// Where only events wait, a new sample is given up itself, and a new event takes the place of the
  /// oldest ones. Every record that was given up is counted, see ``lost(kind:)``.
  @inline(never)
  @_optimize(speed)
  func append(_ record: [UInt8], _ length: Int, origin: UInt8, _ priority: Priority) {
    let arrival = memory.head.nextArrival
    memory.head.nextArrival = arrival + 1
    let needed = Self.slotsNeeded(length)
    while !hasRoom(slots: needed) {
      if samples.waiting != Self.none {
        give(up: samples.waiting)
      } else if priority == .event && events.waiting != Self.none {
        give(up: events.waiting)
      } else {
        return countLoss(kind: Self.kind(record))
      }
    }
    store(record, length, needed, origin, arrival, ListName(priority))
  }

  /// Keeps a record of an earlier boot or from the spill, a ``BootStamp`` before it; false if there
  /// is no room. One that was carried over from another outbox was never in the spill.
  @inline(never)
  func appendSpilled(
    _ record: [UInt8], _ length: Int, origin: UInt8, arrival: UInt64, carriedOver: Bool = false
  ) -> Bool {
    let needed = Self.slotsNeeded(length)
    guard hasRoom(slots: needed) else { return false }
    store(
      record, length, needed, carriedOver ? origin | Self.carriedOver : origin, arrival, .spilled)
    if !carriedOver { memory.head.spillProgress = arrival }
    return true
  }

  /// A bit of the origin.
  static let carriedOver: UInt8 = 0x80

  /// The number of the record's kind, which stands at its byte 8.
  static func kind(_ bytes: [UInt8], behind start: Int = 0) -> UInt16 {
    bytes.count < start + 10 ? 0 : UInt16(bytes[start + 8]) | UInt16(bytes[start + 9]) << 8
  }

  @_optimize(speed)
  private func store(
    _ record: [UInt8], _ length: Int, _ needed: Int, _ origin: UInt8, _ arrival: UInt64,
    _ list: ListName
  ) {
    var rest = Self.none
    // From the last part to the first, so that each knows where the next one is.
    for part in stride(from: needed - 1, through: 0, by: -1) {
      let index = takeFreeSlot()
      let range = (part * Self.payloadSize)..<min(length, (part + 1) * Self.payloadSize)
      memory.write(record, range, to: index)
      memory[index] = Slot(
        continuation: rest, arrival: arrival, length: UInt16(length), origin: origin,
        list: list.rawValue)
      if part > 0 { memory.set(index, Slot.part) }
      rest = index
    }
    memory[rest].checksum = OutboxChecksum.of(record.span, length, memory[rest])
    memory.set(rest, Slot.first)
    link(rest)
  }

  /// The oldest record that is not in flight; from now on it is.
  @inline(never)
  @_optimize(speed)
  func take() -> Entry? {
    guard let index = oldestWaiting else { return nil }
    let (list, next) = (memory[index].list, memory[index].next)
    withList(list) { $0.waiting = next }
    inFlight += 1
    return entry(index)
  }

  /// The same, copied to the beginning of `buffer`.
  func take(into buffer: inout [UInt8]) -> Entry? {
    guard let entry = take() else { return nil }
    copy(entry.ticket.slot, into: &buffer)
    return entry
  }

  /// Copies a record that was taken to the beginning of `buffer`.
  func copy(_ ticket: Ticket, into buffer: inout [UInt8]) { copy(ticket.slot, into: &buffer) }

  /// What is known of a record that was taken.
  func entry(_ ticket: Ticket) -> Entry { entry(ticket.slot) }

  private func entry(_ index: UInt32) -> Entry {
    let head = memory[index]
    return Entry(
      ticket: Ticket(slot: index, arrival: head.arrival), length: Int(head.length),
      origin: head.origin & ~Self.carriedOver, list: ListName(rawValue: head.list) ?? .samples)
  }

  /// Copies a record that was taken behind what was written.
  @_optimize(speed)
  func copy(_ ticket: Ticket, into output: inout OutputSpan<UInt8>) {
    forEachPart(of: ticket.slot) { memory.read($0, $1.count, into: &output) }
  }

  @inline(never)
  func copy(_ index: UInt32, into buffer: inout [UInt8]) {
    forEachPart(of: index) { memory.read($0, $1.count, into: &buffer, at: $1.lowerBound) }
  }

  /// Shows the slots of a record, each with the range of its bytes that it holds.
  @inline(__always)
  private func forEachPart(of index: UInt32, _ body: (_ slot: UInt32, _ bytes: Range<Int>) -> Void)
  {
    let length = Int(memory[index].length)
    var (slot, offset) = (index, 0)
    while slot != Self.none && offset < length {
      let end = min(length, offset + Self.payloadSize)
      body(slot, offset..<end)
      offset = end
      slot = memory[slot].continuation
    }
  }

  /// The record has arrived, or will never be taken: it leaves the store.
  func acknowledge(_ ticket: Ticket) {
    inFlight -= 1
    remove(ticket.slot)
  }

  /// The connection is lost: what was in flight waits again, in its old order.
  func returnInFlight() {
    samples.waiting = samples.first
    events.waiting = events.first
    spilled.waiting = spilled.first
    inFlight = 0
  }

  private var oldestWaiting: UInt32? {
    if spilled.waiting != Self.none { return spilled.waiting }
    switch (samples.waiting, events.waiting) {
    case (Self.none, Self.none): return nil
    case (let sample, Self.none): return sample
    case (Self.none, let event): return event
    case (let sample, let event):
      return memory[sample].arrival < memory[event].arrival ? sample : event
    }
  }

  // MARK: Slots and lists

  private static func slotsNeeded(_ length: Int) -> Int {
    max(1, (length + payloadSize - 1) / payloadSize)
  }

  /// Whether a record of this length finds room without another one being given up.
  func hasRoom(for length: Int) -> Bool { hasRoom(slots: Self.slotsNeeded(length)) }

  private func hasRoom(slots needed: Int) -> Bool {
    let untouched = memory.head.untouched
    // The common case: what was never used is there, behind whatever is in use.
    if untouched <= memory.allocated && Int(memory.allocated - untouched) >= needed {
      isCramped = false
      return true
    }
    if Int(memory.slotCount) - usedSlots < needed { return false }
    // As many as this may have to come from slots that the file has not yet.
    let last = min(memory.slotCount - 1, untouched + UInt32(needed) - 1)
    if untouched >= memory.slotCount || memory.allocate(last) {
      isCramped = false
      return true
    }
    isCramped = true
    var (index, found) = (free, 0)
    while index != Self.none && found < needed {
      found += 1
      index = memory[index].next
    }
    return found == needed
  }

  private func give(up index: UInt32) {
    var start = [UInt8](repeating: 0, count: 10)
    memory.read(index, 10, into: &start, at: 0)
    countLoss(kind: Self.kind(start))
    let next = memory[index].next
    withList(memory[index].list) { $0.waiting = next }
    remove(index)
  }

  func link(_ index: UInt32) {
    let last = withList(memory[index].list) { list in
      let last = list.last
      if last == Self.none { list.first = index }
      if list.waiting == Self.none { list.waiting = index }
      list.last = index
      list.count += 1
      return last
    }
    memory[index].previous = last
    if last != Self.none { memory[last].next = index }
  }

  @inline(never)
  @_optimize(speed)
  func remove(_ index: UInt32) {
    // From here on nobody finds it again, and its parts belong to nobody.
    memory.set(index, Slot.free)
    let head = memory[index]
    withList(head.list) {
      if head.previous == Self.none { $0.first = head.next }
      if head.next == Self.none { $0.last = head.previous }
      $0.count -= 1
    }
    if head.previous != Self.none { memory[head.previous].next = head.next }
    if head.next != Self.none { memory[head.next].previous = head.previous }
    var part = index
    while part != Self.none {
      let next = memory[part].continuation
      free(part)
      usedSlots -= 1
      part = next
    }
    if count == 0 { startOver() }
  }

  func free(_ index: UInt32) {
    memory.set(index, Slot.free)
    memory[index].next = free
    free = index
  }

  /// Nothing is kept: the first slots are used again, whose pages are there, and what a backlog took
  /// beyond them goes back to the machine.
  private func startOver() {
    let used = memory.head.untouched
    memory.head.untouched = 0
    free = Self.none
    if used > Self.keptSlots { memory.release(from: Self.keptSlots) }
  }

  /// 128 KiB: as much as waits and is in flight while the broker keeps up.
  private static let keptSlots: UInt32 = 512

  private func takeFreeSlot() -> UInt32 {
    usedSlots += 1
    guard free != Self.none else {
      let index = memory.head.untouched
      memory.head.untouched = index + 1
      return index
    }
    let index = free
    free = memory[index].next
    return index
  }

  @discardableResult
  func withList<Result>(
    _ name: UInt8, _ body: (inout List) -> Result
  ) -> Result {
    switch ListName(rawValue: name) {
    case .events: body(&events)
    case .spilled: body(&spilled)
    case .samples, nil: body(&samples)
    }
  }
}
