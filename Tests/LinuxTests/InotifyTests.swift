import CLinux
import Foundation
import Linux
import TestSupport
import Testing

struct InotifyTests {
  /// struct inotify_event in this machine's order; `length` only where it is not the name's.
  private func event(
    watch: Int32 = 1, mask: UInt32 = 0x80, cookie: UInt32 = 0, name: [UInt8], length: UInt32? = nil
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    for word in [UInt32(bitPattern: watch), mask, cookie, length ?? UInt32(name.count)] {
      withUnsafeBytes(of: word) { bytes += $0 }
    }
    return bytes + name
  }

  private func parsed(_ bytes: [UInt8], at offset: Int = 0) -> InotifyEvent? {
    InotifyEvent(parsing: bytes.span, at: offset)
  }

  @Test func anEventIsReadWithItsNameWithoutThePadding() throws {
    let bytes = event(watch: 7, mask: 0x4000_0100, cookie: 99, name: Array("core.a".utf8) + [0, 0])
    let event = try #require(parsed(bytes, at: 100))
    #expect(event.watch == 7)
    #expect(event.mask == [.created, .isFolder])
    #expect(event.cookie == 99)
    #expect(event.name == 116..<122)
    #expect(event.end == 124)
  }

  @Test func aNameNeedsNoNulAndMayBeMissing() throws {
    let full = try #require(parsed(event(name: [65, 66])))
    #expect(full.name == 16..<18)
    let none = try #require(parsed(event(watch: -1, mask: 0x4000, name: [])))
    #expect(none.name.isEmpty && none.end == 16)
    #expect(none.mask.contains(.overflow) && none.watch == -1)
  }

  @Test func everyTruncationIsRejected() {
    let bytes = event(name: Array("core".utf8) + [0])
    for count in 0..<bytes.count {
      #expect(parsed(Array(bytes.prefix(count))) == nil)
    }
  }

  @Test func aLengthBeyondTheBytesIsRejected() {
    for length: UInt32 in [6, 0x7FFF_FFFF, 0x8000_0000, .max] {
      #expect(parsed(event(name: [1, 2, 3, 4, 5], length: length)) == nil)
    }
  }

  @Test func anyBytesAreAnEventWithinThemOrNone() {
    let seed: UInt64 = 20_261_121
    var random = SeededNumbers(seed: seed)
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random) & UInt8.random(in: 0...255, using: &random)
      }
      guard let event = parsed(bytes) else { continue }
      #expect(event.end <= bytes.count, "seed \(seed)")
      #expect(event.name.upperBound <= event.end, "seed \(seed)")
    }
  }

  @Test func theKernelTellsOfARenameWithOneCookie() throws {
    let folder = try Folder()
    var inotify = try Inotify()
    let watch = try inotify.addWatch(
      Text(folder.path), [.created, .movedFrom, .movedTo, .onlyFolder])
    #expect(try inotify.next() == nil)
    let file = clinux_open(folder.path + "/a", O_WRONLY | O_CREAT, 0o600)
    #expect(file >= 0 && close(file) == 0)
    #expect(rename(folder.path + "/a", folder.path + "/bcd") == 0)
    var seen: [(InotifyEvent, String)] = []
    while let event = try inotify.next() {
      seen.append((event, String(decoding: inotify.bytes[event.name], as: UTF8.self)))
    }
    #expect(seen.map(\.1) == ["a", "a", "bcd"])
    #expect(seen.map(\.0.mask) == [.created, .movedFrom, .movedTo])
    #expect(seen.allSatisfy { $0.0.watch == watch })
    #expect(seen[1].0.cookie == seen[2].0.cookie && seen[1].0.cookie != 0)
  }

  @Test func aRemovedWatchSaysSoOnce() throws {
    let folder = try Folder()
    var inotify = try Inotify()
    let watch = try inotify.addWatch(Text(folder.path), .created)
    inotify.removeWatch(watch)
    inotify.removeWatch(watch)
    #expect(try inotify.next()?.mask == .ignored)
    #expect(try inotify.next() == nil)
  }

  @Test func whatCannotBeWatchedIsNamed() throws {
    let folder = try Folder()
    let inotify = try Inotify()
    let missing = folder.path + "/missing"
    #expect {
      _ = try inotify.addWatch(Text(missing), .created)
    } throws: {
      let error = $0 as? SystemError
      return error?.errno == ENOENT && error?.subject == Text(missing)
    }
  }

  private final class Folder {
    let path: String

    init() throws {
      path =
        FileManager.default.temporaryDirectory
        .appending(path: "inotify-\(getpid())-\(UInt32.random(in: 0...UInt32.max))").path()
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
  }
}
