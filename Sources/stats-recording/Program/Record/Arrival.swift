import Foundation

/// A record or a status as it has just come, read and ready to be written.
struct Arrival: Sendable {
  let message: RecordedMessage
  /// All its members, in the order in which they were written.
  let members: [JSONMember]
  /// What makes a record the same as another; nil for a status.
  let identity: RecordIdentity?
}

/// `boot_id`, `instance` and `seq`, by which a record that comes twice is known.
struct RecordIdentity: Equatable, Sendable {
  let run: RecordRun
  let sequence: UInt64
}

/// One run of a program, from its start to its end.
struct RecordRun: Equatable, Hashable, Sendable {
  let bootID: String
  let instance: UInt64
}

extension PublishedRecord {
  var identity: RecordIdentity {
    RecordIdentity(run: RecordRun(bootID: bootID, instance: instance), sequence: sequence)
  }
}

extension Arrival {
  /// What a message holds, each with an arrival of its own. Errors: it holds no record, in words.
  static func arrivals(
    _ message: Message, prefix: String, clock: inout ArrivalClock
  ) throws(RecordingFailure) -> [Arrival] {
    switch MessageContent(message, prefix: prefix) {
    case .records(let records):
      // Several in one message, or in another form than JSON, are each written as one would be.
      let isWhole = records.count == 1 && message.payload.first == UInt8(ascii: "{")
      return records.map { record in
        let members = record.members
        var payload = message.payload
        if !isWhole {
          payload.removeAll(keepingCapacity: true)
          payload.append(json: members)
        }
        let source = RecordedSource(prefix: prefix, topic: record.topic, kind: record.kind)
        return Arrival(
          message: RecordedMessage(
            received: clock.next(), time: record.timeNanoseconds, source: source, payload: payload),
          members: members, identity: record.identity)
      }
    case .status(let topic, let members):
      let received = clock.next()
      let source = RecordedSource(prefix: prefix, topic: topic, kind: RecordedSource.status)
      return [
        Arrival(
          message: RecordedMessage(
            received: received, time: members["time"]?.nanoseconds ?? received * 1000,
            source: source, payload: message.payload),
          members: members, identity: nil)
      ]
    case .other(let words): throw RecordingFailure(words)
    }
  }

  /// What was recorded once, to be recorded again with its arrival. Errors: it is no record.
  init(_ message: RecordedMessage) throws(RecordingFailure) {
    guard let members = try? JSONValue(parsing: message.payload).members else {
      throw RecordingFailure("\(message.source.text): a payload that is no JSON")
    }
    self.message = message
    let record =
      message.source.isStatus ? nil : PublishedRecord(members, topic: message.source.topic)
    self.members = record?.members ?? members
    identity = record?.identity
    guard message.source.isStatus || record != nil else {
      throw RecordingFailure("\(message.source.text): JSON, but no record")
    }
  }
}

/// Tells the time of arrivals: microseconds that only grow, whatever the machine's clock does.
struct ArrivalClock: Sendable {
  private(set) var last: Int64

  /// `last` is the latest arrival that is recorded already.
  init(after last: Int64 = 0) { self.last = last }

  mutating func next() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    last = max(Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000, last + 1)
    return last
  }
}
