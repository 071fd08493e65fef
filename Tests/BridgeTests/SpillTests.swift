import CLinux
import Foundation
import Linux
import Records
import TestSupport
import Testing

@testable import posix_mq_to_mqtt_bridge

/// What goes to disk comes back whole, in order, and once.
struct SpillTests {
  private typealias Folder = OutboxFileTests.Folder

  private func record(_ number: Int) -> [UInt8] { OutboxFileTests.record(number, length: 200) }

  private func outbox(_ numbers: Range<Int>, from arrival: UInt64 = 1) throws -> Outbox {
    var outbox = try Outbox(byteCount: 1 << 20)
    outbox.memory.head.nextArrival = arrival
    for number in numbers {
      outbox.append(record(number), 200, origin: 5, number % 4 == 0 ? .event : .sample)
    }
    return outbox
  }

  private func spill(_ folder: Folder, limit: UInt64 = 1 << 20) throws -> Spill {
    try Spill(Text(folder.path + "/spill"), limit: limit)
  }

  private func write(
    _ spill: inout Spill, _ outbox: inout Outbox, _ stamp: BootStamp = OutboxFileTests.stamp()
  ) throws -> Int {
    var buffer = [UInt8](repeating: 0, count: 8192)
    return try spill.write(&outbox, stamp, &buffer)
  }

  /// Brings everything back and acknowledges it, a few at a time.
  private func drain(
    _ spill: inout Spill, _ outbox: inout Outbox, upTo limit: Int = .max
  ) throws -> (records: [[UInt8]], stamps: Set<[UInt8]>, notes: [String]) {
    var (records, stamps, notes): ([[UInt8]], Set<[UInt8]>, [String]) = ([], [], [])
    var buffer = [UInt8](repeating: 0, count: 8192)
    while records.count < limit {
      if let note = try spill.refill(&outbox, limit: 7) { notes.append(note.string) }
      guard let entry = outbox.take(into: &buffer) else { break }
      stamps.insert(Array(buffer[..<BootStamp.encodedSize]))
      records.append(Array(buffer[BootStamp.encodedSize..<entry.length]))
      outbox.acknowledge(entry.ticket)
    }
    return (records, stamps, notes)
  }

  @Test func samplesAndEventsComeBackInTheOrderOfArrival() throws {
    let folder = try Folder()
    var spill = try spill(folder)
    var outbox = try outbox(0..<100)
    #expect(try write(&spill, &outbox) == 100)
    #expect(outbox.count == 0)
    #expect(spill.count == 100)
    for number in 100..<140 { outbox.append(record(number), 200, origin: 5, .sample) }
    #expect(try write(&spill, &outbox) == 40)
    let (records, stamps, notes) = try drain(&spill, &outbox)
    #expect(records == (0..<140).map { record($0) })
    #expect(stamps.map { BootStamp(decoding: $0.span) } == [OutboxFileTests.stamp()])
    #expect(notes.isEmpty)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/spill") == [])
    #expect(spill.count == 0 && spill.byteCount == 0)
  }

  @Test func anotherBridgeFindsItAndGoesOnBehindWhatCameBack() throws {
    let folder = try Folder()
    var kept = try outbox(0..<100)
    do {
      var spill = try spill(folder)
      _ = try write(&spill, &kept)
      #expect(try drain(&spill, &kept, upTo: 30).records.count == 30)
    }
    // Six more had come back and wait in the outbox.
    #expect(kept.count(.spilled) == 6)
    var spill = try spill(folder)
    #expect(spill.lastArrival == 100)
    #expect(try drain(&spill, &kept).records == (30..<100).map { record($0) })
  }

  @Test func theOldestSamplesGoFirstAndAreCounted() throws {
    let folder = try Folder()
    // Room for about 200 records of 224 bytes.
    var spill = try spill(folder, limit: 45_000)
    var outbox = try outbox(0..<100)
    _ = try write(&spill, &outbox)
    for number in 100..<240 {
      outbox.append(record(number), 200, origin: 5, number % 4 == 0 ? .event : .sample)
    }
    _ = try write(&spill, &outbox)
    #expect(outbox.lost == 75)
    let expected = (0..<240).filter { $0 >= 100 || $0 % 4 == 0 }.map { record($0) }
    #expect(try drain(&spill, &outbox).records == expected)
  }

