import Foundation

/// What became of a program's records: each record that came is counted in, and the sequence tells
/// the ones that did not come.
struct LossCount: Sendable {
  /// Different records.
  private(set) var received: UInt64 = 0
  private(set) var duplicated: UInt64 = 0
  /// Came after one that was taken more than the limit later.
  private(set) var late: UInt64 = 0
  /// The program was started again, in the same boot or in another one.
  private(set) var restarts: UInt64 = 0
  private(set) var reboots: UInt64 = 0

  private struct Run {
    var seen = SequenceSet()
    /// The lowest and the highest number, and how many the program had dropped by then.
    var first: (sequence: UInt64, dropped: UInt64)
    var last: (sequence: UInt64, dropped: UInt64)
  }

  private var runs: [RecordRun: Run] = [:]
  private var newest = Int64.min
  private var bootIDs: Set<String> = []
  private let lateNanoseconds: Int64

  init(lateNanoseconds: Int64) { self.lateNanoseconds = lateNanoseconds }

  mutating func add(_ record: PublishedRecord) {
    let key = record.identity.run
    var run: Run
    if let known = runs[key] {
      run = known
    } else {
      run = Run(
        first: (record.sequence, record.dropped), last: (record.sequence, record.dropped))
      // The beginning of a run that follows another one is known: whatever is before the first record
      // that came is missing. The first run was there before anybody listened, and of an older run
      // that comes late nobody knows where it began.
      if !runs.isEmpty && record.timeNanoseconds >= newest {
        run.first = (0, 0)
        if bootIDs.contains(key.bootID) { restarts += 1 } else { reboots += 1 }
      }
      bootIDs.insert(key.bootID)
    }
    // The dictionary's own copy goes first, or the set would be copied with each record.
    runs[key] = nil
    if run.seen.insert(record.sequence) {
      received += 1
      if record.sequence < run.first.sequence { run.first = (record.sequence, record.dropped) }
      if record.sequence > run.last.sequence { run.last = (record.sequence, record.dropped) }
      if newest > record.timeNanoseconds, Self.isLate(record, newest, lateNanoseconds) { late += 1 }
      newest = max(newest, record.timeNanoseconds)
    } else {
      duplicated += 1
    }
    runs[key] = run
  }

  private static func isLate(
    _ record: PublishedRecord, _ newest: Int64, _ limit: Int64
  ) -> Bool {
    let (behind, overflow) = newest.subtractingReportingOverflow(record.timeNanoseconds)
    return overflow || behind > limit
  }

  /// Numbers between the first and the last record of each run that never came.
  var missing: UInt64 {
    runs.values.reduce(0) { sum, run in
      // A number may be counted twice if its range was forgotten: never below nothing.
      let span = run.last.sequence - run.first.sequence
      return sum &+ (span &+ 1 >= run.seen.count ? span &+ 1 &- run.seen.count : 0)
    }
  }

  /// Of the missing, those that found the queue full, as the program itself says.
  var droppedAtSource: UInt64 {
    runs.values.reduce(0) { sum, run in
      sum &+ (run.last.dropped >= run.first.dropped ? run.last.dropped - run.first.dropped : 0)
    }
  }

  /// Lost between the queue and here.
  var lostOnTheWay: UInt64 {
    let (missing, dropped) = (missing, droppedAtSource)
    return missing >= dropped ? missing - dropped : 0
  }
}

/// The counts of all programs.
struct LossTable: Sendable {
  struct Program: Equatable, Hashable, Comparable, Sendable {
    let device: String
    let program: String

    static func < (left: Self, right: Self) -> Bool {
      (left.device, left.program) < (right.device, right.program)
    }
  }

  private(set) var counts: [Program: LossCount] = [:]
  private let lateNanoseconds: Int64

  init(lateNanoseconds: Int64) { self.lateNanoseconds = lateNanoseconds }

  mutating func add(_ record: PublishedRecord) {
    let program = Program(device: record.topic.device, program: record.topic.program)
    counts[program, default: LossCount(lateNanoseconds: lateNanoseconds)].add(record)
  }

  private static let numbers: [(name: String, value: @Sendable (LossCount) -> UInt64)] = [
    ("received", \.received), ("duplicated", \.duplicated), ("missing", \.missing),
    ("dropped", \.droppedAtSource), ("lost", \.lostOnTheWay), ("late", \.late),
    ("restarts", \.restarts), ("reboots", \.reboots),
  ]

  /// Columns for people, the numbers to the right.
  var lines: [String] {
    var rows = [["device", "program"] + Self.numbers.map(\.name)]
    for (program, count) in counts.sorted(by: { $0.key < $1.key }) {
      rows.append([program.device, program.program] + Self.numbers.map { "\($0.value(count))" })
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      zip(row, widths).enumerated().map { column, cell in
        let space = String(repeating: " ", count: cell.1 - cell.0.count)
        return column < 2 ? cell.0 + space : space + cell.0
      }.joined(separator: "  ")
    }
  }

  /// One object for each program.
  var json: [String] {
    counts.sorted { $0.key < $1.key }.map { program, count in
      var line: [UInt8] = []
      line.append(
        json: [
          JSONMember(name: "device", value: .text(program.device)),
          JSONMember(name: "program", value: .text(program.program)),
        ] + Self.numbers.map { JSONMember(name: $0.name, value: .number("\($0.value(count))")) })
      return String(decoding: line, as: UTF8.self)
    }
  }
}
