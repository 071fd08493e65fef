import Records

/// The columns of one kind's file.
///
/// First the envelope, then the fields of the kind as the device programs list them, each text
/// followed by whether it was cut. Then whose it is and when it came, and last `more`, JSON: an
/// object of the members that have no column here; or a text, the whole payload, where the columns
/// would not give back the bytes that came.
struct CSVLayout: Equatable, Sendable {
  /// The columns before ``trailing``, named as the members of the JSON.
  let names: [String]
  private let columns: [String: Int]

  static let trailing = [
    "topic_prefix", "topic_device", "topic_program", "topic_place", "received", "more",
  ]

  private init(names: [String]) {
    self.names = names
    columns = Dictionary(
      names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// A kind that this version does not know has the envelope alone, and the rest in `more`.
  init(kind: String) {
    let envelope = ["v", "kind", "time", "boot_id", "instance", "seq", "dropped", "clock_synced"]
    guard kind != RecordedSource.status else {
      self.init(names: Self.status)
      return
    }
    let fields = RecordKind.allCases.first { "\($0.name)" == kind }?.fields ?? []
    self.init(
      names: envelope
        + fields.flatMap { listed in
          let name = "\(listed.field.name)"
          switch listed.form {
          case .text: return [name, name + "_cut"]
          // No cell holds an array: it is in `more`.
          case .buckets: return []
          case .integer, .decimal, .boolean, .name: return [name]
          }
        })
  }

  /// What every status has; see README, "What arrives".
  private static let status = [
    "v", "state", "time", "boot_id", "clock_synced", "version", "connections", "records_received",
    "records_published", "records_waiting", "records_lost", "spill_records", "spill_bytes",
    "spill_bytes_written", "records_refused", "messages_invalid", "messages_unknown",
  ]

  /// Of a file's first row. Errors: it is not one of ours.
  init(header: [CSVCell]) throws(CSVError) {
    let names = header.map(\.text)
    guard names.suffix(Self.trailing.count).elementsEqual(Self.trailing) else {
      throw CSVError(
        description: "not a file of stats-recording record: its last columns are others")
    }
    self.init(names: names.dropLast(Self.trailing.count))
  }

  var header: [UInt8] { Array(((names + Self.trailing).joined(separator: ",") + "\n").utf8) }

  // MARK: Writing

  /// The row with its newline.
  func row(_ arrival: Arrival) -> [UInt8] {
    var values = [JSONValue?](repeating: nil, count: names.count)
    var more: [JSONMember] = []
    var expected = 0
    var isInOrder = true
    for member in arrival.members {
      // They come in the order of the columns, but for what is absent.
      let column =
        expected < names.count && names[expected] == member.name ? expected : columns[member.name]
      guard let column, values[column] == nil, Self.hasCell(member.value) else {
        more.append(member)
        continue
      }
      isInOrder = isInOrder && more.isEmpty && column >= expected
      values[column] = member.value
      expected = column + 1
    }
    var row: [UInt8] = []
    row.reserveCapacity(arrival.message.payload.count + 128)
    for value in values {
      if let value { row.append(csv: value) }
      row.append(UInt8(ascii: ","))
    }
    let source = arrival.message.source
    for text in [source.prefix, source.topic.device, source.topic.program, source.topic.place] {
      row.append(csv: text.utf8)
      row.append(UInt8(ascii: ","))
    }
    row.append(contentsOf: Self.seconds(arrival.message.received).utf8)
    row.append(UInt8(ascii: ","))
    var payload: [UInt8] = []
    if isInOrder { payload.append(json: arrival.members) }
    if payload != arrival.message.payload {
      var text: [UInt8] = []
      text.append(json: .text(String(decoding: arrival.message.payload, as: UTF8.self)))
      row.append(csv: text)
    } else if !more.isEmpty {
      var text: [UInt8] = []
      text.append(json: more)
      row.append(csv: text)
    }
    row.append(UInt8(ascii: "\n"))
    return row
  }

  /// Texts with a NUL, which many readers of CSV refuse, are left to `more`.
  private static func hasCell(_ value: JSONValue) -> Bool {
    switch value {
    case .number, .boolean: true
    case .text(let text): !text.utf8.contains(0)
    case .null, .array, .object: false
    }
  }

  /// Microseconds as seconds, all six decimals.
  private static func seconds(_ microseconds: Int64) -> String {
    let digits = "\(microseconds % 1_000_000)"
    return "\(microseconds / 1_000_000)."
      + String(repeating: "0", count: 6 - digits.utf8.count) + digits
  }

  // MARK: Reading

  /// What a row of such a file tells. Errors: what of it is wrong.
  func message(_ cells: [CSVCell]) throws(CSVError) -> RecordedMessage {
    guard cells.count == names.count + Self.trailing.count else {
      throw CSVError(
        description: "\(cells.count) cells, not \(names.count + Self.trailing.count)")
    }
    let rest = cells[names.count...].map(\.text)
    let topic = ([rest[0], rest[1], rest[2]] + (rest[3].isEmpty ? [] : [rest[3]]))
      .joined(separator: "/")
    guard let topic = RecordTopic(topic, prefix: rest[0]) else {
      throw CSVError(description: "no device or no program")
    }
    guard let received = JSONValue.number(rest[4]).nanoseconds.map({ $0 / 1000 }) else {
      throw CSVError(description: "received is no time: \(rest[4])")
    }
    let payload = try payload(cells)
    let time = columns["time"].flatMap { JSONValue.number(cells[$0].text).nanoseconds }
    let kind =
      topic.program == RecordedSource.status
      ? RecordedSource.status : columns["kind"].map { cells[$0].text } ?? ""
    return RecordedMessage(
      received: received, time: time ?? received * 1000,
      source: RecordedSource(prefix: rest[0], topic: topic, kind: kind), payload: payload)
  }

  private func payload(_ cells: [CSVCell]) throws(CSVError) -> [UInt8] {
    var members: [JSONMember] = []
    for (name, cell) in zip(names, cells) where !cell.isAbsent {
      members.append(JSONMember(name: name, value: try Self.value(cell, name)))
    }
    let more = cells[cells.count - 1]
    if !more.isAbsent {
      switch try? JSONValue(parsing: more.bytes) {
      case .object(let others): members += others
      case .text(let whole): return Array(whole.utf8)
      case .some, nil: throw CSVError(description: "more is no JSON object and no JSON text")
      }
    }
    var payload: [UInt8] = []
    payload.append(json: members)
    return payload
  }

  private static func value(_ cell: CSVCell, _ name: String) throws(CSVError) -> JSONValue {
    if cell.isQuoted {
      guard let text = String(validating: cell.bytes, as: UTF8.self) else {
        throw CSVError(description: "\(name) is no UTF-8")
      }
      return .text(text)
    }
    switch try? JSONValue(parsing: cell.bytes) {
    case .number(let digits) where digits.utf8.count == cell.bytes.count: return .number(digits)
    case .boolean(let value): return .boolean(value)
    case .some, nil:
      throw CSVError(
        description: "\(name) is \(cell.text): without quotes only numbers, true and false stand")
    }
  }
}

extension [UInt8] {
  fileprivate mutating func append(csv value: JSONValue) {
    switch value {
    case .text(let text): append(csv: text.utf8)
    case .number, .boolean, .null, .array, .object: append(json: value)
    }
  }
}
