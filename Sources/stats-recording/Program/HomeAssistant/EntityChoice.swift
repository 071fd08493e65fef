import Records

/// Which fields become entities of Home Assistant.
///
/// Without patterns: what goes up and down, of all that is sampled again and again. Processes are too
/// many, counters are little use without their rate, and what happened once is no state.
struct EntityChoice: Sendable {
  let patterns: [FieldPattern]

  func wants(_ topic: RecordTopic, _ entry: FieldCatalog.Entry) -> Bool {
    // An array is no state.
    guard entry.listed.field.nature != .identity, entry.listed.form != .buckets else {
      return false
    }
    guard patterns.isEmpty else {
      return patterns.contains { $0.matches(topic, field: entry.name) }
    }
    return entry.kind.occasion == .sample && entry.listed.field.nature == .gauge
      && !Self.seldomWanted.contains(entry.name)
  }

  /// Whether an entity of this topic and field, which an earlier run made, is still wanted.
  func wants(_ topic: RecordTopic, field: String) -> Bool {
    FieldCatalog.entries.contains {
      $0.name == field && ($0.program ?? topic.program) == topic.program && wants(topic, $0)
    }
  }

  /// Limits, which do not change, and a time that Home Assistant would show as a length of time.
  private static let seldomWanted: Set = [
    "min", "max", "critical_min", "critical_max", "emergency", "boot_time_seconds",
  ]
}

extension RecordKind {
  /// Why there is a record of this kind.
  enum Occasion: Sendable {
    /// Again and again, at an interval.
    case sample
    /// The same for each process.
    case process
    /// Something happened.
    case event
    /// A unit of systemd is in a new state.
    case unit
  }

  var occasion: Occasion {
    switch self {
    case .systemInformation, .cpuTimes, .cpuActivity, .cpuFrequency, .memory, .pageActivity,
      .networkInterface, .sockets, .wireless, .disk, .fileSystem, .flashWear, .processCounts,
      .thermalZone, .sensor, .raspberryPi, .pressureSample:
      .sample
    case .process, .processLoad: .process
    case .sourceState, .pressureStall, .coreDump, .processExit, .processSummary,
      .accountingState, .processLifecycle, .dltLoss, .jobResult, .managerEvent,
      // Told when there is something to tell, for whatever keys there are.
      .traceValue, .traceHistogram, .traceEvent, .traceLoss:
      .event
    case .unitState: .unit
    }
  }

  init?(named name: String) {
    guard let kind = Self.byName[name] else { return nil }
    self = kind
  }

  private static let byName = Dictionary(
    uniqueKeysWithValues: allCases.map { ("\($0.name)", $0) })
}
