import Foundation
import Records

/// What must be so of all that a parser makes of any bytes.

func expect(
  _ condition: Bool, _ rule: String, file: StaticString = #file, line: UInt = #line
) {
  if !condition { fatalError(rule, file: file, line: line) }
}

/// A record can be sent, comes back as it was, and is published as JSON in UTF-8.
func expectPublishable<Body: RecordBody & Equatable>(_ body: Body) {
  var body = body
  var header = RecordHeader(instance: 1)
  var bytes: [UInt8] = []
  header.encode(&body, into: &bytes)
  expect(bytes.count <= RecordHeader.maximumRecordSize, "the record is too long")
  guard let record = try? Record(decoding: bytes, count: bytes.count) else {
    fatalError("a record of \(Body.kind) is not read")
  }
  // The bytes, as the largest number of an optional field is how none is written.
  guard var read = record.body(as: Body.self) else { fatalError("the kind is another") }
  var again: [UInt8] = []
  header.encode(&read, into: &again)
  expect(again == bytes, "a record of \(Body.kind) is not read as it was")
  expectJSON(record)
}

/// Foundation is the witness: it takes nothing that is not UTF-8.
func expectJSON(_ record: Record) {
  var json = JSON()
  json.write(record, envelope)
  expect(String(validating: json.bytes, as: UTF8.self) != nil, "not UTF-8")
  expect(!json.bytes.contains { $0 < 0x20 }, "a control character")
  let object = try? JSONSerialization.jsonObject(with: Data(json.bytes))
  expect(object is [String: Any], "not JSON: \(String(decoding: json.bytes, as: UTF8.self))")
  var topic = TopicLevels()
  record.appendTopic(to: &topic)
  expect(String(validating: topic.bytes, as: UTF8.self) != nil, "a topic that is not UTF-8")
  expect(!topic.bytes.contains { [0, 0x23, 0x2B].contains($0) }, "a topic with NUL, # or +")
  _ = record.isEvent
}

/// What a broker takes behind the name of a program: levels that are not empty, and no wildcards.
func expectTopic(_ levels: [UInt8]) {
  guard let text = String(validating: levels, as: UTF8.self) else {
    fatalError("a topic that is not UTF-8")
  }
  expect(levels.isEmpty || levels[0] == UInt8(ascii: "/"), "a level that continues a name")
  let parts = text.unicodeScalars.split(separator: "/", omittingEmptySubsequences: false)
  expect(parts.dropFirst().allSatisfy { !$0.isEmpty }, "an empty level in \(text)")
  for scalar in text.unicodeScalars {
    expect(scalar != "+" && scalar != "#", "a wildcard in \(text)")
    expect(scalar.properties.generalCategory != .control, "a control character in \(text)")
    expect(!scalar.properties.isNoncharacterCodePoint, "a noncharacter in \(text)")
  }
}

private let envelope = Envelope(
  bootID: [UInt8]("43908254-216b-467b-8145-3543fe292e1a".utf8),
  clock: ClockReading(
    bootTimeNanoseconds: 1_395_000_000_007, realTimeNanoseconds: 1_795_229_001_512_345_678,
    synchronized: true))
