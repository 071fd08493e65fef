import CLinux
import Foundation
import Linux
import Records
import TestSupport
import Testing

@testable import posix_mq_to_mqtt_bridge

/// What an outbox in a file owes the next bridge.
struct OutboxFileTests {
  /// A folder that goes with the test.
  final class Folder {
    let path = NSTemporaryDirectory() + "st-outbox-\(UUID().uuidString)"

    init() throws {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var outbox: String { path + "/outbox" }
    var names: [String] {
      get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }
  }

  static func stamp(_ boot: StaticString = "11111111-2222-3333-4444-555555555555") -> BootStamp {
    var stamp = BootStamp()
    stamp.bootID = FixedText(boot)
    stamp.clock = ClockReading(
      bootTimeNanoseconds: 1000, realTimeNanoseconds: 2000, synchronized: true)
    return stamp
  }

  private func open(
    _ folder: Folder, _ stamp: BootStamp = Self.stamp(), size: Int = 1 << 16
  ) throws -> (outbox: [[UInt8]], notes: [String]) {
    var notes: [Text] = []
    let outbox = try patientlyOpen(
      Outbox.Place(
        path: Text(folder.outbox), byteCount: size, messageSize: 1024, stamp: stamp), &notes)
    return (Self.takeAll(outbox), notes.map(\.string))
  }

  /// Opens the file, does this, and goes without a word, as at a SIGKILL.
  private func use(
    _ folder: Folder, size: Int = 1 << 16, anyNotes: Bool = false,
    _ body: (Outbox) throws -> Void
  ) throws {
    var notes: [Text] = []
    let outbox = try patientlyOpen(
      Outbox.Place(
        path: Text(folder.outbox), byteCount: size, messageSize: 1024, stamp: Self.stamp()),
      &notes)
    #expect(anyNotes || notes.isEmpty)
    try body(outbox)
  }

  static func record(_ number: Int, length: Int = 144) -> [UInt8] {
    (0..<length).map { UInt8(truncatingIfNeeded: number &* 31 &+ $0) }
  }

  static func takeAll(_ outbox: Outbox) -> [[UInt8]] {
    var buffer = [UInt8](repeating: 0, count: 8192)
    var taken: [[UInt8]] = []
    while let entry = outbox.take(into: &buffer) { taken.append(Array(buffer[..<entry.length])) }
    return taken
  }

