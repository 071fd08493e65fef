import Foundation
import Testing

@testable import DeviceRig
@testable import Records
@testable import stats_recording

/// A golden record of the wire format as the bridge of a device would publish it.
struct GoldenMessage {
  let topic: String
  let payload: String

  static let folder = Machine.packageRoot.appending(path: "Tests/RecordsTests/Golden")

  /// Reads `<kind>.v1.hex`; `#` begins a comment there.
  init(_ kind: RecordKind, device: String = "pi-7") throws {
    let text = try String(
      contentsOf: Self.folder.appending(path: "\(kind.name).v1.hex"), encoding: .utf8)
    let bytes = try text.split(separator: "\n")
      .map { $0.split(separator: "#", omittingEmptySubsequences: false)[0] }
      .flatMap { $0.split(separator: " ") }.map { try #require(UInt8($0, radix: 16)) }
    let record = try Record(decoding: bytes, count: bytes.count)
    #expect(record.kind == kind)
    var levels = TopicLevels()
    levels.append((kind.program ?? .cyclicSysinfo).name)
    record.appendTopic(to: &levels)
    topic = "stats/\(device)\(String(decoding: levels.bytes, as: UTF8.self))"
    var json = JSON()
    json.write(
      record,
      Envelope(
        bootID: [UInt8]("43908254-216b-467b-8145-3543fe292e1a".utf8),
        clock: ClockReading(
          bootTimeNanoseconds: 1_395_000_000_007, realTimeNanoseconds: 1_795_229_001_512_345_678,
          synchronized: true)))
    payload = String(decoding: json.bytes, as: UTF8.self)
  }

  /// As it is read from the broker; `change` edits the JSON before.
  func records(_ change: (String) -> String = { $0 }) throws -> [PublishedRecord] {
    let message = stats_recording.Message(topic: topic, payload: Array(change(payload).utf8))
    guard case .records(let records) = MessageContent(message, prefix: "stats") else {
      Issue.record("\(topic) is no record")
      return []
    }
    return records
  }
}
