import Foundation
import Records

/// Which fields a person wants: `load1`, `temperature_*`, `cyclic-file-read/*/temperature_celsius`,
/// `pi-7/cyclic-sysinfo/load1`.
///
/// The last level is the field; what stands before it is matched against the end of device, program
/// and place. Each level is a glob of fnmatch(3); `**` stands for any number of levels.
struct FieldPattern: Sendable {
  let text: String
  private let levels: [String]

  init(_ text: String) {
    self.text = text
    levels = text.split(separator: "/").map(String.init)
  }

  var field: String { levels.last ?? "*" }

  func matches(_ topic: RecordTopic, field: String) -> Bool {
    guard Self.glob(self.field, field) else { return false }
    let wanted = levels.dropLast()
    if wanted.isEmpty { return true }
    let place = topic.place.isEmpty ? [] : topic.place.split(separator: "/")
    let path = [topic.device, topic.program] + place.map(String.init)
    // From the device on, or from the program on.
    return Self.matches(wanted, path[...]) || Self.matches(wanted, path[1...])
  }

  /// Whether topics of a program may match; without a name, of any program.
  func mayMatch(program: String?) -> Bool {
    guard let program, levels.count > 1 else { return true }
    if Self.programs.contains(levels[0]) { return levels[0] == program }
    return levels.dropLast().prefix(2).contains { Self.glob($0, program) } || levels[0] == "**"
  }

  private static let programs = Set(Program.allCases.map { "\($0.name)" })

  private static func matches(_ wanted: ArraySlice<String>, _ path: ArraySlice<String>) -> Bool {
    guard let first = wanted.first else { return path.isEmpty }
    if first == "**" {
      return (path.startIndex...path.endIndex).contains {
        matches(wanted.dropFirst(), path[$0...])
      }
    }
    // `program/*/field` is also for places of several levels, which people do not count.
    if first == "*", wanted.count == 1, !path.isEmpty { return true }
    guard let level = path.first, glob(first, level) else { return false }
    return matches(wanted.dropFirst(), path.dropFirst())
  }

  static func glob(_ pattern: String, _ text: String) -> Bool { fnmatch(pattern, text, 0) == 0 }
}

/// All fields that bridges publish, from the list that the device programs themselves use.
enum FieldCatalog {
  struct Entry: Sendable {
    let program: String?
    let kind: RecordKind
    let listed: ListedField

    var name: String { "\(listed.field.name)" }
  }

  static let entries: [Entry] = RecordKind.allCases.flatMap { kind in
    kind.fields.map {
      Entry(program: kind.program.map { "\($0.name)" }, kind: kind, listed: $0)
    }
  }

  private static let byKind: [String: [String: Entry]] = Dictionary(
    grouping: entries, by: { "\($0.kind.name)" }
  ).mapValues { Dictionary($0.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first }) }

  static func entry(kind: String, field: String) -> Entry? { byKind[kind]?[field] }

  /// Names that a pattern nobody publishes may have meant, the nearest first; empty if one matches.
  static func suggestions(for pattern: FieldPattern) -> [String] {
    let names = Set(entries.map(\.name))
    if names.contains(where: { FieldPattern.glob(pattern.field, $0) }) { return [] }
    return names.map { (name: $0, distance: distance(pattern.field, $0)) }
      .filter { $0.distance <= max(3, $0.name.count / 2) }
      .sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
      .prefix(5).map(\.name)
  }

  /// What a beginning may become, for completion in a shell; with `numbersOnly` fields that can be
  /// drawn alone.
  static func completions(of beginning: String, numbersOnly: Bool) -> [String] {
    let entries = entries.filter { entry in
      guard numbersOnly else { return true }
      switch entry.listed.form {
      case .integer, .decimal, .boolean: return entry.listed.field.nature != .identity
      case .name, .text, .buckets: return false
      }
    }
    var found: Set<String> = []
    if let slash = beginning.lastIndex(of: "/") {
      let path = beginning[...slash]
      let isProgramAlone = path.firstIndex(of: "/") == slash
      for entry in entries where FieldPattern(path + entry.name).mayMatch(program: entry.program) {
        // Behind a program stands the place, where its records have one.
        let hasPlace = entry.kind != .systemInformation && entry.kind != .processExit
        found.insert(path + (isProgramAlone && hasPlace ? "*/" : "") + entry.name)
      }
    } else {
      for entry in entries { found.insert(entry.name) }
      for program in Set(entries.compactMap(\.program)) { found.insert(program + "/") }
    }
    return found.filter { $0.hasPrefix(beginning) }.sorted()
  }

  /// Levenshtein's, but that a word of the name alone costs little: `temperature` is near to
  /// `temperature_celsius`.
  static func distance(_ wanted: String, _ name: String) -> Int {
    if name.contains(wanted) { return 1 }
    let (left, right) = (Array(wanted.utf8), Array(name.utf8))
    var row = Array(0...right.count)
    for (index, character) in left.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for other in right.indices {
        let substituted = diagonal + (right[other] == character ? 0 : 1)
        diagonal = row[other + 1]
        row[other + 1] = min(substituted, row[other] + 1, row[other + 1] + 1)
      }
    }
    return row[right.count]
  }
}