  @Test func whatWaitsIsThereAgainInItsOrder() throws {
    let folder = try Folder()
    try use(folder) {
      for number in 0..<20 {
        $0.append(
          Self.record(number, length: 100 + 50 * number), 100 + 50 * number, origin: 3,
          number % 3 == 0 ? .event : .sample)
      }
      var buffer = [UInt8](repeating: 0, count: 2048)
      // In flight: it comes again. Acknowledged: it does not.
      let first = $0.take(into: &buffer)
      _ = $0.take(into: &buffer)
      $0.acknowledge(try #require(first).ticket)
    }
    let (found, notes) = try open(folder)
    #expect(found == (1..<20).map { Self.record($0, length: 100 + 50 * $0) })
    #expect(notes.isEmpty)
  }

  @Test func aLossIsCountedOverTheRestart() throws {
    let folder = try Folder()
    try use(folder, size: 2048) {
      for number in 0..<11 { $0.append(Self.record(number), 144, origin: 0, .sample) }
      #expect($0.lost == 3)
    }
    try use(folder, size: 2048) {
      #expect($0.lost == 3)
      #expect($0.count == 8)
    }
  }

  @Test func aMessageThatWasOnlyReceivedIsAppendedAndOneThatWasAppendedIsNot() throws {
    for isAppended in [false, true] {
      let folder = try Folder()
      var (header, body, bytes) = (RecordHeader(instance: 7), SystemInformation(), [UInt8]())
      header.encode(&body, into: &bytes)
      try use(folder) { outbox in
        var buffer = [UInt8](repeating: 0, count: 2048)
        let count = outbox.memory.receive(from: 2, into: &buffer) { span -> Int? in
          for index in bytes.indices {
            span.storeBytes(of: bytes[index], toByteOffset: index, as: UInt8.self)
          }
          return bytes.count
        }
        #expect(count == bytes.count)
        if isAppended { outbox.append(buffer, bytes.count, origin: 2, .sample) }
      }
      #expect(try open(folder).outbox == [bytes])
    }
  }

  @Test func aDamagedRecordIsCountedAsLost() throws {
    let folder = try Folder()
    try use(folder) {
      for number in 0..<5 { $0.append(Self.record(number), 144, origin: 3, .sample) }
    }
    let file = URL(filePath: folder.outbox)
    var bytes = try Data(contentsOf: file)
    bytes[8192 + 256 + 100] ^= 1
    try bytes.write(to: file)
    chmod(folder.outbox, 0o600)
    try use(folder, anyNotes: true) {
      #expect($0.count == 4)
      #expect($0.lost == 1)
    }
  }

  @Test func whatAProgramSaidOfItselfIsKeptAndMovesAlong() throws {
    let folder = try Folder()
    var (header, body) = (
      RecordHeader(instance: 7), SourceState(.unavailable, reason: Array("no PSI".utf8).span)
    )
    var bytes: [UInt8] = []
    header.encode(&body, into: &bytes)
    try use(folder) { $0.keepState(bytes, bytes.count, origin: 3) }
    try use(folder) {
      #expect($0.memory.keptState(of: 3) == bytes)
      #expect($0.memory.keptState(of: 2) == [])
      // A sample is none.
      $0.keepState(Self.record(1), 144, origin: 2)
      #expect($0.memory.keptState(of: 2) == [])
    }
    try use(folder, size: 1 << 15) { #expect($0.memory.keptState(of: 3) == bytes) }
    // Another boot: who knows.
    _ = try open(folder, Self.stamp("99999999-2222-3333-4444-555555555555"), size: 1 << 15)
    try use(folder, size: 1 << 15, anyNotes: true) { #expect($0.memory.keptState(of: 3) == []) }
  }

  @Test func aDamagedStampOfAFileInMemoryIsOfThisBoot() throws {
    let folder = try Folder()
    try use(folder) { $0.append(Self.record(1), 144, origin: 0, .sample) }
    let file = URL(filePath: folder.outbox)
    var bytes = try Data(contentsOf: file)
    let place = try #require(bytes.range(of: Data("11111111-2222".utf8)))
    bytes[place.lowerBound] ^= 1
    try bytes.write(to: file)
    chmod(folder.outbox, 0o600)
    #expect(try open(folder).outbox == [Self.record(1)])
  }

  @Test func aSecondBridgeIsRefused() throws {
    let folder = try Folder()
    try use(folder) { _ in
      #expect {
        _ = try open(folder)
      } throws: {
        ($0 as? SystemError)?.errno == EWOULDBLOCK
      }
    }
  }

  @Test func recordsOfAnEarlierBootKeepTheirStamp() throws {
    let folder = try Folder()
    try use(folder) { $0.append(Self.record(1), 144, origin: 0, .sample) }
    let (found, notes) = try open(folder, Self.stamp("99999999-2222-3333-4444-555555555555"))
    #expect(notes.isEmpty)
    let record = try #require(found.first)
    #expect(BootStamp(decoding: record.span) == Self.stamp())
    #expect(Array(record[BootStamp.encodedSize...]) == Self.record(1))
  }

  @Test func anotherSizeTakesOverWhatFits() throws {
    let folder = try Folder()
    try use(folder, size: 1 << 16) {
      for number in 0..<20 { $0.append(Self.record(number), 144, origin: 0, .sample) }
    }
    let (found, notes) = try open(folder, size: 16 * Outbox.slotSize)
    #expect(found == (4..<20).map { Self.record($0) })
    #expect(notes.isEmpty)
    #expect(try folder.names == ["outbox"])
  }

  @Test(arguments: [0, 1, 100, 4095, 4096, 8192, 40_000])
  func aForeignOrTornFileIsSetAsideAndANewOneBegun(_ length: Int) throws {
    let folder = try Folder()
    try use(folder) { $0.append(Self.record(1), 144, origin: 0, .sample) }
    let bytes = try Data(contentsOf: URL(filePath: folder.outbox)).prefix(length)
    try bytes.write(to: URL(filePath: folder.outbox))
    chmod(folder.outbox, 0o600)
    let (found, notes) = try open(folder)
    if length == 40_000 {
      // Only what was never used is gone.
      #expect(found == [Self.record(1)] && notes.isEmpty)
      return
    }
    #expect(found.isEmpty)
    if length == 0 {
      #expect(notes.isEmpty)
    } else {
      #expect(notes.count == 1 && notes[0].hasSuffix("set aside as \(folder.outbox).damaged"))
      #expect(try folder.names == ["outbox", "outbox.damaged"])
    }
  }

  @Test func aFileThatOthersMayWriteIsNotUsed() throws {
    let folder = try Folder()
    try use(folder) { $0.append(Self.record(1), 144, origin: 0, .sample) }
    chmod(folder.outbox, 0o666)
    let (found, notes) = try open(folder)
    #expect(found.isEmpty)
    #expect(notes.count == 1 && notes[0].contains("in memory alone"))
  }

  @Test func aMissingFolderMeansMemoryAlone() throws {
    var notes: [Text] = []
    _ = try patientlyOpen(
      Outbox.Place(
        path: "/nonexistent/outbox", byteCount: 4096, messageSize: 1024, stamp: Self.stamp()),
      &notes)
    #expect(notes.count == 1)
    #expect(notes[0].contains("open /nonexistent/outbox: No such file or directory"))
  }

  /// Flipped bits anywhere: every record that comes out is one that went in, in order, no crash.
  @Test func whateverIsDamagedOnlyWholeRecordsComeOut() throws {
    var random = SeededNumbers(seed: 20_261_121)
    let folder = try Folder()
    try use(folder) {
      for number in 0..<40 {
        $0.append(
          Self.record(number, length: 80 + 17 * number), 80 + 17 * number, origin: 3,
          number % 3 == 0 ? .event : .sample)
      }
    }
    let whole = try Data(contentsOf: URL(filePath: folder.outbox))
    let expected = (0..<40).map { Self.record($0, length: 80 + 17 * $0) }
    var damaged = 0
    for _ in 0..<600 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] ^=
          1 << UInt8.random(in: 0...7, using: &random)
      }
      try bytes.write(to: URL(filePath: folder.outbox))
      chmod(folder.outbox, 0o600)
      let (found, notes) = try open(folder)
      var next = expected[...]
      for record in found {
        // A flip in the stamp makes them records of an earlier boot, the stamp before them.
        let bare =
          next.contains(record) ? record : Array(record.dropFirst(BootStamp.encodedSize))
        let index = try #require(next.firstIndex(of: bare))
        next = next[(index + 1)...]
      }
      if found.count < 40 {
        damaged += 1
        #expect(notes.count == 1)
      }
      // Whatever stood there, the next bridges can use it.
      for _ in 0..<2 {
        try use(folder, anyNotes: true) {
          #expect($0.lost >= 0 && $0.memory.head.nextArrival > $0.memory.head.spillProgress)
          let count = $0.count
          $0.append(Self.record(1), 144, origin: 3, .sample)
          #expect($0.count == count + 1)
        }
      }
    }
    #expect(damaged > 100)
  }
}

/// Another test may start a process at this moment, which holds open what this process does until
/// execve(2): for so long a lock seems to be somebody else's.
func patiently<Result: ~Copyable>(_ open: () throws -> Result) throws -> Result {
  for _ in 0..<100 {
    do { return try open() } catch let error as SystemError where error.errno == EWOULDBLOCK {
      usleep(5000)
    }
  }
  return try open()
}

func patientlyOpen(_ place: Outbox.Place, _ notes: inout [Text]) throws -> Outbox {
  try patiently { try Outbox.open(place, &notes) }
}
