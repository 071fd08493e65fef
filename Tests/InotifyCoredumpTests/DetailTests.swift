import CLinux
import Foundation
import Records
import TestSupport
import Testing

@testable import inotify_coredump

struct DetailTests {
  /// A dump with the attributes of a fixture.
  private func dump(_ fixture: String) throws -> CoreDump {
    var dump = CoreDump()
    for line in try Fixture.lines(fixture) {
      let parts = line.split(separator: UInt8(ascii: "="), maxSplits: 1)
      let name = String(decoding: parts[0], as: UTF8.self)
      let detail = try #require(
        Detail.allCases.first { $0.attribute.map { "\($0)" } == name }, "\(name)")
      dump.set(detail, Array(parts[1].dropFirst().dropLast()).span)
    }
    return dump
  }

  @Test func attributesOfSystemd252() throws {
    let dump = try dump("attributes")
    #expect(dump.uid == 0 && dump.gid == 0 && dump.signal == 11)
    #expect(dump.signalName == .segmentation)
    #expect(dump.comm.string == "sh" && dump.executable.string == "/usr/bin/dash")
    #expect(dump.hostname.string == "vm")
  }

  @Test func aLimitOfTwoToThe63AndMoreIsNone() throws {
    #expect(try dump("attributes").coreLimitBytes == nil)
    var dump = CoreDump()
    for (text, limit) in [
      ("18446744073709551615", nil), ("9223372036854775807", UInt64(Int64.max)), ("0", 0),
      ("x", nil),
    ] {
      dump.set(.coreLimit, [UInt8](text.utf8).span)
      #expect(dump.coreLimitBytes == limit)
    }
  }

  @Test func attributesOfSystemd229() throws {
    let dump = try dump("attributes-229")
    #expect(dump.uid == 1000 && dump.gid == 1000 && dump.signalName == .abort)
    #expect(dump.hostname.isEmpty)
  }

  @Test func aValueThatIsNoneLeavesWhatWasKnown() {
    var dump = CoreDump()
    dump.uid = 7
    for text in ["", "-1", "4294967296", "7 ", "\0"] { dump.set(.uid, [UInt8](text.utf8).span) }
    #expect(dump.uid == 7)
    dump.set(.signal, [UInt8]("256".utf8).span)
    #expect(dump.signal == nil && dump.signalName == .unknown)
    dump.set(.signal, [UInt8]("64".utf8).span)
    #expect(dump.signal == 64 && dump.signalName == .unknown)
  }

  @Test func theKeyIsNeverTakenFromADetail() {
    var dump = CoreDump()
    dump.setKey(.at(5_000_000, pid: 3))
    dump.set(.pid, [UInt8]("4".utf8).span)
    dump.set(.timestamp, [UInt8]("9".utf8).span)
    #expect(dump.pid == 3 && dump.crashTimeMicroseconds == 5_000_000)
  }

  @Test func anyValueOfAnyDetailIsTaken() {
    var random = SeededNumbers(seed: 7)
    var dump = CoreDump()
    for _ in 0..<20_000 {
      let value = (0..<Int.random(in: 0...600, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
      dump.set(Detail.allCases.randomElement(using: &random)!, value.span)
    }
    #expect(dump.executable.count <= 240 && dump.commandLine.count <= 240)
  }

  /// Not in memory: file systems there have no such attributes on older kernels.
  private static let folder = FileManager.default.temporaryDirectory.path()

  @Test func aFileTellsItsAttributesAndSizes() throws {
    let path = Self.folder + "/core-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    let file = clinux_open(path, O_RDWR | O_CREAT | O_EXCL, 0o640)
    defer {
      close(file)
      unlink(path)
    }
    try #require(file >= 0)
    #expect(ftruncate(file, 1 << 20) == 0)
    for line in try Fixture.lines("attributes") {
      let parts = line.split(separator: UInt8(ascii: "="), maxSplits: 1)
      let value = Array(parts[1].dropFirst().dropLast())
      let name = String(decoding: parts[0], as: UTF8.self)
      #expect(fsetxattr(file, name, value, value.count, 0) == 0)
    }
    var dump = CoreDump()
    let found = CoreDumpFile.look(at: Array(path.utf8) + [0], &dump)
    #expect(found == .file(size: 1 << 20, isDescribed: true))
    #expect(dump.fileSizeBytes == UInt64(1 << 20))
    // All of it is a hole.
    #expect(dump.fileDiskBytes! < 1 << 20)
    #expect(dump.storage == .file && dump.signal == 11)
  }

  @Test func whatIsNoRegularFileIsNoDump() {
    var dump = CoreDump()
    for path in [Self.folder, "/dev/null", "/proc/self/exe"] {
      #expect(CoreDumpFile.look(at: Array(path.utf8) + [0], &dump) == .other)
    }
    for path in ["/no/such/file", "/dev/null/core"] {
      #expect(CoreDumpFile.look(at: Array(path.utf8) + [0], &dump) == .missing)
    }
    #expect(dump.storage == .none)
  }
}
