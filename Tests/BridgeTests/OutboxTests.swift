import Testing

@testable import posix_mq_to_mqtt_bridge

struct OutboxTests {
  private func record(_ number: Int, length: Int = 144) -> [UInt8] {
    (0..<length).map { UInt8(truncatingIfNeeded: number &* 31 &+ $0) }
  }

  /// Takes everything that waits; returns what was taken, and acknowledges it if told so.
  private func takeAll(
    _ outbox: Outbox, acknowledging: Bool = true
  ) -> [[UInt8]] {
    var buffer = [UInt8](repeating: 0, count: 8192)
    var taken: [[UInt8]] = []
    while let entry = outbox.take(into: &buffer) {
      taken.append(Array(buffer[..<entry.length]))
      if acknowledging { outbox.acknowledge(entry.ticket) }
    }
    return taken
  }

  @Test func recordsComeOutInTheOrderInWhichTheyCameIn() throws {
    let outbox = try Outbox(byteCount: 1 << 16)
    // Shorter than a slot, as long as one, and over several.
    let lengths = [1, 144, 223, 224, 225, 448, 449, 1024]
    for (number, length) in lengths.enumerated() {
      outbox.append(
        record(number, length: length), length, origin: UInt8(number),
        number % 2 == 0 ? .sample : .event)
    }
    #expect(outbox.count == lengths.count)
    let expected = lengths.enumerated().map { record($0, length: $1) }
    #expect(takeAll(outbox) == expected)
    #expect(outbox.count == 0)
    #expect(outbox.usedSlots == 0)
  }

  @Test func whatIsInFlightWaitsAgainWhenItIsReturned() throws {
    let outbox = try Outbox(byteCount: 1 << 16)
    for number in 0..<5 { outbox.append(record(number), 144, origin: 0, .sample) }
    var buffer = [UInt8](repeating: 0, count: 1024)
    let first = outbox.take(into: &buffer)
    let second = outbox.take(into: &buffer)
    #expect(outbox.inFlight == 2)
    // Acknowledgements may come in another order.
    #expect(first != nil)
    outbox.acknowledge(try #require(second).ticket)
    outbox.returnInFlight()
    #expect(outbox.inFlight == 0)
    #expect(takeAll(outbox) == [0, 2, 3, 4].map { record($0) })
  }

  @Test func theOldestSamplesGoFirstAndAreCounted() throws {
    let outbox = try Outbox(byteCount: 8 * Outbox.slotSize)
    for number in 0..<11 { outbox.append(record(number), 144, origin: 0, .sample) }
    #expect(outbox.lost == 3)
    #expect(takeAll(outbox) == (3..<11).map { record($0) })
  }

  @Test func eventsOutliveSamples() throws {
    let outbox = try Outbox(byteCount: 8 * Outbox.slotSize)
    for number in 0..<4 { outbox.append(record(number), 144, origin: 0, .event) }
    for number in 4..<8 { outbox.append(record(number), 144, origin: 0, .sample) }
    for number in 8..<11 { outbox.append(record(number), 144, origin: 0, .event) }
    #expect(outbox.lost == 3)
    #expect(takeAll(outbox) == [0, 1, 2, 3, 7, 8, 9, 10].map { record($0) })
  }

  @Test func whereOnlyEventsWaitANewSampleIsLostAndANewEventTakesTheOldestPlace() throws {
    let outbox = try Outbox(byteCount: 8 * Outbox.slotSize)
    for number in 0..<8 { outbox.append(record(number), 144, origin: 0, .event) }
    outbox.append(record(8), 144, origin: 0, .sample)
    #expect(outbox.lost == 1)
    outbox.append(record(9), 144, origin: 0, .event)
    #expect(outbox.lost == 2)
    #expect(takeAll(outbox) == (1..<8).map { record($0) } + [record(9)])
  }

  @Test func whatIsInFlightIsNotGivenUp() throws {
    let outbox = try Outbox(byteCount: 8 * Outbox.slotSize)
    for number in 0..<8 { outbox.append(record(number), 144, origin: 0, .sample) }
    let inFlight = takeAll(outbox, acknowledging: false)
    #expect(inFlight.count == 8)
    outbox.append(record(8), 144, origin: 0, .sample)
    #expect(outbox.lost == 1)
    outbox.returnInFlight()
    #expect(takeAll(outbox) == (0..<8).map { record($0) })
  }

  /// Against the simplest thing that could be right: an array.
  @Test func itBehavesAsAListWould() throws {
    let outbox = try Outbox(byteCount: 64 * Outbox.slotSize)
    var model: [(bytes: [UInt8], ticket: Outbox.Ticket?)] = []
    var buffer = [UInt8](repeating: 0, count: 1024)
    var generator = SystemRandomNumberGenerator()
    for number in 0..<20_000 {
      switch Int.random(in: 0..<10, using: &generator) {
      case 0..<4 where outbox.usedSlots < 58:
        let length = Int.random(in: 1...1024, using: &generator)
        let bytes = record(number, length: length)
        outbox.append(
          bytes, length, origin: UInt8(number & 7), Bool.random() ? .sample : .event)
        model.append((bytes, nil))
      case 4..<7:
        let expected = model.firstIndex { $0.ticket == nil }
        let entry = outbox.take(into: &buffer)
        #expect((entry == nil) == (expected == nil))
        if let entry, let expected {
          #expect(Array(buffer[..<entry.length]) == model[expected].bytes)
          model[expected].ticket = entry.ticket
        }
      case 7..<9:
        let inFlight = model.indices.filter { model[$0].ticket != nil }
        if let index = inFlight.randomElement(using: &generator), let ticket = model[index].ticket {
          outbox.acknowledge(ticket)
          model.remove(at: index)
        }
      default:
        outbox.returnInFlight()
        for index in model.indices { model[index].ticket = nil }
      }
      #expect(outbox.count == model.count)
      #expect(outbox.inFlight == model.count { $0.ticket != nil })
    }
    #expect(outbox.lost == 0)
  }
}
