import Records

/// Which fields of which records are drawn.
struct PlotSelection: Sendable {
  let patterns: [FieldPattern]
  /// Names or ids.
  let processes: [String]

  /// What is wrong with a choice, and how to mend it.
  struct Mistake: Error, Equatable, CustomStringConvertible { let description: String }

  /// Errors: a name that no field has, or of fields that are no numbers.
  init(fields: [String], processes: [String] = []) throws(Mistake) {
    patterns = fields.map(FieldPattern.init)
    self.processes = processes
    if fields.isEmpty && processes.isEmpty {
      throw Mistake(
        description: "name a field, such as load1, or --process NAME; watch shows what there is")
    }
    for pattern in patterns { try Self.check(pattern) }
  }

  private static func check(_ pattern: FieldPattern) throws(Mistake) {
    let near = FieldCatalog.suggestions(for: pattern)
    let entries = FieldCatalog.entries.filter { FieldPattern.glob(pattern.field, $0.name) }
    if entries.isEmpty {
      let hint = near.isEmpty ? "watch shows all" : "near are \(near.joined(separator: ", "))"
      throw Mistake(description: "no field is called \(pattern.text); \(hint)")
    }
    guard entries.contains(where: { isNumber($0, pattern) }) else {
      throw Mistake(description: "\(pattern.text) is no number; watch shows it")
    }
    let there = entries.filter { isNumber($0, pattern) && pattern.mayMatch(program: $0.program) }
    if there.isEmpty {
      let programs = Set(entries.compactMap(\.program)).sorted().joined(separator: ", ")
      throw Mistake(
        description: "\(pattern.text): the field \(pattern.field) comes from \(programs)")
    }
  }

  private static func isNumber(_ entry: FieldCatalog.Entry, _ pattern: FieldPattern) -> Bool {
    switch entry.listed.form {
    case .integer, .decimal, .boolean:
      // A process id is a number, but a pattern that happens to fit it does not mean it.
      entry.listed.field.nature != .identity || entry.name == pattern.field
    case .name, .text, .buckets: false
    }
  }

  /// The units in which these fields are drawn, as far as they are known beforehand.
  var units: Set<PlotUnit> {
    var units = Set(processes.isEmpty ? [] : [PlotUnit(.ratio), PlotUnit(.bytes)])
    for pattern in patterns {
      for entry in FieldCatalog.entries
      where FieldPattern.glob(pattern.field, entry.name) && Self.isNumber(entry, pattern)
        && pattern.mayMatch(program: entry.program)
      {
        units.insert(PlotUnit(of: entry.listed.field))
      }
    }
    return units
  }

  /// The programs that send these fields; with `events` also those that send events.
  func programs(events: Bool) -> Set<String> {
    var programs: Set<String> = []
    for entry in FieldCatalog.entries {
      guard let program = entry.program else { continue }
      let isWanted = patterns.contains {
        FieldPattern.glob($0.field, entry.name) && $0.mayMatch(program: program)
      }
      let isEvent = events && entry.kind.mayBeEvent
      let isProcess = !processes.isEmpty && (entry.kind == .process || entry.kind == .processLoad)
      if isWanted || isEvent || isProcess { programs.insert(program) }
    }
    return programs
  }

  private static let processFields: Set = ["cpu_ratio", "memory_resident_bytes"]

  func wants(_ field: String, of record: PublishedRecord) -> Bool {
    if !processes.isEmpty, Self.processFields.contains(field), isWantedProcess(record) {
      return true
    }
    return patterns.contains { pattern in
      guard pattern.matches(record.topic, field: field) else { return false }
      guard let entry = FieldCatalog.entry(kind: record.kind, field: field) else { return true }
      return Self.isNumber(entry, pattern)
    }
  }

  private func isWantedProcess(_ record: PublishedRecord) -> Bool {
    let names: [String]
    switch record.kind {
    case "process": names = ["name", "pid"]
    case "process_load": names = ["process", "comm", "pid"]
    default: return false
    }
    return names.contains { name in
      guard let value = record.fields[name]?.readable else { return false }
      return processes.contains { FieldPattern.glob($0, value) }
    }
  }
}

extension RecordKind {
  /// Whether some of these are events.
  fileprivate var mayBeEvent: Bool {
    switch self {
    case .coreDump, .processExit, .pressureStall, .unitState, .jobResult, .managerEvent,
      .processLifecycle, .accountingState, .dltLoss, .sourceState, .traceEvent, .traceLoss:
      true
    case .systemInformation, .cpuTimes, .cpuActivity, .cpuFrequency, .memory, .pageActivity,
      .networkInterface, .sockets, .wireless, .disk, .fileSystem, .flashWear, .processCounts,
      .process, .thermalZone, .sensor, .raspberryPi, .pressureSample, .processSummary,
      .processLoad, .traceValue, .traceHistogram:
      false
    }
  }
}
