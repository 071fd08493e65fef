import Linux
import Records

/// The journal's entry about a dump, MESSAGE_ID fc2e22bc6ee647b6b90729ab34a250b1.
///
/// Beside the fields of ``Detail``:
///
/// ```
/// _BOOT_ID            32 hexadecimal digits
/// _UID                whose process wrote the entry
/// COREDUMP_FILENAME   path of the file; missing: none was kept
/// COREDUMP            the dump itself, with Storage=journal of coredump.conf(5)
/// ```
struct JournalEntry {
  let key: CoreDumpKey
  /// The name of the file without its folders; empty if none was kept.
  let fileName: [UInt8]
  /// Whether the entry holds the dump itself.
  let holdsDump: Bool

  /// Why an entry is not used.
  enum Refusal: Error {
    /// No boot, process or time: nobody could say which dump it is about.
    case incomplete
    /// Somebody wrote it who is neither systemd-coredump nor the user whose process it was.
    case forged

    var text: Text {
      switch self {
      case .incomplete: "does not say which process crashed, and when"
      case .forged: "was written by another user than it is about"
      }
    }
  }

  /// Reads the journal's current entry.
  init(_ journal: borrowing Journal) throws(Refusal) {
    let boot = journal.withField("_BOOT_ID") { BootID(parsing: $0) } ?? nil
    let pid: UInt32? = journal.withField("COREDUMP_PID") { decimalValue($0) } ?? nil
    let time = journal.withField("COREDUMP_TIMESTAMP") { crashTime(parsing: $0) } ?? nil
    guard let boot, let pid, pid > 0, let time else { throw .incomplete }
    let writer: UInt32? = journal.withField("_UID") { decimalValue($0) } ?? nil
    let user: UInt32? = journal.withField("COREDUMP_UID") { decimalValue($0) } ?? nil
    guard Self.mayBeWritten(by: writer, about: user) else { throw .forged }
    key = CoreDumpKey(boot: boot, pid: pid, time: time)
    fileName = journal.withField("COREDUMP_FILENAME") { Self.lastPart(of: $0) } ?? []
    holdsDump = journal.withField("COREDUMP") { _ in true } ?? false
  }

  /// Every user can write to the journal, but journald notes who did. systemd-coredump writes as
  /// the user whose process crashed or, for system users, as one of its own.
  static func mayBeWritten(by writer: UInt32?, about user: UInt32?) -> Bool {
    guard let writer else { return true }
    return writer < 1000 || writer == user
  }

  /// `core.x` of `/var/lib/systemd/coredump/core.x`.
  static func lastPart(of path: Span<UInt8>) -> [UInt8] {
    var start = path.count
    while start > 0 && path[start - 1] != UInt8(ascii: "/") { start -= 1 }
    return (start..<path.count).map { path[$0] }
  }
}

extension CoreDump {
  /// Adds what the journal's current entry tells.
  mutating func add(_ entry: JournalEntry, _ journal: borrowing Journal) {
    setKey(entry.key)
    hasJournalEntry = true
    for detail in Detail.allCases {
      _ = journal.withField(detail.journalField) { set(detail, $0) }
    }
    storage = entry.holdsDump ? .journal : entry.fileName.isEmpty ? .none : .file
    if entry.fileName.isEmpty {
      setNoFile()
    } else if let name = CoreDumpName(parsing: entry.fileName.span) {
      compression = name.compression
    }
  }
}
