import CLinux
import Foundation
import Linux
import Records
import TestSupport
import Testing

@testable import inotify_pacct

/// What becomes of a followed file, without any accounting: the files are written by the tests.
struct FileTests {
  private let folder: Folder

  init() throws {
    folder = try Folder()
  }

  /// Reads on as the program does; the process ids of what is new.
  private func read(_ source: AccountingSource) throws -> [UInt32] {
    var ids: [UInt32] = []
    while true {
      while source.backlog.hasRecord {
        let next = source.backlog.next
        let record = Array(source.backlog.buffer[next..<(next + 64)])
        if let exit = try? ProcessExit(parsing: record.span) { ids.append(exit.processID) }
        source.backlog.consume()
      }
      switch try source.backlog.refill() {
      case .records: continue
      case .replaced: source.fileWasReplaced()
      case .end: if try !source.endWasReached() { return ids }
      }
    }
  }

  private func follow(
    _ kept: Position? = nil, fromStart: Bool = true
  ) throws -> FollowedFile {
    let source = try FollowedFile(Text(folder.path("pacct")))
    try source.open(kept, fromStart: fromStart)
    return source
  }

  private func states(_ source: AccountingSource) -> [AccountingState.State] {
    var news = source.news
    var states: [AccountingState.State] = []
    while let state = news.first {
      states.append(state)
      news.removeFirst()
    }
    return states
  }

  private func position(_ source: AccountingSource) throws -> Position {
    source.backlog.settle()
    let file = source.backlog.first
    return try #require(file).position
  }

  @Test func theFirstStartBeginsAtTheEnd() throws {
    folder.write(records(1...5), to: "pacct")
    let source = try follow(fromStart: false)
    #expect(try read(source) == [])
    try folder.append(records(6...7), to: "pacct")
    #expect(try read(source) == [6, 7])
    #expect(states(source) == [])
  }

  @Test func aRecordIsReadWhenItIsWhole() throws {
    folder.write(records(1...2) + record(3)[..<40], to: "pacct")
    let source = try follow()
    #expect(try read(source) == [1, 2])
    try folder.append(Array(record(3)[40...]), to: "pacct")
    #expect(try read(source) == [3])
  }

  @Test func manyReadsSeeEveryRecordOnce() throws {
    folder.write(records(1...5000), to: "pacct")
    let source = try follow()
    #expect(try read(source) == Array(1...5000))
    #expect(try read(source) == [])
  }

  @Test func aRenamedFileIsReadToItsEndBeforeTheNewOne() throws {
    folder.write(records(1...2), to: "pacct")
    let source = try follow()
    #expect(try read(source) == [1, 2])
    folder.rename("pacct", "pacct.1")
    #expect(try read(source) == [])
    #expect(states(source) == [.missing])
    folder.write([], to: "pacct")
    // The kernel still writes the old one.
    try folder.append(record(3), to: "pacct.1")
    #expect(try read(source) == [3])
    try folder.append(record(4), to: "pacct.1")
    try folder.append(records(5...6), to: "pacct")
    #expect(try read(source) == [4, 5, 6])
    #expect(states(source) == [.missing, .rotated])
  }

  @Test func aRemovedFileIsReadToItsEnd() throws {
    folder.write(records(1...2), to: "pacct")
    let source = try follow()
    folder.remove("pacct")
    #expect(try read(source) == [1, 2])
    folder.write(records(3...4), to: "pacct")
    #expect(try read(source) == [3, 4])
    #expect(states(source) == [.missing, .rotated])
  }

  @Test func aTruncatedFileIsReadFromItsStart() throws {
    folder.write(records(1...10), to: "pacct")
    let source = try follow()
    #expect(try read(source).count == 10)
    folder.truncate("pacct", 0)
    #expect(try read(source) == [])
    #expect(states(source) == [.truncated])
    try folder.append(records(11...12), to: "pacct")
    #expect(try read(source) == [11, 12])
  }

  /// Its length does not show it: other records stand before the offset.
  @Test func aFileThatWasTruncatedAndGrewAgainIsReadFromItsStart() throws {
    folder.write(records(1...3), to: "pacct")
    let source = try follow()
    #expect(try read(source) == [1, 2, 3])
    folder.truncate("pacct", 0)
    try folder.append(records(4...9), to: "pacct")
    #expect(try read(source) == [4, 5, 6, 7, 8, 9])
    #expect(states(source) == [.truncated])
  }

  @Test func theNextStartGoesOnWhereTheLastEnded() throws {
    folder.write(records(1...3), to: "pacct")
    let first = try follow()
    #expect(try read(first) == [1, 2, 3])
    let kept = try position(first)
    try folder.append(records(4...5), to: "pacct")
    let second = try follow(kept)
    #expect(try read(second) == [4, 5])
    #expect(states(second) == [])
  }