  @Test func aSecondBridgeIsRefused() throws {
    let folder = try Folder()
    var first = try spill(folder)
    var outbox = try outbox(0..<3)
    _ = try write(&first, &outbox)
    #expect {
      _ = try spill(folder)
    } throws: {
      ($0 as? SystemError)?.errno == EWOULDBLOCK
    }
    #expect(first.count == 3)
  }

  @Test func whatIsInASegmentAlreadyIsNotWantedInTheOutbox() throws {
    let folder = try Folder()
    var spill = try spill(folder)
    var outbox = try outbox(0..<8)
    _ = try write(&spill, &outbox)
    var slot = Outbox.Slot()
    for (list, arrival, isHeld) in [
      (Outbox.ListName.samples, 2, true), (.samples, 8, true), (.samples, 9, false),
      (.events, 1, true), (.events, 5, true), (.events, 6, false), (.spilled, 2, false),
    ] as [(Outbox.ListName, UInt64, Bool)] {
      slot.list = list.rawValue
      slot.arrival = arrival
      #expect(spill.segments.contains { $0.holds(slot) } == isHeld, "\(list) \(arrival)")
    }
  }

  @Test(arguments: [
    "", "samples", "samples-1-2-3.spill",
    "events-00000000000000000002-00000000000000000001-1.spill",
    "samples-00000000000000000001-00000000000000000002-0.spill",
    "samples-00000000000000000001-00000000000000000002-02.spill",
    "samples-00000000000000000001-00000000000000000002-2.spill.damaged", "partial",
    "samples-99999999999999999999-99999999999999999999-1.spill",
  ])
  func aForeignNameIsNoSegment(_ name: String) {
    #expect(SpillSegment(name: Array(name.utf8).span) == nil)
  }

  @Test func aNameIsReadBackAsTheSame() throws {
    let segment = SpillSegment(.events, first: 17, last: .max, count: 340)
    #expect(
      segment.name == "events-00000000000000000017-18446744073709551615-340.spill")
    #expect(SpillSegment(name: segment.name.bytes.span) == segment)
  }

  /// Torn, cut, flipped, foreign: what is whole comes back in order, the rest is counted and set
  /// aside with one line.
  @Test func whateverIsDamagedTheRestComesBack() throws {
    var random = SeededNumbers(seed: 7)
    for round in 0..<300 {
      let folder = try Folder()
      var spill = try spill(folder)
      var outbox = try Outbox(byteCount: 1 << 20)
      for number in 0..<40 { outbox.append(record(number), 200, origin: 5, .sample) }
      _ = try write(&spill, &outbox)
      let name = try #require(spill.segments.first).name.string
      let file = URL(filePath: folder.path + "/spill/" + name)
      var bytes = try Data(contentsOf: file)
      switch round % 3 {
      case 0: bytes = bytes.prefix(Int.random(in: 0..<bytes.count, using: &random))
      case 1:
        for _ in 0..<Int.random(in: 1...20, using: &random) {
          bytes[Int.random(in: 0..<bytes.count, using: &random)] ^=
            1 << UInt8.random(in: 0...7, using: &random)
        }
      default:
        let start = Int.random(in: 0..<bytes.count - 300, using: &random)
        for index in start..<(start + 300) { bytes[index] = .random(in: 0...255, using: &random) }
      }
      try bytes.write(to: file)
      let (records, _, notes) = try drain(&spill, &outbox)
      var next = (0..<40).map { record($0) }[...]
      for record in records {
        let index = try #require(next.firstIndex(of: record))
        next = next[(index + 1)...]
      }
      #expect(records.count + Int(outbox.lost) == 40)
      if records.count < 40 {
        #expect(notes.count == 1 && notes[0].contains("\(40 - records.count) records were damaged"))
        #expect(
          try FileManager.default.contentsOfDirectory(atPath: folder.path + "/spill")
            == ["\(name).damaged"])
      }
    }
  }
}
