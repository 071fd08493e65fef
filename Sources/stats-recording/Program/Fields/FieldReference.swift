import Records

/// A kind of record as the reference describes it.
struct KindReference: Sendable {
  let kind: RecordKind
  let entries: [FieldCatalog.Entry]

  var name: String { "\(kind.name)" }

  /// nil: every program sends it.
  var program: String? { kind.program.map { "\($0.name)" } }

  /// `cyclic-file-read/disk/<device>`, from what the devices' own code goes by, `disk/{device}`.
  var topics: [String] {
    "\(kind.topic)".split(separator: "|", omittingEmptySubsequences: false).map { levels in
      let place = levels.replacing("/}", with: "}").replacing("{", with: "<")
        .replacing("}", with: ">")
      return (program ?? "<program>") + (place.isEmpty ? "" : "/\(place)")
    }
  }

  /// All kinds, or those with fields that a pattern matches and those fields alone.
  static func matching(_ patterns: [FieldPattern]) -> [KindReference] {
    RecordKind.allCases.compactMap { kind in
      let entries = FieldCatalog.entries.filter { entry in
        entry.kind == kind
          && (patterns.isEmpty || patterns.contains { $0.matches(entry, kind) })
      }
      return entries.isEmpty ? nil : KindReference(kind: kind, entries: entries)
    }
  }

  /// In the order of the programs.
  static var all: [KindReference] {
    let order = Program.allCases.map { "\($0.name)" }
    return matching([]).enumerated().sorted { left, right in
      let places = [left, right].map { each in
        each.element.program.flatMap { order.firstIndex(of: $0) } ?? order.count
      }
      return (places[0], left.offset) < (places[1], right.offset)
    }.map(\.element)
  }
}

extension FieldPattern {
  /// Whether a field can come on a topic that the pattern is for; its program alone may be named too.
  fileprivate func matches(_ entry: FieldCatalog.Entry, _ kind: RecordKind) -> Bool {
    if "\(kind.name)" == text || entry.program == text { return true }
    let reference = KindReference(kind: kind, entries: [])
    return reference.topics.contains { topic in
      RecordTopic("stats/device/\(topic)", prefix: "stats").map {
        matches($0, field: entry.name)
      } ?? false
    }
  }
}

extension FieldCatalog.Entry {
  /// What stands for nothing where there is nothing to say.
  static let none = "-"

  var unitName: String {
    switch listed.field.unit {
    case .seconds: "s"
    case .bytes: "byte"
    case .ratio: "ratio"
    case .count: "count"
    case .hertz: "Hz"
    case .celsius: "°C"
    case .volts: "V"
    case .amperes: "A"
    case .watts: "W"
    case .joules: "J"
    case .revolutionsPerMinute: "1/min"
    case .decibelMilliwatts: "dBm"
    case .bitsPerSecond: "bit/s"
    case .none: Self.none
    }
  }

  /// `gauge`, `counter?` where some machines do not have it, `identity text`.
  var nature: String {
    let word =
      switch listed.field.nature {
      case .gauge: "gauge"
      case .counter: "counter"
      case .identity: "identity"
      }
    let form =
      switch listed.form {
      case .integer, .decimal: ""
      case .boolean: " boolean"
      case .name: " word"
      case .text: " text"
      case .buckets: " array"
      }
    return word + form + (listed.isOptional ? "?" : "")
  }

  var meaning: String { "\(listed.field.meaning)" }

  var openTelemetry: String { Equivalent.of(kind, name).openTelemetry ?? Self.none }
  var nodeExporter: String { Equivalent.of(kind, name).nodeExporter ?? Self.none }
}