  @Test func aPartOfAReadIsKeptToo() throws {
    folder.write(records(1...5), to: "pacct")
    let first = try follow()
    #expect(try first.backlog.refill() == .records)
    first.backlog.consume()
    first.backlog.consume()
    let kept = try position(first)
    #expect(kept.offset == 128)
    #expect(try read(try follow(kept)) == [3, 4, 5])
    // And the first goes on undisturbed.
    #expect(try read(first) == [3, 4, 5])
  }

  @Test func theRestOfAFileThatWasRotatedMeanwhileIsRead() throws {
    folder.write(records(1...3), to: "pacct")
    let first = try follow()
    #expect(try read(first) == [1, 2, 3])
    let kept = try position(first)
    try folder.append(records(4...5), to: "pacct")
    folder.rename("pacct", "pacct.0")
    folder.write(records(6...7), to: "pacct")
    let second = try follow(kept)
    #expect(try read(second) == [4, 5, 6, 7])
    #expect(states(second) == [.rotated])
  }

  @Test func aFileThatIsGoneMeanwhileIsTold() throws {
    folder.write(records(1...3), to: "pacct")
    let kept = Position(device: 1, inode: 1, offset: 64, fingerprint: 5)
    let source = try follow(kept)
    #expect(states(source) == [.lost])
    #expect(try read(source) == [1, 2, 3])
  }

  @Test func aFileThatWasTruncatedMeanwhileIsReadFromItsStart() throws {
    folder.write(records(1...3), to: "pacct")
    let first = try follow()
    #expect(try read(first) == [1, 2, 3])
    let kept = try position(first)
    folder.truncate("pacct", 0)
    try folder.append(record(4), to: "pacct")
    let second = try follow(kept)
    #expect(states(second) == [.truncated])
    #expect(try read(second) == [4])
  }

  @Test(arguments: Fixtures.all) func everyFixtureIsReadToItsEnd(_ name: String) throws {
    folder.write(try Fixtures.bytes(name), to: "pacct")
    let source = try follow()
    _ = try read(source)
    #expect(try position(source).offset == UInt64(Fixtures.bytes(name).count / 64 * 64))
  }

  @Test func whatIsMissingOrNoFileIsAnError() throws {
    #expect(throws: SystemError.self) { _ = try AccountingFile(Text(folder.path("none"))) }
    #expect(throws: SystemError.self) { _ = try AccountingFile(Text(folder.path)) }
    #expect(mkfifo(folder.path("fifo"), 0o600) == 0)
    #expect(throws: SystemError.self) { _ = try AccountingFile(Text(folder.path("fifo"))) }
  }

  @Test func aPositionIsKeptInItsFile() throws {
    let path = folder.path("state")
    let file = PositionFile(Text(path))
    #expect(try file.read() == nil)
    let position = Position(device: 1, inode: 2, offset: 64, fingerprint: 4)
    try file.write(position)
    try file.write(Position(device: 1, inode: 2, offset: 128, fingerprint: 5))
    try file.synchronize()
    #expect(try PositionFile(Text(path)).read()?.offset == 128)
    folder.truncate("state", 20)
    #expect(throws: SystemError.self) { try PositionFile(Text(path)).read() }
  }
}

struct PositionTests {
  private let position = Position(
    device: 0xFE00, inode: UInt64.max, offset: 0x1234_5678_9AC0, fingerprint: 0x0123_4567_89AB_CDEF)

  @Test func whatIsWrittenIsRead() {
    let bytes = position.encode()
    #expect(bytes.count == Position.encodedSize)
    #expect(Position(parsing: bytes.span) == position)
    #expect(
      String(decoding: bytes, as: UTF8.self).hasPrefix(
        "stats-pacct-1 000000000000fe00 ffffffffffffffff 0000123456789ac0 0123456789abcdef "))
  }

  @Test func everyChangedByteIsNoticed() {
    let bytes = position.encode()
    for index in bytes.indices {
      for change in [1, 0x20, 0x80] as [UInt8] {
        var changed = bytes
        changed[index] ^= change
        #expect(Position(parsing: changed.span) == nil, "\(index)")
      }
    }
  }

  @Test func everyOtherLengthIsRefused() {
    let bytes = position.encode()
    for length in 0..<bytes.count {
      #expect(Position(parsing: Array(bytes[..<length]).span) == nil)
    }
    #expect(Position(parsing: (bytes + [10]).span) == nil)
  }
}
