import Records

/// The payload of `--payload influx`: a line for each record, see the bridge's manual.
///
/// Two things are lost on the way: integers beyond 2^63 are 2^63 - 1, and a newline in a text is `\\n`.
enum LineProtocol {
  static func records(
    _ message: Message, _ topic: RecordTopic
  ) throws(UnreadablePayload) -> [PublishedRecord] {
    var records: [PublishedRecord] = []
    for (number, line) in message.payload.split(separator: UInt8(ascii: "\n")).enumerated() {
      guard let text = String(validating: line, as: UTF8.self),
        let point = ParsedPoint(parsing: text),
        let record = PublishedRecord(point, topic)
      else { throw UnreadablePayload("line \(number + 1) is no record in line protocol") }
      records.append(record)
    }
    return records
  }
}

/// A point of InfluxDB's line protocol, its values as JSON has them.
struct ParsedPoint: Equatable {
  let measurement: String
  let tags: [JSONMember]
  let fields: [JSONMember]
  let nanoseconds: Int64

  /// Parses `measurement,tag=value field=value nanoseconds`; nil if it is none.
  init?(parsing line: String) {
    var scanner = Scanner(rest: line.unicodeScalars[...])
    measurement = scanner.word(until: ", ")
    var tags: [JSONMember] = []
    while scanner.take(",") {
      let name = scanner.word(until: "=, ")
      guard scanner.take("=") else { return nil }
      tags.append(JSONMember(name: name, value: .text(scanner.word(until: "=, "))))
    }
    guard scanner.take(" ") else { return nil }
    var fields: [JSONMember] = []
    repeat {
      let name = scanner.word(until: "=, ")
      guard scanner.take("="), let value = scanner.value() else { return nil }
      fields.append(JSONMember(name: name, value: value))
    } while scanner.take(",")
    guard scanner.take(" "), let nanoseconds = Int64(String(scanner.rest)) else { return nil }
    (self.tags, self.fields, self.nanoseconds) = (tags, fields, nanoseconds)
  }

  private struct Scanner {
    var rest: Substring.UnicodeScalarView

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
      guard rest.first == scalar else { return false }
      rest.removeFirst()
      return true
    }

    /// Up to one of these that no backslash stands before.
    mutating func word(until end: String) -> String {
      var word = String.UnicodeScalarView()
      while let scalar = rest.first, !end.unicodeScalars.contains(scalar) {
        rest.removeFirst()
        if scalar == "\\", let next = rest.first, ",= ".unicodeScalars.contains(next) {
          word.append(next)
          rest.removeFirst()
        } else {
          word.append(scalar)
        }
      }
      return String(word)
    }

    mutating func value() -> JSONValue? {
      if take("\"") { return text() }
      let word = word(until: ", ")
      if word == "true" || word == "false" { return .boolean(word == "true") }
      let digits = word.hasSuffix("i") ? String(word.dropLast()) : word
      return Double(digits) == nil ? nil : .number(digits)
    }

    private mutating func text() -> JSONValue? {
      var text = String.UnicodeScalarView()
      while let scalar = rest.popFirst() {
        if scalar == "\"" { return .text(String(text)) }
        if scalar == "\\", let next = rest.first, next == "\"" || next == "\\" {
          text.append(next)
          rest.removeFirst()
        } else {
          text.append(scalar)
        }
      }
      return nil
    }
  }
}

extension PublishedRecord {
  /// Errors: nil if the point has not what every record has.
  init?(_ point: ParsedPoint, _ topic: RecordTopic) {
    let names = Set(["boot_id", "instance", "seq", "dropped", "clock_synced"])
    let microseconds = point.nanoseconds / 1000
    let rest = String(microseconds.magnitude % 1_000_000)
    let digits =
      (microseconds < 0 ? "-" : "") + "\(microseconds.magnitude / 1_000_000)."
      + String(repeating: "0", count: 6 - rest.count) + rest
    let kind = RecordKind.allCases.first { "\($0.name)" == point.measurement }
    var members = [
      JSONMember(name: "kind", value: .text(point.measurement)),
      JSONMember(name: "time", value: .number(digits)),
    ]
    members += point.fields.filter { names.contains($0.name) }
    members += Self.fields(of: kind, point, without: names)
    self.init(
      members, topic: topic.place.isEmpty ? topic.with(place: Self.place(kind, members)) : topic)
  }

  /// In the order of JSON.
  private static func fields(
    of kind: RecordKind?, _ point: ParsedPoint, without names: Set<String>
  ) -> [JSONMember] {
    guard let kind else { return point.fields.filter { !names.contains($0.name) } }
    var members: [JSONMember] = []
    for listed in kind.fields {
      let name = "\(listed.field.name)"
      let tag = point.tags.first {
        $0.name == name && name != "device" && name != "program"
          || $0.name == "\(kind.name)_\(name)"
      }
      if listed.field.nature == .identity {
        // An empty text is no tag.
        let text = tag?.value.text ?? (listed.form == .text ? "" : nil)
        if let text {
          let value: JSONValue =
            switch listed.form {
            case .integer, .decimal: .number(text)
            case .boolean: .boolean(text == "true")
            case .name, .text, .buckets: .text(text)
            }
          members.append(JSONMember(name: name, value: value))
        }
      } else if listed.form == .buckets {
        let buckets = point.fields.filter { $0.name.hasPrefix("le_") }
        members += [
          JSONMember(
            name: "upper_bounds",
            value: .array(buckets.map { .number(String($0.name.dropFirst(3))) })),
          JSONMember(name: name, value: .array(buckets.map(\.value))),
        ]
      } else if let field = point.fields.first(where: { $0.name == name }) {
        members.append(field)
      }
      members += point.fields.filter { $0.name == name + "_cut" }
    }
    return members
  }

  /// What stands behind the program in the topic that the record would have alone.
  private static func place(_ kind: RecordKind?, _ members: [JSONMember]) -> String {
    guard let kind else { return "" }
    func text(_ name: Substring) -> String {
      switch members[String(name)] {
      case .text(let text): text
      case .number(let digits): digits
      case nil, .null, .boolean, .array, .object: ""
      }
    }
    var levels = TopicLevels()
    let patterns = "\(kind.topic)".split(separator: "|")
    let pattern = patterns.first { pattern in
      pattern.firstMatch(of: /{(\w+)\/}/).map { !text($0.1).isEmpty } ?? true
    }
    for match in (pattern ?? "").matches(of: /{(\w+)(\/?)}|[^\/{]+/) {
      if let field = match.1 {
        let value = text(field)
        let parts = match.2 == "/" ? value.split(separator: "/") : [value[...]]
        for part in parts { levels.append(Array(part.utf8).span) }
      } else {
        levels.append(Array(match.0.utf8).span)
      }
    }
    return String(decoding: levels.bytes.dropFirst(), as: UTF8.self)
  }
}
