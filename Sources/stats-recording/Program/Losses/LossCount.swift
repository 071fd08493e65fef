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

  private var runs: [RecordRun: RunSequence] = [:]
  private var newest = Int64.min
  private var bootIDs: Set<String> = []
  private let lateNanoseconds: Int64

  init(lateNanoseconds: Int64) { self.lateNanoseconds = lateNanoseconds }

  mutating func add(_ record: PublishedRecord) {
    let key = record.identity.run
    // The dictionary's own copy goes first, or the numbers would be copied with each record.
    guard var run = runs.removeValue(forKey: key) else {
      begin(key, record)
      return count(record)
    }
    if run.note(record) == .duplicate { duplicated += 1 } else { count(record) }
    runs[key] = run
  }

  /// The beginning of a run that follows another one is known: whatever is before the first record that
  /// came is missing. The first run was there before anybody listened, and of an older run that comes
  /// late nobody knows where it began.
  private mutating func begin(_ key: RecordRun, _ record: PublishedRecord) {
    let isFollowed = !runs.isEmpty && record.timeNanoseconds >= newest
    if isFollowed {
      if bootIDs.contains(key.bootID) { restarts += 1 } else { reboots += 1 }
    }
    bootIDs.insert(key.bootID)
    runs[key] = RunSequence(record, isFollowed: isFollowed)
  }

  private mutating func count(_ record: PublishedRecord) {
    received += 1
    if newest > record.timeNanoseconds, Self.isLate(record, newest, lateNanoseconds) { late += 1 }
    newest = max(newest, record.timeNanoseconds)
  }

  private static func isLate(
    _ record: PublishedRecord, _ newest: Int64, _ limit: Int64
  ) -> Bool {
    let (behind, overflow) = newest.subtractingReportingOverflow(record.timeNanoseconds)
    return overflow || behind > limit
  }

  /// Numbers between the first and the last record of each run that never came.
  var missing: UInt64 { runs.values.reduce(0) { $0 &+ $1.missing } }

  /// Of the missing, those that found the queue full, as the program itself says.
  var droppedAtSource: UInt64 { runs.values.reduce(0) { $0 &+ $1.droppedSinceFirst } }

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
