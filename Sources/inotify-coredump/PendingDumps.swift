import Records

/// A dump that was seen and is not told yet.
final class PendingDump {
  enum Stage: Equatable {
    /// The file may still be written: it had this length when it was looked at.
    case growing(size: UInt64)
    /// The file is whole; the journal's entry may still come.
    case waiting
    /// To be told as soon as there is room for it.
    case ready
  }

  let key: CoreDumpKey
  /// The name of its file; empty if there is none.
  let name: [UInt8]
  var dump: CoreDump
  var stage = Stage.growing(size: .max)
  /// When to go on, by CLOCK_MONOTONIC in nanoseconds.
  var due: UInt64 = 0
  /// Where the journal stood on its entry; empty if the entry was not seen.
  var cursor: [UInt8] = []

  init(_ key: CoreDumpKey, name: [UInt8], _ dump: CoreDump) {
    self.key = key
    self.name = name
    self.dump = dump
  }
}

/// The dumps between the moment when they are seen and the moment when they are told.
///
/// systemd-coredump gives the file its name, and writes to the journal a moment later, when it has
/// read the stack. So a file waits for its entry, and an entry takes its file along.
struct PendingDumps {
  /// More than this many are left where they are, in the folder and in the journal.
  static let capacity = 64
  /// A file without systemd's attributes that has not grown for so long, and that nobody has told
  /// to be closed, is whole.
  static let quietTime: UInt64 = 2_000_000_000

  private(set) var list: [PendingDump] = []

  var isFull: Bool { list.count >= Self.capacity }

  subscript(key: CoreDumpKey) -> PendingDump? { list.first { $0.key == key } }

  mutating func append(_ dump: PendingDump) { list.append(dump) }
  mutating func remove(_ dump: PendingDump) { list.removeAll { $0 === dump } }

  /// The first that is ready.
  var ready: PendingDump? { list.first { $0.stage == .ready } }

  /// The first that must be looked at again now.
  func due(_ now: UInt64) -> PendingDump? { list.first { $0.stage != .ready && $0.due <= now } }

  /// When the next one will be due; nil: none waits for time to pass.
  var nextDue: UInt64? {
    var earliest: UInt64?
    for dump in list where dump.stage != .ready { earliest = min(earliest ?? dump.due, dump.due) }
    return earliest
  }
}

/// What a file's look means for the dump: pure, so that the rules can be tested without a folder.
struct FilePolicy {
  /// How long a whole file waits for the journal's entry; 0 without a journal.
  let journalWait: UInt64

  /// The stage and due time of a dump whose file was looked at; nil if it is no dump.
  ///
  /// `before` is the stage that it had; `isClosed` says that who wrote it has closed it, or has
  /// moved it here.
  func stage(
    _ file: CoreDumpFile, isClosed: Bool, before: PendingDump.Stage?, _ now: UInt64
  ) -> (stage: PendingDump.Stage, due: UInt64)? {
    let whole: (PendingDump.Stage, UInt64) =
      journalWait == 0 ? (.ready, now) : (.waiting, now + journalWait)
    switch file {
    case .other: return nil
    case .missing: return whole
    case .file(_, isDescribed: true): return whole
    case .file(let size, isDescribed: false), .unreadable(let size, _):
      if isClosed { return whole }
      if case .growing(let earlier) = before, earlier == size { return whole }
      return (.growing(size: size), now + PendingDumps.quietTime)
    }
  }
}
