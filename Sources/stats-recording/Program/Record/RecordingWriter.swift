import Foundation
import GRDB

/// An SQLite file that records are written to, in the form of ``RecordingSchema``.
///
/// WAL, so that others read while this writes; a batch is a transaction. What was written stays after a
/// kill; a power cut may take the last seconds, unless it `isDurable`, and never damages the file.
final class RecordingWriter: RecordingTarget {
  let path: String
  private(set) var lastReceived: Int64 = 0
  private let limits: RecordingLimits
  private let database: DatabaseQueue
  private let lock: RecordingLock
  private var sources: [RecordedSource: Int64] = [:]
  private var runs: [RecordRun: Int64] = [:]
  private var notices: [String] = []
  private var fault: RecordingFault
  private var removedRecords = 0
  private var removalFails = false
  private var nextRemoval = Date.distantPast

  /// Opens it or makes it. Errors: it is no recording, or another recorder has it.
  init(
    _ path: String, _ limits: RecordingLimits, isDurable: Bool = false
  ) throws(RecordingFailure) {
    self.path = path
    self.limits = limits
    fault = RecordingFault(isHeld: isDurable)
    // Held until the database is closed: SQLite's own locks would go with this descriptor.
    lock = try RecordingLock(path, names: path)
    do {
      var configuration = Configuration()
      configuration.journalMode = .wal
      configuration.busyMode = .timeout(10)
      configuration.prepareDatabase { database in
        try database.execute(
          sql: """
            PRAGMA auto_vacuum = INCREMENTAL; PRAGMA synchronous = NORMAL;
            PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384
            """)
      }
      database = try DatabaseQueue(path: path, configuration: configuration)
      if isDurable {
        // GRDB has set it to NORMAL with WAL, whatever was said before.
        try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
      }
      lastReceived = try database.write { database in
        if try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema") == 0 {
          try RecordingSchema.create(database)
        }
        try RecordingSchema.check(database, path: path)
        return try Int64.fetchOne(database, sql: "SELECT max(received) FROM record") ?? 0
      }
    } catch {
      throw RecordingFailure(error, path: path)
    }
  }

  func write(_ arrivals: [Arrival], failed: inout [Arrival]) -> RecordingCount {
    guard !arrivals.isEmpty else { return RecordingCount() }
    if sources.count > 100_000 { sources.removeAll() }
    if runs.count > 100_000 { runs.removeAll() }
    do {
      let (count, last) = try database.writeWithoutTransaction { database in
        var (count, last) = (RecordingCount(), lastReceived)
        try database.inTransaction(.immediate) {
          for arrival in arrivals {
            last = max(arrival.message.received, last + 1)
            if try insert(arrival, received: last, database) {
              count.written += 1
            } else {
              count.duplicated += 1
            }
          }
          return .commit
        }
        return (count, last)
      }
      lastReceived = last
      if let notice = fault.succeeded(path) { notices.append(notice) }
      return count
    } catch {
      // Names that were added are not there.
      sources.removeAll()
      runs.removeAll()
      let failure = RecordingFailure(error, path: path)
      if let notice = fault.failed(failure, records: arrivals.count) { notices.append(notice) }
      failed += arrivals
      return RecordingCount(notWritten: arrivals.count)
    }
  }

  private func insert(_ arrival: Arrival, received: Int64, _ database: Database) throws -> Bool {
    let message = arrival.message
    let run = arrival.identity?.run ?? RecordRun(bootID: "", instance: 0)
    let statement = try database.cachedStatement(
      sql: """
        INSERT INTO record (received, source, run, seq, time, payload) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (source, run, seq) DO NOTHING
        """)
    statement.setUncheckedArguments([
      received, try id(of: message.source, database), try id(of: run, database),
      arrival.identity.map { Int64(bitPattern: $0.sequence) } ?? message.received, message.time,
      String(decoding: message.payload, as: UTF8.self),
    ])
    try statement.execute()
    return database.changesCount > 0
  }

  private func id(of source: RecordedSource, _ database: Database) throws -> Int64 {
    if let id = sources[source] { return id }
    let names: StatementArguments = [
      source.topic.device, source.topic.program, source.topic.place, source.kind, source.prefix,
    ]
    try database.execute(
      sql: """
        INSERT INTO source (device, program, place, kind, prefix) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO NOTHING
        """, arguments: names)
    let id = try Int64.fetchOne(
      database,
      sql: """
        SELECT id FROM source
        WHERE device = ? AND program = ? AND place = ? AND kind = ? AND prefix = ?
        """, arguments: names)
    sources[source] = id
    return id ?? 0
  }

  private func id(of run: RecordRun, _ database: Database) throws -> Int64 {
    if let id = runs[run] { return id }
    let names: StatementArguments = [run.bootID, Int64(bitPattern: run.instance)]
    try database.execute(
      sql: "INSERT INTO run (boot_id, instance) VALUES (?, ?) ON CONFLICT DO NOTHING",
      arguments: names)
    let id = try Int64.fetchOne(
      database, sql: "SELECT id FROM run WHERE boot_id = ? AND instance = ?", arguments: names)
    runs[run] = id
    return id ?? 0
  }

  func close() {
    do { try database.close() } catch { notices.append("\(RecordingFailure(error, path: path))") }
  }

  func takeNotices() -> [String] {
    defer { notices.removeAll() }
    return notices
  }

  var removed: String? {
    limits.keepSize == nil && limits.keepAge == nil
      ? nil : "\(removedRecords) records removed to keep within the limits"
  }

  // MARK: Keeping within the limits

  func tidy() {
    do {
      if let age = limits.keepAge, Date() >= nextRemoval {
        // A hundred times in that time, so that it is not told each second.
        nextRemoval = Date(timeIntervalSinceNow: max(1, Double(age) / 1e8))
        try removeByAge(age)
      }
      try removeBySize()
      removalFails = false
    } catch {
      defer { removalFails = true }
      guard !removalFails else { return }
      let failure = RecordingFailure(error, path: path)
      notices.append("\(failure); nothing is removed until that is over")
    }
  }

  private func removeByAge(_ age: Int64) throws {
    let oldest = Int64(Date().timeIntervalSince1970 * 1e6) - age
    let count = try removeOldest(before: oldest) { _ in true }
    tell(count, "older than --keep-age")
  }

  private func removeBySize() throws {
    guard let size = limits.keepSize else { return }
    guard try database.read({ try Self.usedBytes($0) }) > size else { return }
    // A tenth at a time, so that it is told now and then and not each second.
    let goal = size - size / 10
    let count = try removeOldest(before: .max) { try Self.usedBytes($0) > goal }
    try database.writeWithoutTransaction { database in
      let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
      let pageSize = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 0
      // Free pages are used again; a file that is too large gives them back.
      if pages * pageSize > size { try database.execute(sql: "PRAGMA incremental_vacuum") }
    }
    tell(count, "beyond --keep-size \(ByteCount.words(size))")
  }

  private func tell(_ count: Int, _ why: String) {
    guard count > 0 else { return }
    removedRecords += count
    notices.append("\(path): removed the \(count) oldest records: \(why)")
  }

  /// In steps, so that readers and the writer come between.
  private func removeOldest(
    before received: Int64, while isTooMuch: (Database) throws -> Bool
  ) throws -> Int {
    var count = 0
    while true {
      let removed = try database.write { database in
        guard try isTooMuch(database) else { return 0 }
        try database.execute(
          sql: """
            DELETE FROM record WHERE received IN
              (SELECT received FROM record WHERE received < ? ORDER BY received LIMIT 1000)
            """, arguments: [received])
        return database.changesCount
      }
      if removed == 0 { return count }
      count += removed
    }
  }

  /// The file without its free pages.
  private static func usedBytes(_ database: Database) throws -> Int {
    let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
    let free = try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0
    return (pages - free) * (try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 0)
  }
}
