import Foundation
import Records
import TestSupport

@testable import inotify_coredump

/// Captures in Tests/Fixtures/coredump; see the README.md there.
enum Fixture {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/coredump")

  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: folder.appending(path: name)))
  }

  static func lines(_ name: String) throws -> [[UInt8]] {
    try bytes(name).split(separator: UInt8(ascii: "\n")).map(Array.init)
  }
}

/// Printable ASCII as it is, everything else and the backslash as `\xNN`.
func printable(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map {
    (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\\")
      ? String(UnicodeScalar($0)) : String(format: "\\x%02x", $0)
  }.joined()
}

extension FixedText {
  var array: [UInt8] { (0..<count).map { self[$0] } }
  var string: String { String(decoding: array, as: UTF8.self) }
}

extension SeededNumbers {
  /// The bytes with some of them changed, removed, doubled or cut off.
  mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0...Int.random(in: 0...3, using: &self) where !bytes.isEmpty {
      let index = Int.random(in: 0..<bytes.count, using: &self)
      switch Int.random(in: 0..<5, using: &self) {
      case 0: bytes[index] = UInt8.random(in: 0...255, using: &self)
      case 1: bytes.remove(at: index)
      case 2: bytes.insert(bytes[index], at: index)
      case 3: bytes.insert(Array("./\\x09 \n".utf8).randomElement(using: &self)!, at: index)
      default: bytes.removeLast(bytes.count - index)
      }
    }
    return bytes
  }
}

extension CoreDumpKey {
  static func at(_ time: UInt64, pid: UInt32 = 1) -> CoreDumpKey {
    CoreDumpKey(
      boot: BootID(parsing: [UInt8]("43908254216b467b81453543fe292e1a".utf8).span)!, pid: pid,
      time: time)
  }
}
