import Foundation
import Records
import Testing

@testable import cyclic_file_read

/// Files of a machine: Tests/Fixtures/cyclic-file-read/<machine>, see README.md there.
struct Capture: CustomTestStringConvertible {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/cyclic-file-read")

  static let virtualMachine = Capture(machine: "vm-x86_64-6.18")
  static let raspberryPi4 = Capture(machine: "raspberry-pi-4-arm64-6.6")
  static let raspberryPi3 = Capture(machine: "raspberry-pi-3-armhf-5.10")
  static let oldPC = Capture(machine: "pc-x86_64-3.2")
  static let hostile = Capture(machine: "hostile")
  static let all = [virtualMachine, raspberryPi4, raspberryPi3, oldPC]

  let machine: String
  var testDescription: String { machine }

  func bytes(_ path: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: Self.folder.appending(path: "\(machine)/\(path)")))
  }

  func cpuTimes() throws -> [CPUTimes] {
    try lines(of: bytes("proc/stat")).compactMap {
      try CPUTimes(of: $0)
    }
  }

  func interfaces() throws -> [NetworkInterface] {
    try lines(of: bytes("proc/net/dev")).dropFirst(2).map {
      try NetworkInterface(of: $0)
    }
  }

  func sockets() throws -> Sockets {
    var sockets = Sockets()
    try sockets.take(usage: bytes("proc/net/sockstat"))
    try sockets.take(usage: (try? bytes("proc/net/sockstat6")) ?? [])
    try sockets.take(counters: bytes("proc/net/snmp"))
    return sockets
  }

  func wireless() throws -> [Wireless] {
    try lines(of: bytes("proc/net/wireless")).dropFirst(2).map { try Wireless(of: $0) }
  }
}

// The parsers with arrays: a span of a temporary array is more than some compilers can do.

extension CPUTimes {
  init?(of line: [UInt8], ticksPerSecond: UInt64 = 100) throws {
    try self.init(parsing: line.span, ticksPerSecond: ticksPerSecond)
  }
}

extension CPUActivity {
  init(of bytes: [UInt8]) throws { try self.init(parsing: bytes.span) }
}

extension Memory {
  init(of bytes: [UInt8]) throws { try self.init(parsing: bytes.span) }
}

extension PageActivity {
  init(of bytes: [UInt8]) throws { try self.init(parsing: bytes.span) }
}

extension NetworkInterface {
  init(of line: [UInt8]) throws { try self.init(parsing: line.span) }
}

extension NetworkInterface.State {
  init(of bytes: [UInt8]) { self.init(parsing: bytes.span) }
}

extension Sockets {
  mutating func take(usage bytes: [UInt8], pageSize: UInt64 = 4096) throws {
    try take(usage: bytes.span, pageSize: pageSize)
  }

  mutating func take(counters bytes: [UInt8]) throws { try take(counters: bytes.span) }
}

extension Wireless {
  init(of line: [UInt8]) throws { try self.init(parsing: line.span) }
}

func headingLength(of table: [UInt8]) throws -> Int { try table.span.headingLength() }

func lines(of bytes: [UInt8]) -> [[UInt8]] {
  var offset = 0
  var lines: [[UInt8]] = []
  while let line = bytes.span.nextLine(&offset) { lines.append(Array(bytes[line])) }
  return lines
}

func string<let capacity: Int>(_ text: FixedText<capacity>) -> String {
  String(decoding: (0..<text.count).map { text[$0] }, as: UTF8.self)
}
