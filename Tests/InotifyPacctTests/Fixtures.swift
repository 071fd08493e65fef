import CLinux
import Foundation
import Records
import Testing

@testable import inotify_pacct

/// The accounting files of Fixtures/pacct.
enum Fixtures {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/pacct")

  static let all = [
    "linux-6.18-amd64", "big-endian", "raspberry-pi-armhf", "version-2", "version-1-m68k",
    "version-0", "mixed", "truncated-tail", "shifted",
  ]

  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: folder.appending(path: "\(name).pacct")))
  }

  /// The whole records of a file.
  static func records(_ name: String) throws -> [[UInt8]] {
    let bytes = try bytes(name)
    return (0..<bytes.count / 64).map { Array(bytes[($0 * 64)..<($0 * 64 + 64)]) }
  }

  static func exits(_ name: String) throws -> [ProcessExit] {
    try records(name).compactMap { try? ProcessExit(parsing: $0.span) }
  }
}

extension FixedText {
  var string: String { String(decoding: (0..<count).map { self[$0] }, as: UTF8.self) }
}

/// A folder of a test's own; it goes with it.
final class Folder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appending(
      path: "pacct-\(getpid())-\(UInt64.random(in: 0...UInt64.max))")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path()
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func path(_ name: String) -> String { "\(path)/\(name)" }

  func write(_ bytes: [UInt8], to name: String) {
    #expect(FileManager.default.createFile(atPath: path(name), contents: Data(bytes)))
  }

  func append(_ bytes: [UInt8], to name: String) throws {
    let file = try #require(FileHandle(forWritingAtPath: path(name)))
    try file.seekToEnd()
    try file.write(contentsOf: Data(bytes))
    try file.close()
  }

  func rename(_ name: String, _ new: String) {
    #expect(Foundation.rename(path(name), path(new)) == 0)
  }

  func truncate(_ name: String, _ size: Int) {
    #expect(Foundation.truncate(path(name), off_t(size)) == 0)
  }

  func remove(_ name: String) {
    #expect(unlink(path(name)) == 0)
  }
}

/// An accounting record of version 3 of this number.
func record(_ number: UInt32) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: 64)
  bytes[1] = 3
  withUnsafeBytes(of: number.littleEndian) { bytes.replaceSubrange(16..<20, with: $0) }
  bytes[36] = 1
  bytes[48] = UInt8(ascii: "p")
  return bytes
}

func records(_ numbers: ClosedRange<UInt32>) -> [UInt8] { numbers.flatMap(record) }
