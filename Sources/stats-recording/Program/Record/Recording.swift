import Foundation
import GRDB

/// A recording in an SQLite file, to be read, also while it is being written.
///
/// Nothing is held between two messages: a reader may take its time.
final class Recording: Sendable {
  let path: String
  private let database: DatabaseQueue

  /// Errors: there is no such file, or it is no recording.
  init(_ path: String) throws(RecordingFailure) {
    self.path = path
    do {
      guard FileManager.default.fileExists(atPath: path) else {
        throw RecordingFailure("\(path): there is no such file")
      }
      var configuration = Configuration()
      configuration.readonly = true
      configuration.busyMode = .timeout(10)
      database = try Self.open(path, configuration)
    } catch {
      throw RecordingFailure(error, path: path)
    }
  }

  private static func open(_ path: String, _ configuration: Configuration) throws -> DatabaseQueue {
    do {
      let database = try DatabaseQueue(path: path, configuration: configuration)
      try database.read { try RecordingSchema.check($0, path: path) }
      return database
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CANTOPEN {
      // WAL wants a file beside it, also of a reader. Where none can be made nobody writes either.
      guard let unchanging = unchanging(path) else { throw error }
      let database = try DatabaseQueue(path: unchanging, configuration: configuration)
      try database.read { try RecordingSchema.check($0, path: path) }
      return database
    }
  }

  /// The name by which SQLite takes a file for one that nobody changes; nil if somebody may.
  private static func unchanging(_ path: String) -> String? {
    guard access(path + "-wal", F_OK) != 0 else { return nil }
    let full = URL(filePath: path).path()
    return "file:\(full)?immutable=1"
  }

  /// Everything that was ever recorded in it, by device, program, place and kind.
  func sources() throws(RecordingFailure) -> [RecordedSource] {
    try identifiedSources().map(\.source)
  }

  /// The messages that are wanted, in the order that is wanted, read as they are asked for.
  func messages(_ selection: RecordingSelection = .init()) throws(RecordingFailure)
    -> RecordedMessages
  {
    let sources = try identifiedSources().filter { selection.includes($0.source) }
    switch selection.order {
    case .arrival:
      let byID = Dictionary(uniqueKeysWithValues: sources.map { ($0.id, $0.source) })
      return RecordedMessages(arrivals(byID, selection))
    case .oldestFirst, .newestFirst:
      let isAscending = selection.order == .oldestFirst
      // A few thousand rows at a time, however many sources there are.
      let count = max(8, 4096 / max(1, sources.count))
      do {
        var merge = try OrderedMerge(
          sources.map { ofSource($0.id, $0.source, selection, count: count) },
          key: { isAscending ? $0.time : ~$0.time })
        return RecordedMessages { try merge.next() }
      } catch {
        throw RecordingFailure(error, path: path)
      }
    }
  }

  /// The records that are wanted, at most `limit`; statuses are left out.
  func records(
    _ selection: RecordingSelection, limit: Int = .max
  ) throws(RecordingFailure) -> [PublishedRecord] {
    var messages = try messages(selection)
    var records: [PublishedRecord] = []
    while records.count < limit, let message = try messages.next() {
      if let record = message.record { records.append(record) }
    }
    return records
  }

  /// The values of the fields that match, each in the order that is wanted, at most `limit` in all.
  func values(
    _ pattern: FieldPattern, _ selection: RecordingSelection, limit: Int = .max
  ) throws(RecordingFailure) -> [RecordedSeries: [RecordedValue]] {
    var values: [RecordedSeries: [RecordedValue]] = [:]
    var count = 0
    var messages = try messages(selection)
    while count < limit, let message = try messages.next() {
      guard let record = message.record else { continue }
      for field in record.fields where pattern.matches(record.topic, field: field.name) {
        values[RecordedSeries(source: message.source, field: field.name), default: []]
          .append(RecordedValue(time: message.time, value: field.value))
        count += 1
      }
    }
    return values
  }

  /// The time of the first and of the last record, Unix time in nanoseconds; nil if there is none.
  func times() throws(RecordingFailure) -> ClosedRange<Int64>? {
    try read { database in
      let row = try Row.fetchOne(
        database, sql: "SELECT (SELECT min(time) FROM record), (SELECT max(time) FROM record)")
      guard let first = row?[0] as Int64?, let last = row?[1] as Int64? else { return nil }
      return first...last
    }
  }

  /// The devices, each with the times of its first and its last message, Unix time in nanoseconds.
  func devices() throws(RecordingFailure) -> [String: ClosedRange<Int64>] {
    let rows = try read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT device, min(first), max(last) FROM (
            SELECT device, (SELECT min(time) FROM record WHERE record.source = source.id) AS first,
              (SELECT max(time) FROM record WHERE record.source = source.id) AS last FROM source)
          WHERE first NOT NULL GROUP BY device
          """
      ).map { (device: $0[0] as String, times: ($0[1] as Int64)...($0[2] as Int64)) }
    }
    return Dictionary(rows.map { ($0.device, $0.times) }, uniquingKeysWith: { first, _ in first })
  }

  // MARK: Reading

  private func read<Value: Sendable>(
    _ body: @Sendable (Database) throws -> Value
  ) throws(RecordingFailure) -> Value {
    do { return try database.read(body) } catch { throw RecordingFailure(error, path: path) }
  }

  private func identifiedSources() throws(RecordingFailure) -> [(
    id: Int64, source: RecordedSource
  )] {
    try read { database in
      try Row.fetchAll(
        database, sql: "SELECT id, prefix, device, program, place, kind FROM source ORDER BY id"
      ).compactMap { row in
        let (prefix, place): (String, String) = (row[1], row[4])
        let topic = "\(prefix)/\(row[2] as String)/\(row[3] as String)"
        return RecordTopic(place.isEmpty ? topic : "\(topic)/\(place)", prefix: prefix)
          .map { (row[0], RecordedSource(prefix: prefix, topic: $0, kind: row[5])) }
      }
    }
  }

  private func arrivals(
    _ sources: [Int64: RecordedSource], _ selection: RecordingSelection
  ) -> () throws -> RecordedMessage? {
    var last = Int64.min
    return chunked { [self] in
      // What is not wanted does not count: a chunk that has nothing is not the end.
      while true {
        let after = last
        let (final, wanted) = try read { database in
          let rows = try Row.fetchAll(
            database,
            sql: """
              SELECT received, time, source, payload FROM record WHERE received > ?
              ORDER BY received LIMIT 1000
              """, arguments: [after])
          let messages = rows.compactMap { row in sources[row[2]].map { Self.message(row, $0) } }
          return (rows.last.map { $0[0] as Int64 }, messages.filter(selection.includes))
        }
        guard let final else { return [] }
        last = final
        if !wanted.isEmpty { return wanted }
      }
    }
  }

  private func ofSource(
    _ id: Int64, _ source: RecordedSource, _ selection: RecordingSelection, count: Int
  ) -> () throws -> RecordedMessage? {
    let isAscending = selection.order == .oldestFirst
    let (comparison, direction) = isAscending ? (">", "ASC") : ("<", "DESC")
    let sql = """
      SELECT received, time, source, payload FROM record
      WHERE source = ? AND time >= ? AND time < ? AND (time, received) \(comparison) (?, ?)
      ORDER BY time \(direction), received \(direction) LIMIT ?
      """
    let times = selection.times ?? Int64.min..<Int64.max
    var last: (time: Int64, received: Int64) =
      isAscending ? (Int64.min, Int64.min) : (Int64.max, Int64.max)
    return chunked { [self] in
      let after = last
      let messages = try read { database in
        try Row.fetchAll(
          database, sql: sql,
          arguments: [
            id, times.lowerBound, times.upperBound, after.time, after.received, count,
          ]
        ).map { Self.message($0, source) }
      }
      if let final = messages.last { last = (final.time, final.received) }
      return messages
    }
  }

  private static func message(_ row: Row, _ source: RecordedSource) -> RecordedMessage {
    RecordedMessage(
      received: row[0], time: row[1], source: source, payload: Array((row[3] as String).utf8))
  }

  /// One by one what `fetch` gives many of; nothing is the end.
  private func chunked(
    _ fetch: @escaping () throws -> [RecordedMessage]
  ) -> () throws -> RecordedMessage? {
    var (chunk, index) = ([RecordedMessage](), 0)
    return {
      if index == chunk.count {
        chunk = try fetch()
        index = 0
        if chunk.isEmpty { return nil }
      }
      defer { index += 1 }
      return chunk[index]
    }
  }
}

/// One field of one source.
struct RecordedSeries: Equatable, Hashable, Sendable {
  let source: RecordedSource
  let field: String
}

/// A field's value at a time, Unix time in nanoseconds.
struct RecordedValue: Equatable, Sendable {
  let time: Int64
  let value: JSONValue
}

/// The messages of a recording, read as they are asked for.
struct RecordedMessages {
  private let read: () throws -> RecordedMessage?

  init(_ read: @escaping () throws -> RecordedMessage?) { self.read = read }

  /// nil at the end. Errors: the recording cannot be read any further.
  mutating func next() throws(RecordingFailure) -> RecordedMessage? {
    do { return try read() } catch {
      throw error as? RecordingFailure ?? RecordingFailure("\(error)")
    }
  }
}
