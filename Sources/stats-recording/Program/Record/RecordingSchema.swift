import Foundation
import GRDB

/// How a recording stands in an SQLite file.
///
/// | table | what |
/// |---|---|
/// | `source` | of whom: prefix, device, program, place, kind |
/// | `run` | a run of a program: boot_id, instance |
/// | `record` | `received` (microseconds, the key), source, run, seq, `time` (nanoseconds), payload |
/// | `records` | a view of all of it with the names, for people and their SQL |
///
/// A record is there once: source, run and seq are unique. A status has the run ('', 0) and its
/// arrival as seq. Numbers above 2^63 - 1 are negative: SQLite has no others.
enum RecordingSchema {
  /// `PRAGMA application_id`: "stRe".
  static let applicationID: Int32 = 0x7374_5265
  /// `PRAGMA user_version`; a file of a later version is refused.
  static let version: Int32 = 1

  static func create(_ database: Database) throws {
    try database.execute(
      sql: """
        CREATE TABLE source (
          id INTEGER PRIMARY KEY, prefix TEXT NOT NULL, device TEXT NOT NULL,
          program TEXT NOT NULL, place TEXT NOT NULL, kind TEXT NOT NULL,
          UNIQUE (device, program, place, kind, prefix));
        CREATE TABLE run (
          id INTEGER PRIMARY KEY, boot_id TEXT NOT NULL, instance INTEGER NOT NULL,
          UNIQUE (boot_id, instance));
        CREATE TABLE record (
          received INTEGER PRIMARY KEY,
          source INTEGER NOT NULL REFERENCES source, run INTEGER NOT NULL REFERENCES run,
          seq INTEGER NOT NULL, time INTEGER NOT NULL, payload TEXT NOT NULL,
          UNIQUE (source, run, seq));
        CREATE INDEX record_by_source_and_time ON record (source, time);
        CREATE INDEX record_by_time ON record (time);
        CREATE VIEW records AS
          SELECT record.received / 1e6 AS received, record.time / 1e9 AS time, device, program,
            place, kind, boot_id, instance, seq, payload
          FROM record JOIN source ON source.id = record.source JOIN run ON run.id = record.run;
        PRAGMA application_id = \(applicationID);
        PRAGMA user_version = \(version);
        """)
  }

  /// Errors: the file is no recording, or one of a later version.
  static func check(_ database: Database, path: String) throws {
    let id = try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0
    guard id == applicationID else {
      throw RecordingFailure("\(path) is an SQLite file, but no recording of stats-recording")
    }
    let found = try Int32.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    guard found <= version else {
      throw RecordingFailure(
        "\(path) was recorded by a later version of stats-recording: it has format \(found), "
          + "this version reads \(version)")
    }
  }
}

extension RecordingFailure {
  /// An error of SQLite or of this, in one line that names the file.
  init(_ error: any Error, path: String) {
    switch error {
    case let failure as RecordingFailure: self = failure
    case let error as DatabaseError:
      let words = error.message ?? "error \(error.resultCode.rawValue)"
      self.init("\(path): \(words)")
    default: self.init("\(path): \(error)")
    }
  }
}
