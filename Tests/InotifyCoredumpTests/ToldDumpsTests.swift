import Foundation
import Linux
import TestSupport
import Testing

@testable import inotify_coredump

struct ToldDumpsTests {
  private func parsed(_ bytes: [UInt8]) throws(ToldDumps.ParseError) -> ToldDumps {
    try ToldDumps(parsing: bytes.span)
  }

  @Test func whatIsWrittenIsRead() throws {
    var told = ToldDumps()
    #expect(try parsed(told.encoded) == told)
    told.cursor = [UInt8]("s=de3e;i=168;b=4390;m=1123;t=660c;x=c4f7".utf8)
    for time in 1...300 { told.insert(.at(UInt64(time) * 1_000_000, pid: UInt32(time))) }
    #expect(try parsed(told.encoded) == told)
    #expect(told.encoded.count < 32_768)
  }

  @Test func theFileIsAsTabled() throws {
    var told = ToldDumps()
    told.cursor = [UInt8]("s=1;i=2".utf8)
    told.insert(.at(1_795_228_999_000_000, pid: 4711))
    #expect(
      String(decoding: told.encoded, as: UTF8.self) == """
        inotify-coredump state 1
        watermark 0
        cursor s=1;i=2
        told 43908254-216b-467b-8145-3543fe292e1a 4711 1795228999000000

        """)
  }

  @Test func theOldestMakeRoomAndTheirTimeCoversThem() {
    var told = ToldDumps()
    for time in 1...256 { told.insert(.at(UInt64(time), pid: 9)) }
    #expect(told.watermark == 0 && told.contains(.at(1, pid: 9)))
    told.insert(.at(1000))
    #expect(told.watermark == 1 && told.told.count == 256)
    #expect(!told.contains(.at(1, pid: 9)) && told.covers(.at(1, pid: 9)))
    #expect(told.covers(.at(2, pid: 9)) && !told.covers(.at(2, pid: 8)))
    #expect(!told.covers(.at(1001)))
  }

  @Test func oneDumpIsRememberedOnce() {
    var told = ToldDumps()
    told.insert(.at(1))
    told.insert(.at(1))
    #expect(told.told.count == 1)
  }

  @Test func sameTimeAndProcessOfAnotherBootIsAnotherDump() {
    var told = ToldDumps()
    told.insert(.at(1))
    var other = CoreDumpKey.at(1)
    other.boot.low += 1
    #expect(!told.contains(other))
  }

  @Test(arguments: [
    "", "x", "inotify-coredump state 2\n", "inotify-coredump state 1",
    "inotify-coredump state 1\nwatermark \n", "inotify-coredump state 1\nwatermark 1x\n",
    "inotify-coredump state 1\ntold 1\n", "inotify-coredump state 1\n\n",
    "inotify-coredump state 1\ntold 43908254-216b-467b-8145-3543fe292e1a 4711\n",
    "inotify-coredump state 1\ntold 43908254-216b-467b-8145-3543fe292e1g 1 2\n",
    "inotify-coredump state 1\ncursor a\0b\n",
  ])
  func damageIsRejected(_ text: String) {
    #expect(throws: ToldDumps.ParseError.self) { try parsed(Array(text.utf8)) }
  }

  @Test func everyTruncationWithinALineIsRejected() throws {
    var told = ToldDumps()
    told.cursor = [UInt8]("s=1".utf8)
    told.insert(.at(1_795_228_999_000_000))
    let bytes = told.encoded
    for count in 0..<bytes.count where count == 0 || bytes[count - 1] != UInt8(ascii: "\n") {
      #expect(throws: ToldDumps.ParseError.self) {
        try parsed(Array(bytes.prefix(count)))
      }
    }
  }

  @Test func anyBytesAreAStateWithinItsBoundsOrNone() {
    let seed: UInt64 = 20_261_121
    var random = SeededNumbers(seed: seed)
    var told = ToldDumps()
    told.cursor = [UInt8]("s=1;i=2".utf8)
    for time in 1...5 { told.insert(.at(UInt64(time) * 1_000_000)) }
    for _ in 0..<20_000 {
      let bytes = random.mutated(told.encoded)
      guard let read = try? parsed(bytes) else { continue }
      #expect(read.told.count <= 6, "seed \(seed)")
      #expect((try? parsed(read.encoded)) == read, "seed \(seed)")
    }
  }

  @Test func theFileIsReplacedAsAWhole() throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "state-\(UInt32.random(in: 0...UInt32.max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = StateFile(path: Text(folder.path() + "/state"))
    #expect(try file.load() == nil)
    var told = ToldDumps()
    try file.save(told)
    told.insert(.at(1))
    try file.save(told)
    let left = try #require(try file.load())
    #expect(left.told == told)
    #expect(abs(Double(left.time) / 1e6 - Date().timeIntervalSince1970) < 5)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path()) == ["state"])
    try Data("garbage".utf8).write(to: folder.appending(path: "state"))
    #expect(throws: SystemError.self) { try file.load() }
    #expect(throws: SystemError.self) {
      try StateFile(path: Text(folder.path() + "/no/state")).save(told)
    }
  }

  @Test func theFolderOfAPath() {
    #expect(StateFile.parent(of: "/a/b") == "/a")
    #expect(StateFile.parent(of: "/a") == "/")
    #expect(StateFile.parent(of: "a") == ".")
    #expect(StateFile.parent(of: "a/b/c") == "a/b")
  }
}
