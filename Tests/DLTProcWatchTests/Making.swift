import Foundation
import Records

@testable import dlt_proc_watch

/// Messages as a DLT application would make them.
struct Making {
  var counter: UInt8 = 0
  var ecu: String? = "TGT1"
  var session: UInt32? = 28_995
  var timestamp: UInt32? = 18_786_263
  var application = "SYS"
  var context = "PROC"
  /// Verbose, log, info.
  var information: UInt8 = 0x41
  var hasExtendedHeader = true
  var isBigEndian = false

  enum Argument {
    case signed(Int32)
    case plainSigned(Int64)
    case text(String)
    case bytes([UInt8])
    case raw([UInt8])
  }

  func message(_ arguments: [Argument]) -> [UInt8] {
    message(payload: arguments.flatMap(encoded), count: UInt8(arguments.count))
  }

  func message(payload: [UInt8], count: UInt8) -> [UInt8] {
    var type: UInt8 = 0x20 | (hasExtendedHeader ? 1 : 0) | (isBigEndian ? 2 : 0)
    var rest: [UInt8] = []
    if let ecu {
      type |= 4
      rest += identifier(ecu)
    }
    if let session {
      type |= 8
      rest += big(session)
    }
    if let timestamp {
      type |= 0x10
      rest += big(timestamp)
    }
    if hasExtendedHeader {
      rest += [information, count] + identifier(application) + identifier(context)
    }
    let length = 4 + rest.count + payload.count
    return [type, counter, UInt8(length >> 8), UInt8(length & 255)] + rest + payload
  }

  func stat(
    _ pid: Int32 = 30_154, _ comm: String = "mco-audioApp", ticks: UInt64 = 44, system: UInt64 = 1,
    start: UInt64 = 187_711, pages: UInt64 = 5395
  ) -> [UInt8] {
    stat(
      pid,
      line: "\(pid) (\(comm)) S 1 1 1 0 -1 4194304 5240 0 0 0 \(ticks) \(system) 0 0 20 0 1 0 "
        + "\(start) 23511040 \(pages) 18446744073709551615 0\n")
  }

  func stat(_ pid: Int32, line: String) -> [UInt8] {
    message([.signed(pid), .text("stat"), .text(line)])
  }

  func command(_ pid: Int32, _ name: String) -> [UInt8] {
    message([.signed(pid), .text("cmdline"), .text(name)])
  }

  func notRunning(_ name: String) -> [UInt8] {
    message([.text("Process"), .text(name), .text("not running!")])
  }

  func overflow(_ count: UInt32?) -> [UInt8] {
    var daemon = self
    daemon.information = 0x26
    daemon.application = "DA1"
    daemon.context = "DC1"
    let payload = integer(UInt64(0x14), 4) + [0, 1] + (count.map { integer(UInt64($0), 4) } ?? [])
    return daemon.message(payload: payload, count: 1)
  }

  private func encoded(_ argument: Argument) -> [UInt8] {
    switch argument {
    // As dlt-system sends it: with the bit for a name, and a name and a unit of no bytes.
    case .signed(let value):
      integer(0x823, 4) + integer(0, 4) + integer(UInt64(UInt32(bitPattern: value)), 4)
    case .plainSigned(let value):
      integer(0x24, 4) + integer(UInt64(bitPattern: value), 8)
    case .text(let text):
      encoded(.bytes(Array(text.utf8)))
    case .bytes(let bytes):
      integer(0x200, 4) + integer(UInt64(bytes.count + 1), 2) + bytes + [0]
    case .raw(let bytes):
      integer(0x400, 4) + integer(UInt64(bytes.count), 2) + bytes
    }
  }

  private func integer(_ value: UInt64, _ width: Int) -> [UInt8] {
    let little = (0..<width).map { UInt8(truncatingIfNeeded: value >> UInt64($0 * 8)) }
    return isBigEndian ? little.reversed() : little
  }

  private func big(_ value: UInt32) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
  }

  private func identifier(_ text: String) -> [UInt8] {
    Array((Array(text.utf8) + [0, 0, 0, 0]).prefix(4))
  }
}

/// With the header that trace files have.
func stored(_ message: [UInt8], seconds: UInt32 = 1_795_228_698, ecu: String = "TGT1") -> [UInt8] {
  Array("DLT\u{1}".utf8) + withUnsafeBytes(of: seconds.littleEndian) { Array($0) } + [0, 0, 0, 0]
    + Array(ecu.utf8) + message
}

enum Fixture {
  static func bytes(_ name: String) throws -> [UInt8] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return try [UInt8](Data(contentsOf: folder.appending(path: "Fixtures/dlt/\(name)")))
  }
}

extension FixedText {
  var string: String { String(decoding: (0..<count).map { self[$0] }, as: UTF8.self) }
}

extension ProcessWatch {
  mutating func take(_ bytes: [UInt8], arrival: UInt64 = 1000) {
    take(bytes.span, arrival: arrival)
  }

  /// What was reported since this was last asked.
  mutating func taken() -> [Report] {
    defer { reports = [] }
    return reports
  }

  mutating func loads() -> [ProcessLoad] {
    taken().compactMap { if case .load(let load) = $0 { load } else { nil } }
  }

  mutating func events() -> [ProcessLifecycle] {
    taken().compactMap { if case .lifecycle(let event) = $0 { event } else { nil } }
  }

  mutating func losses() -> [DLTLoss] {
    taken().compactMap { if case .loss(let loss) = $0 { loss } else { nil } }
  }
}

/// All messages of a trace or a connection that comes in chunks of this size.
func messages(
  _ bytes: [UInt8], _ origin: MessageFramer.Origin, chunk: Int = 4096
) -> (messages: [[UInt8]], framer: MessageFramer, isBroken: Bool) {
  var framer = MessageFramer(origin)
  var found: [[UInt8]] = []
  var offset = 0
  while true {
    let part = Array(bytes[offset..<min(bytes.count, offset + chunk)])
    offset += part.count
    framer.append(part, part.count)
    while true {
      let step = framer.next(isEnd: part.isEmpty)
      if case .broken = step { return (found, framer, true) }
      guard case .message(let range, _) = step else { break }
      found.append(Array(framer.bytes[range]))
    }
    if part.isEmpty { return (found, framer, false) }
  }
}

// The parsers with arrays: the macros of the tests do not take spans.

extension DLTMessage {
  init?(of bytes: [UInt8]) { self.init(parsing: bytes.span) }
}

extension ProcessStatistics {
  init?(of line: [UInt8]) { self.init(parsing: line.span) }
}

extension MessageForm {
  init?(of bytes: [UInt8], at offset: Int) { self.init(bytes.span, at: offset) }
}

extension Arguments {
  mutating func next(of bytes: [UInt8]) -> Argument? { next(in: bytes.span) }
}
