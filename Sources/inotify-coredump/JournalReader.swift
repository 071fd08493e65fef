import CLinux
import Daemon
import Linux
import Records

/// A journal that may not be there, may come later, and may fail: then it is opened again.
struct JournalReader: ~Copyable {
  private let options: CoredumpOptions
  private let log: Log
  private var journal: Journal?
  private var start: Journal.Start
  private var isNew = false

  init(_ options: CoredumpOptions, _ start: Journal.Start, _ log: Log) {
    self.options = options
    self.log = log
    self.start = start
    open()
  }

  /// There should be a journal, and there is none yet.
  var isMissing: Bool {
    switch journal {
    case .some: false
    case .none: options.usesJournal
    }
  }

  /// Whether an entry may follow a file.
  var expectsEntries: Bool {
    switch journal {
    case .some(let journal): journal.hasFiles
    case .none: false
    }
  }

  /// The descriptor of a journal that was opened since this was last asked.
  mutating func newDescriptor() -> Int32? {
    guard isNew else { return nil }
    isNew = false
    switch journal {
    case .some(let journal): return journal.descriptor
    case .none: return nil
    }
  }

  /// Where the journal stands; empty on no entry.
  var cursor: [UInt8] {
    switch journal {
    case .some(let journal): (try? journal.cursor()) ?? []
    case .none: []
    }
  }

  /// Tries once more to open a journal that was not there, behind the entry of `cursor`.
  mutating func retry(after cursor: [UInt8]) {
    guard isMissing else { return }
    if !cursor.isEmpty { start = .after(cursor) }
    open()
  }

  private mutating func open() {
    guard options.usesJournal else { return }
    do throws(SystemError) {
      journal = try Journal(directory: options.journalDirectory, start)
      isNew = true
    } catch {
      if error.errno == ENOENT {
        log.detail(error.description)
      } else {
        log.warning("\(error.description): only the folder is watched")
      }
    }
    // Opened again without having been read, it goes on from here.
    if case .end = start { start = .time(UInt64(clamping: realTimeNanoseconds() / 1000)) }
  }

  /// Takes in what the descriptor told.
  mutating func process() {
    do throws(SystemError) {
      switch journal {
      case .some(let journal): try journal.process()
      case .none: return
      }
    } catch {
      fail(error)
    }
  }

  /// Goes to the next entry; false if there is none yet, or no journal.
  mutating func next() -> Bool {
    do throws(SystemError) {
      return try journal?.next() ?? false
    } catch {
      fail(error)
      return false
    }
  }

  private mutating func fail(_ error: SystemError) {
    log.warning("\(error.description): the journal is opened again later")
    journal = nil
    isNew = false
  }

  /// The current entry; nil if there is no journal.
  func entry() throws(JournalEntry.Refusal) -> JournalEntry? {
    switch journal {
    case .some(let journal): return try JournalEntry(journal)
    case .none: return nil
    }
  }

  /// Adds to a dump what the current entry tells.
  func add(_ entry: JournalEntry, to dump: inout CoreDump) {
    switch journal {
    case .some(let journal): dump.add(entry, journal)
    case .none: return
    }
  }
}
