import Foundation
import Testing

@testable import stats_recording

/// A device whose records a test writes itself, with any times, as a bridge would publish them.
struct PublishedDevice {
  let name: String
  var bootID = "43908254-9d5e-4b0c-8f5c-000000000001"
  var instance: UInt64 = 1000
  private(set) var next: [String: UInt64] = [:]
  private(set) var messages: [stats_recording.Message] = []

  init(_ name: String) { self.name = name }

  /// Adds a record; `fields` are the members behind the envelope, as JSON.
  mutating func add(
    _ program: String, _ place: String = "", kind: String, at time: Double, _ fields: String
  ) {
    let topic = "stats/\(name)/\(program)" + (place.isEmpty ? "" : "/\(place)")
    let sequence = next[program, default: 0]
    next[program] = sequence + 1
    let payload = """
      {"v":1,"kind":"\(kind)","time":\(String(format: "%.6f", time)),"boot_id":"\(bootID)",\
      "instance":\(instance),"seq":\(sequence),"dropped":0,"clock_synced":true\
      \(fields.isEmpty ? "" : ",")\(fields)}
      """
    messages.append(stats_recording.Message(topic: topic, payload: Array(payload.utf8)))
  }

  /// The next record of a program is lost on its way.
  mutating func lose(_ program: String, _ count: UInt64 = 1) {
    next[program, default: 0] += count
  }

  /// A program, or with a new boot id the device, is started again.
  mutating func restart(bootID: String? = nil) {
    instance += 1000
    next = [:]
    if let bootID { self.bootID = bootID }
  }

  /// The records that were added, as a reader has them.
  func records() throws -> [PublishedRecord] {
    try messages.flatMap { message in
      guard case .records(let records) = MessageContent(message, prefix: "stats") else {
        Issue.record("\(message.topic): \(String(decoding: message.payload, as: UTF8.self))")
        throw NotARecord()
      }
      return records
    }
  }

  struct NotARecord: Error {}

  /// Publishes all that was added; the broker has acknowledged it when this returns.
  mutating func publish(to port: Int) throws {
    try Self.publish(messages, to: port)
    messages = []
  }

  static func publish(
    _ messages: [stats_recording.Message], to port: Int, perSecond rate: Double = .infinity
  ) throws {
    let client = try BrokerClient(
      BrokerOptions.parse(["--host", "127.0.0.1", "--port", "\(port)"]))
    var isConnected = false
    var acknowledged = 0
    client.onConnect = { reason in isConnected = reason == 0 }
    client.onPublish = { _, reason in if reason < 0x80 { acknowledged += 1 } }
    try client.connect()
    let start = Date()
    var sent = 0
    while acknowledged < messages.count {
      try #require(-start.timeIntervalSinceNow < 120, "\(acknowledged) of \(messages.count)")
      if isConnected {
        let due = min(Double(messages.count), -start.timeIntervalSinceNow * rate)
        // As many as the broker takes before it has acknowledged them.
        while sent < Int(due), sent - acknowledged < 15 {
          try client.publish(messages[sent])
          sent += 1
        }
      }
      try client.loop(timeoutMilliseconds: 1)
    }
    client.disconnect()
  }
}
