import Foundation
import Records
import TestSupport

@testable import cyclic_file_read

/// Single files and folders that are no whole machine: Tests/Fixtures/cyclic-file-read.
enum Fixture {
  static func bytes(_ path: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: Capture.folder.appending(path: path)))
  }

  static func lines(_ path: String) throws -> [[UInt8]] {
    try bytes(path).split(separator: UInt8(ascii: "\n")).map { Array($0) }
  }

  static func path(_ path: String) -> String { Capture.folder.appending(path: path).path() }
}

/// Bytes changed, cut, repeated and moved: what a parser must survive.
struct Mutations: Sequence, IteratorProtocol {
  private let original: [UInt8]
  private var random: SeededNumbers
  private var rest: Int

  init(of original: [UInt8], count: Int, seed: UInt64) {
    self.original = original
    random = SeededNumbers(seed: seed)
    rest = count
  }

  mutating func next() -> [UInt8]? {
    guard rest > 0 else { return nil }
    rest -= 1
    let likely: [UInt8] = [0x20, 0x0A, 0x28, 0x29, 0x2D, 0x3A, 0x5C, 0x30, 0x39]
    var bytes = original
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<6, using: &random) {
      case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes[place] = likely.randomElement(using: &random)!
      case 2: bytes.removeLast(bytes.count - place)
      case 3: bytes.remove(at: place)
      case 4: bytes.insert(contentsOf: [UInt8](repeating: 0x39, count: 20), at: place)
      default: bytes.insert(contentsOf: bytes[..<Swift.min(place, 100)], at: place)
      }
    }
    return bytes
  }
}

extension Disk {
  init(of line: [UInt8]) throws { try self.init(parsing: line.span) }
}

extension ProcessStatus {
  init(of text: [UInt8]) throws { try self.init(parsing: text.span) }
}
