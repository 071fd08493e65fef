import Daemon
import Foundation
import Records
import Linux
import TestSupport
import Testing

@testable import cyclic_file_read

/// Files that are read again and again.
struct ProcFileTests {
  private let log = Log("cyclic-file-read")
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "st-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func write(_ bytes: [UInt8], to name: String) throws -> String {
    let path = folder.appending(path: name).path()
    if let file = FileHandle(forWritingAtPath: path) {
      // In place, as a file of procfs changes.
      try file.truncate(atOffset: 0)
      try file.write(contentsOf: bytes)
      try file.close()
    } else {
      try Data(bytes).write(to: URL(filePath: path))
    }
    return path
  }

  @Test(arguments: [0, 1, 4095, 4096, 4097, 100_000]) func aFileIsReadWhole(_ length: Int) throws {
    let content = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    var file = ProcFile(Text(try write(content, to: "whole")))
    var buffer: [UInt8] = []
    for _ in 0..<3 {
      #expect(file.read(into: &buffer, log) == length)
      #expect(Array(buffer[..<length]) == content)
    }
    try FileManager.default.removeItem(at: folder)
  }

  @Test func aFileThatGrewIsReadWholeAndOneThatShrankIsNoLongerThanItIs() throws {
    var buffer: [UInt8] = []
    var file = ProcFile(Text(try write([1], to: "file")))
    #expect(file.read(into: &buffer, log) == 1)
    _ = try write([UInt8](repeating: 2, count: 9000), to: "file")
    #expect(file.read(into: &buffer, log) == 9000)
    #expect(buffer[8999] == 2)
    _ = try write([3, 4], to: "file")
    #expect(file.read(into: &buffer, log) == 2)
    try FileManager.default.removeItem(at: folder)
  }

  @Test func aFileThatIsNotThereYetIsReadOnceItIs() throws {
    var buffer: [UInt8] = []
    var file = ProcFile(Text(folder.appending(path: "late").path()))
    #expect(file.read(into: &buffer, log) == nil)
    #expect(file.read(into: &buffer, log) == nil)
    _ = try write([7], to: "late")
    #expect(file.read(into: &buffer, log) == 1)
    try FileManager.default.removeItem(at: folder)
  }

  /// Reading on behind an open descriptor is ESRCH then, as ENODEV is for a device.
  @Test func aFileWhoseOwnerIsGoneCannotBeReadAnyMore() throws {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sleep")
    process.arguments = ["60"]
    try process.run()
    var buffer: [UInt8] = []
    var file = ProcFile("/proc/\(process.processIdentifier)/stat")
    #expect((file.read(into: &buffer, log) ?? 0) > 0)
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(file.read(into: &buffer, log) == nil)
    #expect(file.load(&buffer) == -Int(ENOENT))
    try FileManager.default.removeItem(at: folder)
  }

  @Test func aFolderIsNoFile() throws {
    var buffer: [UInt8] = []
    var file = ProcFile(Text(folder.path()))
    #expect(file.load(&buffer) == -Int(EISDIR))
    try FileManager.default.removeItem(at: folder)
  }

  @Test(arguments: [
    ("1500000\n", 1_500_000), ("7", 7), ("-1\n", nil), ("", nil), ("<unknown>\n", nil),
    ("5 GT/s\n", 5),
  ])
  func aFileOfOneNumberIsThatNumber(_ text: String, _ number: UInt64?) throws {
    var buffer: [UInt8] = []
    var file = ProcFile(Text(try write(Array(text.utf8), to: "number")))
    #expect(file.number(&buffer) == number)
    try FileManager.default.removeItem(at: folder)
  }

  @Test func aPathMayHoldAnyBytes() throws {
    let name: [UInt8] = [0xFF, 0xFE, 0x01]
    let path = Array(folder.path().utf8) + [UInt8(ascii: "/")] + name
    let descriptor = (path + [0]).withUnsafeBytes {
      open($0.bindMemory(to: CChar.self).baseAddress!, O_CREAT | O_WRONLY, 0o600)
    }
    try #require(descriptor >= 0)
    #expect(Foundation.write(descriptor, "42", 2) == 2)
    close(descriptor)
    var buffer: [UInt8] = []
    var file = ProcFile(Text(folder.path() + "/"), FixedText<16>(name.span), "")
    #expect(file.number(&buffer) == 42)
    try FileManager.default.removeItem(at: folder)
  }
}
