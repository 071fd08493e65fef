/// Of whom a recorded message is: of a device's program, what it is about, and the kind.
struct RecordedSource: Equatable, Hashable, Sendable {
  /// What the topic begins with, before the device.
  let prefix: String
  let topic: RecordTopic
  /// The record's kind, or `status`.
  let kind: String

  static let status = "status"

  var isStatus: Bool { topic.program == Self.status }

  /// The topic as it was published.
  var text: String { "\(prefix)/\(topic.device)/\(topic.path)" }
}

/// One record, or one status, as it was recorded.
struct RecordedMessage: Equatable, Sendable {
  /// When it arrived, Unix time in microseconds; no two messages of a recording have the same.
  let received: Int64
  /// When it was taken, Unix time in nanoseconds. A status that has no time has that of its arrival.
  let time: Int64
  let source: RecordedSource
  /// Its JSON as it was published.
  let payload: [UInt8]

  /// The record; nil for a status.
  var record: PublishedRecord? {
    guard !source.isStatus, let members = try? JSONValue(parsing: payload).members else {
      return nil
    }
    return PublishedRecord(members, topic: source.topic)
  }
}

/// Which messages of a recording are wanted.
struct RecordingSelection: Sendable {
  var device: String?
  var program: String?
  var place: String?
  /// `status` for the statuses of the bridges.
  var kind: String?
  /// Unix time in nanoseconds; of the time at which records were taken.
  var times: Range<Int64>?
  var order = Order.arrival

  enum Order: Sendable {
    /// As they came.
    case arrival
    /// By the time at which they were taken.
    case oldestFirst, newestFirst
  }

  func includes(_ source: RecordedSource) -> Bool {
    (device == nil || device == source.topic.device)
      && (program == nil || program == source.topic.program)
      && (place == nil || place == source.topic.place) && (kind == nil || kind == source.kind)
  }

  func includes(_ message: RecordedMessage) -> Bool {
    times?.contains(message.time) ?? true
  }
}

/// Why a recording cannot be read or written: what, where and how to mend it.
struct RecordingFailure: Error, Equatable, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
