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
    private(set) var dropped: Int
    private var first: UInt64
    private var last: UInt64
    /// The numbers between first and last that did not come, from the lowest on.
    private var holes: [ClosedRange<UInt64>] = []
    /// Missing, and no longer looked for.
    private var forgotten = 0

    private static let holeLimit = 256

    init(_ id: RecordRun, _ record: PublishedRecord) {
      self.id = id
      dropped = Int(clamping: record.dropped)
      first = record.sequence
      last = record.sequence
    }

    var missing: Int { holes.reduce(forgotten) { $0.addingUpTo(Self.count($1)) } }

    private static func count(_ hole: ClosedRange<UInt64>) -> Int {
      Int(clamping: hole.upperBound - hole.lowerBound).addingUpTo(1)
    }

    mutating func note(_ record: PublishedRecord) -> Arrival {
      dropped = max(dropped, Int(clamping: record.dropped))
      let number = record.sequence
      if number > last {
        defer { last = number }
        guard number - last > 1 else { return .next(missing: 0) }
        let hole = last + 1...number - 1
        add(hole, at: holes.endIndex)
        return .next(missing: Self.count(hole))
      }
      if number < first {
        if first - number > 1 { add(number + 1...first - 1, at: 0) }
        first = number
        return .late
      }
      guard let index = holes.firstIndex(where: { $0.contains(number) }) else { return .duplicate }
      let hole = holes.remove(at: index)
      if number < hole.upperBound { holes.insert(number + 1...hole.upperBound, at: index) }
      if number > hole.lowerBound { holes.insert(hole.lowerBound...number - 1, at: index) }
      return .late
    }

    private mutating func add(_ hole: ClosedRange<UInt64>, at index: Int) {
      holes.insert(hole, at: index)
      if holes.count > Self.holeLimit {
        forgotten = forgotten.addingUpTo(Self.count(holes.removeFirst()))
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
