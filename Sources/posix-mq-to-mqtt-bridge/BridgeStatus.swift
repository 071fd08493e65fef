import Daemon
import Linux
import Records

/// What the bridge tells of itself in the retained status.
struct BridgeStatus {
  var connections: UInt64 = 0
  var published: UInt64 = 0
  /// Records and bytes that are on disk, and bytes that this bridge wrote there.
  var spillRecords: UInt64 = 0
  var spillBytes: UInt64 = 0
  var spillBytesWritten: UInt64 = 0
  /// Refused by the broker, or too large for it: these records are lost.
  var refused: UInt64 = 0
  /// The words and number of the last refusal.
  var refusal: (words: Text, reason: Int32)?

  /// The status as it is published while the bridge is connected, and with `stopped` at its end.
  func write(
    _ state: StaticString, queues: borrowing Queues, outbox: Outbox,
    _ envelope: Envelope, into json: inout JSON
  ) {
    json.begin()
    json.member("v", JSON.payloadVersion)
    json.member("state", state)
    json.member("time", envelope.clock.realTimeNanoseconds / 1000, decimals: 6)
    json.member("boot_id", text: envelope.bootID.span)
    json.member("clock_synced", envelope.clock.synchronized)
    json.member("version", Version.text)
    json.member("connections", connections)
    json.member("records_received", queues.received)
    json.member("records_published", published)
    json.member("records_waiting", UInt64(outbox.count))
    json.member("records_lost", outbox.lost)
    for kind in RecordKind.allCases where outbox.lost(kind: kind.rawValue) > 0 {
      json.member("records_lost_", suffix: kind.name, outbox.lost(kind: kind.rawValue))
    }
    if outbox.lost(kind: 0) > 0 { json.member("records_lost_unknown", outbox.lost(kind: 0)) }
    json.member("spill_records", spillRecords)
    json.member("spill_bytes", spillBytes)
    json.member("spill_bytes_written", spillBytesWritten)
    json.member("records_refused", refused)
    if let refusal {
      json.member("refusal_reason", Int64(refusal.reason))
      json.member("refusal", text: refusal.words.bytes.span)
    }
    json.member("messages_invalid", queues.invalid)
    json.member("messages_unknown", queues.unknown)
    for index in 0..<queues.count {
      guard let state = queues.state(index) else { continue }
      let program = queues.program(index)
      json.member(program.name, suffix: "_state", state.state.name)
      if state.state == .unavailable {
        json.member(
          program.name, suffix: "_reason", cutSuffix: "_reason_cut", text: state.reason)
      }
    }
    json.end()
  }

  /// What the broker publishes for us when the connection is lost.
  static let will = Text(#"{"v":1,"state":"offline","reason":"connection lost"}"#).bytes
}
