import Foundation
import Testing

@testable import Records

/// A record as it was written once and will always be read: annotated hexadecimal in Golden/.
///
/// `#` begins a comment; the files are never edited, a new version gets a new file.
struct Golden: CustomTestStringConvertible {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Golden")

  static var all: [Golden] {
    get throws {
      try FileManager.default.contentsOfDirectory(atPath: folder.path())
        .filter { $0.hasSuffix(".hex") }.sorted().map { try Golden(String($0.dropLast(4))) }
    }
  }

  let name: String
  let bytes: [UInt8]

  /// Reads `<kind>.v<version>.hex`.
  init(_ name: String) throws {
    self.name = name
    let path = Self.folder.appending(path: "\(name).hex")
    bytes = try String(contentsOf: path, encoding: .utf8).split(separator: "\n")
      .map { $0.split(separator: "#", omittingEmptySubsequences: false)[0] }
      .flatMap { $0.split(separator: " ") }
      .map { try #require(UInt8($0, radix: 16), "\(name): \($0)") }
  }

  var testDescription: String { name }

  /// The header that all golden records have.
  static let header = RecordHeader(
    clockSynchronized: true, instance: 1_337_546, sequence: 42, dropped: 3,
    bootTimeNanoseconds: 1_394_000_000_007, realTimeNanoseconds: 1_795_229_000_512_345_678)

  /// Expects that this body, under ``header``, is written as these bytes and read from them.
  static func expect<Body: RecordBody>(
    _ body: Body, isWrittenAs name: String, fileID: String = #fileID,
    filePath: String = #filePath, line: Int = #line
  ) throws {
    let sourceLocation = SourceLocation(
      fileID: fileID, filePath: filePath, line: line, column: 1)
    let golden = try Golden(name)
    var header = header
    var body = body
    var bytes: [UInt8] = []
    header.encode(&body, into: &bytes)
    #expect(hexadecimal(bytes) == hexadecimal(golden.bytes), sourceLocation: sourceLocation)
    let decodedHeader = try RecordHeader(decoding: golden.bytes.span)
    #expect(decodedHeader == header, sourceLocation: sourceLocation)
    let decoded = try Record(decoding: golden.bytes, count: golden.bytes.count)
    #expect(decoded.body(as: Body.self) == body, sourceLocation: sourceLocation)
    #expect(decoded.isEvent == body.isEvent, sourceLocation: sourceLocation)
    let event = body.isEvent ? EventRule.always : .never
    #expect(
      [.dependsOnFields, .firstField, event].contains(Body.eventRule),
      sourceLocation: sourceLocation)
  }
}

/// Eight bytes a line, so that a difference shows where it is.
func hexadecimal(_ bytes: [UInt8]) -> String {
  stride(from: 0, to: bytes.count, by: 8).map { start in
    bytes[start..<min(start + 8, bytes.count)].map { String(format: "%02x", $0) }
      .joined(separator: " ")
  }.joined(separator: "\n")
}

/// The JSON of a record as it is published, parsed by Foundation.
func publishedMembers(_ bytes: [UInt8]) throws -> [String: Any] {
  var json = JSON()
  json.write(try Record(decoding: bytes, count: bytes.count), .forTests)
  let object = try JSONSerialization.jsonObject(with: Data(json.bytes))
  return try #require(object as? [String: Any])
}

extension RecordBody {
  /// The levels that a record of this body has behind the program's name.
  func appendTopic(to topic: inout TopicLevels) {
    var (header, body, bytes) = (Golden.header, self, [UInt8]())
    header.encode(&body, into: &bytes)
    do {
      try Record(decoding: bytes, count: bytes.count).appendTopic(to: &topic)
    } catch {
      Issue.record(error)
    }
  }
}

extension Envelope {
  static let forTests = Envelope(
    bootID: [UInt8]("43908254-216b-467b-8145-3543fe292e1a".utf8),
    clock: ClockReading(
      bootTimeNanoseconds: 1_395_000_000_007, realTimeNanoseconds: 1_795_229_001_512_345_678,
      synchronized: true))
}
