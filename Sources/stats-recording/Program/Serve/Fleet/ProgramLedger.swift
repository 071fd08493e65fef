/// What of a program's records has arrived, come twice, or is missing: by the sequence numbers of each
/// of its runs.
struct ProgramLedger: Sendable {
  private(set) var received = 0
  private(set) var duplicated = 0
  /// Runs after the first that was seen: the program, or the device, started anew.
  private(set) var restarts = 0
  private var runs: [Run] = []
  private var missingOfOldRuns = 0
  private var droppedOfOldRuns = 0

  /// Numbers that did not come.
  var missing: Int { runs.reduce(missingOfOldRuns) { $0.addingUpTo($1.missing) } }
  /// Records that found the device's queue full, as the runs themselves tell.
  var droppedAtSource: Int { runs.reduce(droppedOfOldRuns) { $0.addingUpTo($1.dropped) } }

  enum Arrival: Equatable {
    /// The next, after so many that are missing.
    case next(missing: Int)
    /// It was missing up to now.
    case late
    case duplicate
    case newRun(isFirst: Bool, isNewBoot: Bool)
  }

  /// How many runs may still have records on the way.
  private static let runLimit = 8

  mutating func note(_ record: PublishedRecord) -> Arrival {
    let id = RecordRun(bootID: record.bootID, instance: record.instance)
    guard let index = runs.lastIndex(where: { $0.id == id }) else {
      received += 1
      return begin(Run(id, record))
    }
    let arrival = runs[index].note(record)
    if arrival == .duplicate { duplicated += 1 } else { received += 1 }
    return arrival
  }

  private mutating func begin(_ run: Run) -> Arrival {
    let isFirst = runs.isEmpty
    let isNewBoot = !isFirst && !runs.contains { $0.id.bootID == run.id.bootID }
    if !isFirst { restarts += 1 }
    runs.append(run)
    if runs.count > Self.runLimit {
      let old = runs.removeFirst()
      missingOfOldRuns = missingOfOldRuns.addingUpTo(old.missing)
      droppedOfOldRuns = droppedOfOldRuns.addingUpTo(old.dropped)
    }
    return .newRun(isFirst: isFirst, isNewBoot: isNewBoot)
  }

  private struct Run: Sendable {
    let id: RecordRun
    private var sequence: RunSequence
    /// The most that a record of it has said.
    private(set) var dropped: Int

    /// Behind more gaps it is forgotten what came: if that comes again it is late, not a duplicate.
    private static let gapLimit = 256

    init(_ id: RecordRun, _ record: PublishedRecord) {
      self.id = id
      sequence = RunSequence(record, gaps: Self.gapLimit)
      dropped = Int(clamping: record.dropped)
    }

    var missing: Int { Int(clamping: sequence.missing) }

    mutating func note(_ record: PublishedRecord) -> Arrival {
      dropped = max(dropped, Int(clamping: record.dropped))
      switch sequence.note(record) {
      case .next(let missing): return .next(missing: Int(clamping: missing))
      case .late: return .late
      case .duplicate: return .duplicate
      }
    }
  }
}

extension Int {
  /// The sum, or the largest number: a sequence number may be anything.
  func addingUpTo(_ other: Int) -> Int {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
