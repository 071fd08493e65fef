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
    let outbox = try Outbox(byteCount: 1 << 20)
    outbox.memory.head.nextArrival = arrival
    for number in numbers {
      outbox.append(record(number), 200, origin: 5, number % 4 == 0 ? .event : .sample)
    }
    return outbox
  }

  private func spill(_ folder: Folder, limit: UInt64 = 1 << 20) throws -> Spill {
    try patiently { try Spill(Text(folder.path + "/spill"), limit: limit) }
  }

  private func write(
    _ spill: inout Spill, _ outbox: Outbox, _ stamp: BootStamp = OutboxFileTests.stamp(),
    _ room: Spill.Room = .left
  ) throws -> Int {
    var buffer = [UInt8](repeating: 0, count: 8192)
    let (count, error) = try spill.write(outbox, stamp, &buffer, room)
    #expect(error == nil)
    return count
  }

  /// Brings everything back and acknowledges it, a few at a time.
  private func drain(
    _ spill: inout Spill, _ outbox: Outbox, upTo limit: Int = .max
  ) throws -> (records: [[UInt8]], stamps: Set<[UInt8]>, notes: [String]) {
    var (records, stamps, notes): ([[UInt8]], Set<[UInt8]>, [String]) = ([], [], [])
    var buffer = [UInt8](repeating: 0, count: 8192)
    while records.count < limit {
      var said: [Text] = []
      spill.refill(outbox, limit: 7, &said)
      notes += said.map(\.string)
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
    let outbox = try outbox(0..<100)
    #expect(try write(&spill, outbox) == 100)
    #expect(outbox.count == 0)
    #expect(spill.count == 100)
    for number in 100..<140 { outbox.append(record(number), 200, origin: 5, .sample) }
    #expect(try write(&spill, outbox) == 40)
    let (records, stamps, notes) = try drain(&spill, outbox)
    #expect(records == (0..<140).map { record($0) })
    #expect(stamps.map { BootStamp(decoding: $0.span) } == [OutboxFileTests.stamp()])
    #expect(notes.isEmpty)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/spill") == [])
    #expect(spill.count == 0 && spill.byteCount == 0)
  }

  @Test func anotherBridgeFindsItAndGoesOnBehindWhatCameBack() throws {
    let folder = try Folder()
    let kept = try outbox(0..<100)
    do {
      var spill = try spill(folder)
      _ = try write(&spill, kept)
      #expect(try drain(&spill, kept, upTo: 30).records.count == 30)
    }
    // Six more had come back and wait in the outbox.
    #expect(kept.count(.spilled) == 6)
    var spill = try spill(folder)
    #expect(spill.lastArrival == 100)
    #expect(try drain(&spill, kept).records == (30..<100).map { record($0) })
  }

  /// Room for about 190 records of 224 bytes, in segments of 24.
  private static let smallLimit: UInt64 = 45_000

  @Test func whatHasNoRoomOnDiskStaysInTheOutbox() throws {
    let folder = try Folder()
    var spill = try spill(folder, limit: Self.smallLimit)
    let outbox = try outbox(0..<300)
    let written = try write(&spill, outbox)
    #expect(written > 150 && written < 300)
    #expect(spill.byteCount <= Self.smallLimit)
    #expect(outbox.count == 300 - written && outbox.lost == 0)
    // Again: nothing has changed.
    #expect(try write(&spill, outbox) == 0)
    var found = try drain(&spill, outbox).records.map { Array($0.suffix(144)) }
    found += OutboxFileTests.takeAll(outbox).map { Array($0.suffix(144)) }
    #expect(Set(found) == Set((0..<300).map { Array(record($0).suffix(144)) }))
  }

  @Test func theOldestSamplesMakeRoomWhenTheOutboxIsFull() throws {
    let folder = try Folder()
    var spill = try spill(folder, limit: Self.smallLimit)
    let first = try outbox(0..<240)
    _ = try write(&spill, first)
    let left = first.count
    // 240 of 256 slots.
    let full = try Outbox(byteCount: 1 << 16)
    full.memory.head.nextArrival = 1000
    for number in 1000..<1240 {
      full.append(record(number), 200, origin: 5, number % 4 == 0 ? .event : .sample)
    }
    #expect(try write(&spill, full, OutboxFileTests.stamp(), .left) == 0)
    #expect(full.lost == 0)
    let written = try write(&spill, full, OutboxFileTests.stamp(), .made)
    // Enough that the outbox is no longer full, and no more than that.
    #expect(written > 0 && full.usedPercent < Spill.fullPercent && full.usedPercent > 60)
    #expect(full.lost > 0 && spill.byteCount <= Self.smallLimit)
    #expect(240 - left + 240 == Int(spill.count) + full.count + Int(full.lost))
    // All 60 events of the first are there.
    let came = Set(try drain(&spill, full).records)
    #expect((0..<240).filter { $0 % 4 == 0 }.allSatisfy { came.contains(record($0)) })
  }

  @Test func eventsMakeRoomForThemselvesAtTheEnd() throws {
    let folder = try Folder()
    var spill = try spill(folder, limit: Self.smallLimit)
    let first = try outbox(0..<240)
    _ = try write(&spill, first)
    let last = try outbox(400..<440, from: 1000)
    _ = try write(&spill, last, OutboxFileTests.stamp(), .forEvents)
    #expect(last.count(.events) == 0 && last.lost > 0 && last.lost <= 24)
  }

  @Test func anotherOutboxesSegmentsAreNotTakenForOnesThatCameBack() throws {
    let folder = try Folder()
    var (notes, buffer): ([Text], [UInt8]) = ([], [UInt8](repeating: 0, count: 8192))
    func open(_ name: String, _ seconds: Int64) throws -> Outbox {
      var stamp = OutboxFileTests.stamp()
      stamp.clock.realTimeNanoseconds = seconds * 1_000_000_000
      return try patientlyOpen(
        Outbox.Place(
          path: Text(folder.path + name), byteCount: 1 << 16, messageSize: 1024, stamp: stamp),
        &notes)
    }
    do {
      // It spills, and has it back.
      var spill = try spill(folder)
      let outbox = try open("/first", 100)
      for number in 0..<50 { outbox.append(record(number), 200, origin: 5, .sample) }
      _ = try write(&spill, outbox)
      #expect(try drain(&spill, outbox).records.count == 50)
    }
    do {
      // Another one, such as one in memory alone, spills.
      var spill = try spill(folder)
      let outbox = try open("/second", 200)
      for number in 0..<20 { outbox.append(record(number), 200, origin: 5, .sample) }
      _ = try spill.write(outbox, OutboxFileTests.stamp(), &buffer, .left)
    }
    var spill = try spill(folder)
    let outbox = try open("/first", 300)
    #expect(try drain(&spill, outbox).records == (0..<20).map { record($0) })
    #expect(notes.isEmpty)
  }

  @Test func aSegmentThatCannotBeReadIsCountedAndDoesNotBlockTheOthers() throws {
    let folder = try Folder()
    var spill = try spill(folder)
    let outbox = try outbox(0..<40)
    _ = try write(&spill, outbox)
    let events = try #require(spill.segments.first { $0.list == .events })
    try FileManager.default.removeItem(
      atPath: folder.path + "/spill/" + events.name.string)
    let (records, _, notes) = try drain(&spill, outbox)
    #expect(records == (0..<40).filter { $0 % 4 != 0 }.map { record($0) })
    #expect(outbox.lost == 10)
    #expect(notes.count == 1 && notes[0].contains("No such file or directory"))
  }

  @Test func aDamagedStampIsNotTakenForABoot() throws {
    let folder = try Folder()
    var spill = try spill(folder)
    let outbox = try outbox(1..<4)
    _ = try write(&spill, outbox)
    let file = URL(filePath: folder.path + "/spill/" + spill.segments[0].name.string)
    var bytes = try Data(contentsOf: file)
    bytes[12] ^= 4
    try bytes.write(to: file)
    let (records, stamps, notes) = try drain(&spill, outbox)
    #expect(records.count == 3 && notes.count == 1)
    #expect(stamps.allSatisfy { BootStamp(decoding: $0.span).isDamaged })
  }

  @Test func aFolderThatOthersMayWriteIsNotUsed() throws {
    let folder = try Folder()
    mkdir(folder.path + "/spill", 0o777)
    chmod(folder.path + "/spill", 0o777)
    #expect {
      _ = try spill(folder)
    } throws: {
      ($0 as? SystemError)?.errno == EACCES
    }
  }

  @Test func aSecondBridgeIsRefused() throws {
    let folder = try Folder()
    var first = try spill(folder)
    let outbox = try outbox(0..<3)
    _ = try write(&first, outbox)
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
    let outbox = try outbox(0..<8)
    _ = try write(&spill, outbox)
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
    "samples-00000000000000000001-09999999999999999999-1.spill",
    "samples-00000000000000000001-00000000000000000002-9999999999.spill",
  ])
  func aForeignNameIsNoSegment(_ name: String) {
    #expect(SpillSegment(name: Array(name.utf8).span) == nil)
  }

  @Test func aNameIsReadBackAsTheSame() throws {
    let segment = SpillSegment(.events, first: 17, last: 1 << 61, count: 340)
    #expect(
      segment.name == "events-00000000000000000017-02305843009213693952-340.spill")
    #expect(SpillSegment(name: segment.name.bytes.span) == segment)
  }

  /// Torn, cut, flipped, foreign: what is whole comes back in order, the rest is counted and set
  /// aside with one line.
  @Test func whateverIsDamagedTheRestComesBack() throws {
    var random = SeededNumbers(seed: 7)
    for round in 0..<300 {
      let folder = try Folder()
      var spill = try spill(folder)
      let outbox = try Outbox(byteCount: 1 << 20)
      for number in 0..<40 { outbox.append(record(number), 200, origin: 5, .sample) }
      _ = try write(&spill, outbox)
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
      let (records, _, notes) = try drain(&spill, outbox)
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
