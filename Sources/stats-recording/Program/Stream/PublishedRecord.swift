import Records

/// A message as it came from the broker.
struct Message: Equatable, Sendable {
  let topic: String
  let payload: [UInt8]
  var isRetained = false
  /// The MIME type that the publisher gave it; empty: none.
  var contentType = ""
  /// For how long brokers shall keep it; nil: for ever. Known of what is published alone.
  var expirySeconds: UInt32?
  /// What it says beside the payload: MQTT 5, 3.3.2.3.7.
  var userProperties: [String: String] = [:]
}

/// Where a message belongs: `<prefix>/<device>/<program>[/<place>]` or `<prefix>/<device>/status`.
struct RecordTopic: Equatable, Hashable, Sendable {
  let device: String
  /// The program's name, or `status`.
  let program: String
  /// What the record is about, of many: `disk/mmcblk0`. Empty where there is one only.
  let place: String

  /// Errors: nil if the topic is not below the prefix or has no program.
  init?(_ topic: String, prefix: String) {
    guard topic.hasPrefix(prefix + "/") else { return nil }
    let levels = topic.dropFirst(prefix.count + 1)
      .split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
    guard levels.count >= 2, !levels[0].isEmpty, !levels[1].isEmpty else { return nil }
    device = String(levels[0])
    program = String(levels[1])
    place = levels.count > 2 ? String(levels[2]) : ""
  }

  init(device: String, program: String, place: String) {
    self.device = device
    self.program = program
    self.place = place
  }

  /// The same with what a message of several records says of each: the levels behind the program.
  func with(place: String) -> RecordTopic {
    RecordTopic(device: device, program: program, place: place)
  }

  /// The topic behind the device: `cyclic-file-read/disk/mmcblk0`.
  var path: String { place.isEmpty ? program : "\(program)/\(place)" }
}

/// A record as a bridge published it: the keys that all have, and the fields of its kind.
struct PublishedRecord: Equatable, Sendable {
  let topic: RecordTopic
  let kind: String
  /// Unix time in seconds.
  let time: Double
  /// The same in nanoseconds, from the digits themselves.
  let timeNanoseconds: Int64
  let bootID: String
  let instance: UInt64
  let sequence: UInt64
  let dropped: UInt64
  let clockSynchronized: Bool
  /// What stands behind the envelope, in the order in which it was written.
  let fields: [JSONMember]

  static let envelope: Set = [
    "v", "kind", "time", "boot_id", "instance", "seq", "dropped", "clock_synced", "topic",
  ]

  /// Errors: nil if the object has not what every record has, as the status.
  init?(_ members: [JSONMember], topic: RecordTopic) {
    guard let kind = members["kind"]?.text, let time = members["time"],
      let seconds = time.double, let nanoseconds = time.nanoseconds,
      let bootID = members["boot_id"]?.text, let instance = members["instance"]?.unsigned,
      let sequence = members["seq"]?.unsigned, let dropped = members["dropped"]?.unsigned
    else { return nil }
    self.topic = members["topic"]?.text.map { topic.with(place: $0) } ?? topic
    self.kind = kind
    self.time = seconds
    timeNanoseconds = nanoseconds
    self.bootID = bootID
    self.instance = instance
    self.sequence = sequence
    self.dropped = dropped
    clockSynchronized = members["clock_synced"] == .boolean(true)
    fields = members.filter { !Self.envelope.contains($0.name) }
  }
}

extension JSONValue {
  /// Seconds as nanoseconds, from the digits: a Double has not enough of them.
  var nanoseconds: Int64? {
    guard case .number(let digits) = self else { return nil }
    let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, let seconds = Int64(parts[0]) else { return nil }
    let fraction = parts.count == 2 ? parts[1].prefix(9) : ""
    guard fraction.allSatisfy({ ("0"..."9").contains($0) }) else { return nil }
    let rest = Int64(fraction + String(repeating: "0", count: 9 - fraction.count)) ?? 0
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflows) =
      digits.hasPrefix("-")
      ? product.subtractingReportingOverflow(rest) : product.addingReportingOverflow(rest)
    return overflow || overflows ? nil : sum
  }
}

/// What a message of the broker holds.
enum MessageContent: Equatable, Sendable {
  case records([PublishedRecord])
  /// The retained status of a bridge, or its last will.
  case status(RecordTopic, [JSONMember])
  /// It is not ours, or broken: in words.
  case other(String)

  /// Reads what bridges publish, in each of their formats: see ``PayloadFormat``.
  init(_ message: Message, prefix: String) {
    guard let topic = RecordTopic(message.topic, prefix: prefix) else {
      self = .other("\(message.topic): not a topic of stats-recording")
      return
    }
    switch PayloadFormat(of: message) {
    case .json: self.init(json: message, topic)
    case .lineProtocol: self.init(message, topic, LineProtocol.records)
    case .record: self.init(message, topic, RecordBytes.records)
    }
  }

  private init(
    _ message: Message, _ topic: RecordTopic,
    _ read: (Message, RecordTopic) throws(UnreadablePayload) -> [PublishedRecord]
  ) {
    do throws(UnreadablePayload) {
      self = .records(try read(message, topic))
    } catch {
      self = .other("\(message.topic): \(error)")
    }
  }

  /// One JSON object, or an array of them, as bridges batch them.
  private init(json message: Message, _ topic: RecordTopic) {
    do throws(JSONError) {
      let value = try JSONValue(parsing: message.payload)
      let objects = if case .array(let values) = value { values } else { [value] }
      if topic.program == "status", let members = value.members {
        self = .status(topic, members)
        return
      }
      var records: [PublishedRecord] = []
      for object in objects {
        guard let members = object.members, let record = PublishedRecord(members, topic: topic)
        else {
          self = .other("\(message.topic): JSON, but no record")
          return
        }
        records.append(record)
      }
      self = .records(records)
    } catch {
      self = .other("\(message.topic): \(error)")
    }
  }
}

extension PayloadFormat {
  /// By the content type; where there is none, by how the payload begins.
  init(of message: Message) {
    let formats: [PayloadFormat] = [.json, .lineProtocol, .record]
    if let told = formats.first(where: { "\($0.contentType)" == message.contentType }) {
      self = told
    } else if message.payload.starts(with: RecordBytes.magic) {
      self = .record
    } else {
      let isJSON = message.payload.first.map { "{[ \n".utf8.contains($0) } ?? true
      self = isJSON || message.contentType == "application/json" ? .json : .lineProtocol
    }
  }
}

/// Why a payload is not what its format wants, in words.
struct UnreadablePayload: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
