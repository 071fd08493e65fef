import Records

/// Names that a person reads: `Memory available`, `File system /boot/firmware free`.
enum EntityName {
  static func of(
    _ entry: FieldCatalog.Entry, _ thing: EntityThing, _ record: PublishedRecord
  ) -> String {
    var levels = thing.topic.place.split(separator: "/").map(String.init)
    let stem = stem(entry)
    switch entry.kind {
    case .sensor:
      let label = record.fields["label"]?.text ?? record.fields["feature"]?.text ?? "sensor"
      let chip = record.fields["chip"]?.text ?? ""
      return sentence([label, "(\(chip))", stem == "value" ? "" : stem])
    case .fileSystem:
      if let mountPoint = record.fields["mount_point"]?.text {
        levels = ["file system", mountPoint]
      }
    case .pressureSample, .pressureStall: levels.insert("pressure", at: 0)
    default: break
    }
    if let zone = thing.zone { levels.append(zone) }
    // `memory` stands in `memory/memory_free_bytes` once.
    let head = levels.first?.replacing("_", with: " ") ?? ""
    var words = stem
    if words == head {
      words = ""
    } else if words.hasPrefix(head + " ") {
      words.removeFirst(head.count + 1)
    }
    return sentence([head] + levels.dropFirst() + [words])
  }

  /// The field without its unit, which Home Assistant shows beside the value.
  private static func stem(_ entry: FieldCatalog.Entry) -> String {
    let suffix: String? =
      switch entry.listed.field.unit {
      case .seconds: "_seconds"
      case .bytes: "_bytes"
      case .ratio: "_ratio"
      case .hertz: "_hertz"
      case .celsius: "_celsius"
      case .decibelMilliwatts: "_dbm"
      case .bitsPerSecond: "_bits_per_second"
      case .count, .volts, .amperes, .watts, .joules, .revolutionsPerMinute, .none: nil
      }
    var name = entry.name
    if let suffix, name.hasSuffix(suffix) { name.removeLast(suffix.count) }
    return name.replacing("_", with: " ")
  }

  private static func sentence(_ words: [String]) -> String {
    let text = words.filter { !$0.isEmpty }.joined(separator: " ")
    return text.prefix(1).uppercased() + text.dropFirst()
  }
}
