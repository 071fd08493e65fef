import CLinux
import Daemon
import Linux
import Records

/// Brings together what the folder and the journal tell, and tells of each dump once.
///
/// A dump is seen when its name appears in the folder or its entry in the journal, pends until both
/// are there or need not be waited for, and is told when the queue takes it. What does not fit stays
/// where it is: in the folder, and in the journal behind ``ToldDumps/cursor``.
final class Collector {
  private let options: CoredumpOptions
  private let log: Log
  private let stateFile: StateFile?
  private var sender: RecordSender
  private(set) var folder: WatchedFolder
  private(set) var journal: JournalReader
  private var told: ToldDumps
  private var pending = PendingDumps()
  /// The queue is full; go on when it has room.
  private(set) var isBlocked = false
  private var wasBlocked = false
  private var mustScan = false
  private var mustSave = false
  private var hasWarnedOfRights = false
  /// It comes with more than one event.
  private var lastOddName: [UInt8] = []

  /// Opens everything and takes up where the program ended last.
  init(
    _ options: CoredumpOptions, _ sender: consuming RecordSender, _ log: Log
  ) throws(SystemError) {
    let folder = try WatchedFolder(options.folder)
    let stateFile = options.stateFile.map { StateFile(path: $0) }
    var left: (told: ToldDumps, time: UInt64)?
    do throws(SystemError) {
      left = try stateFile?.load()
    } catch {
      log.warning("\(error.description): what is there already will not be told")
    }
    var start: Journal.Start = options.reportsExisting ? .beginning : .end
    if let left {
      start = left.told.cursor.isEmpty ? .time(left.time) : .after(left.told.cursor)
    }
    let journal = JournalReader(options, start, log)
    self.options = options
    self.stateFile = stateFile
    self.log = log
    self.sender = sender
    self.folder = folder
    self.journal = journal
    told = left?.told ?? ToldDumps()
    mustScan = true
    if left == nil {
      mustSave = true
      if !options.reportsExisting {
        told.cursor = self.journal.cursor
        passOverExisting()
      }
    }
    if let notice = self.sender.notice { log.warning(notice) }
  }

  private func passOverExisting() {
    for dump in list() { told.insert(dump.name.key) }
  }

  // MARK: The folder

  /// Every dump that lies in the folder, by the time of the crash.
  private func list() -> [(name: CoreDumpName, bytes: [UInt8])] {
    guard folder.exists else { return [] }
    var found: [(name: CoreDumpName, bytes: [UInt8])] = []
    do throws(SystemError) {
      try folder.eachName { bytes in
        if let name = CoreDumpName(parsing: bytes) {
          var place = found.count
          while place > 0 && found[place - 1].name.key.time > name.key.time { place -= 1 }
          found.insert((name, bytes.indices.map { bytes[$0] }), at: place)
        }
      }
    } catch {
      log.warning(error.description)
    }
    return found
  }

  /// Takes what inotify(7) tells.
  func takeFolderEvents() throws(SystemError) {
    while let event = try folder.next() {
      switch event {
      case .file(let range, let isClosed): see(folder.name(range), isClosed: isClosed)
      case .appeared:
        log.information("\(folder.path) is there: watching it")
        mustScan = true
      case .gone: log.warning("\(folder.path) is gone: waiting for it")
      case .overflow:
        log.warning("more happened than inotify could tell: looking at \(folder.path)")
        mustScan = true
      }
    }
  }

  private func scan() {
    mustScan = false
    for dump in list() where !told.covers(dump.name.key) {
      see(dump.name, dump.bytes, isClosed: false)
    }
  }

  private func see(_ bytes: [UInt8], isClosed: Bool) {
    if let name = CoreDumpName(parsing: bytes.span) {
      see(name, bytes, isClosed: isClosed)
    } else if CoreDumpName.isLikeADump(bytes.span) && bytes != lastOddName {
      lastOddName = bytes
      log.warning("\(Text(bytes)): not the name of a core dump")
    }
  }

  private func see(_ name: CoreDumpName, _ bytes: [UInt8], isClosed: Bool) {
    if told.contains(name.key) { return }
    if let known = pending[name.key] {
      look(at: known, isClosed: isClosed)
    } else if pending.isFull {
      mustScan = true
    } else {
      let dump = PendingDump(name.key, name: bytes, CoreDump(name))
      pending.append(dump)
      look(at: dump, isClosed: isClosed)
    }
  }

  /// Looks at the file of a dump that pends, and says how it goes on with it.
  private func look(at dump: PendingDump, isClosed: Bool) {
    if dump.stage == .ready { return }
    let file = CoreDumpFile.look(at: folder.filePath(dump.name), &dump.dump)
    if case .unreadable(_, let errno) = file, !hasWarnedOfRights {
      hasWarnedOfRights = true
      let error = SystemError("open", errno: errno, Text(dump.name))
      log.warning("\(error.description): only CAP_DAC_READ_SEARCH shows what systemd noted")
    }
    let policy = FilePolicy(journalWait: journal.expectsEntries ? options.journalWait : 0)
    let next = policy.stage(
      file, isClosed: isClosed, before: dump.stage, monotonicNanoseconds())
    if let next {
      // A second look does not make it wait longer for the journal.
      if dump.stage != .waiting { (dump.stage, dump.due) = next }
    } else {
      pending.remove(dump)
    }
  }

  // MARK: The journal

  func takeJournal() throws(SystemError) {
    journal.process()
    try readEntries()
  }

  /// Tries once more to open a journal that was not there or could not be read.
  func retryJournal() { journal.retry(after: told.cursor) }

  func newJournalDescriptor() -> Int32? { journal.newDescriptor() }

  /// One entry at a time, so that the cursor is never beyond what was told.
  private func readEntries() throws(SystemError) {
    while !isBlocked, journal.next() {
      takeEntry()
      try tellReady()
    }
  }

  private func takeEntry() {
    let cursor = journal.cursor
    let entry: JournalEntry
    do throws(JournalEntry.Refusal) {
      guard let read = try journal.entry() else { return }
      entry = read
    } catch {
      log.warning("not used: an entry of the journal about a core dump \(error.text)")
      told.cursor = cursor
      return
    }
    if told.contains(entry.key) {
      log.detail("an entry of the journal came after its dump was told")
      told.cursor = cursor
      mustSave = true
      return
    }
    var known = pending[entry.key]
    if known == nil {
      let new = PendingDump(entry.key, name: entry.fileName, CoreDump())
      pending.append(new)
      known = new
    }
    guard let dump = known else { return }
    complete(&dump.dump, with: entry)
    dump.stage = .ready
    dump.cursor = cursor
  }

  /// Adds what the current entry and the file that it names tell.
  private func complete(_ dump: inout CoreDump, with entry: JournalEntry) {
    journal.add(entry, to: &dump)
    if !entry.fileName.isEmpty {
      _ = CoreDumpFile.look(at: folder.filePath(entry.fileName), &dump)
    }
  }

  // MARK: Telling

  /// Does what time and room allow now.
  func advance() throws(SystemError) {
    let now = monotonicNanoseconds()
    while let dump = pending.due(now) {
      if dump.stage == .waiting { dump.stage = .ready } else { look(at: dump, isClosed: false) }
    }
    wasBlocked = isBlocked
    isBlocked = false
    try tellReady()
    if mustScan && !pending.isFull {
      scan()
      try tellReady()
    }
    try readEntries()
    if mustSave { save() }
  }

  private func tellReady() throws(SystemError) {
    while !isBlocked, let dump = pending.ready {
      if options.withoutCommandLine { dump.dump.commandLine.removeAll() }
      guard try sender.offer(dump.dump) else {
        isBlocked = true
        if !wasBlocked {
          log.warning("the queue is full: core dumps wait until the bridge takes some")
        }
        return
      }
      if !dump.cursor.isEmpty { told.cursor = dump.cursor }
      told.insert(dump.key)
      pending.remove(dump)
      mustSave = true
      log.detail("told of the core dump of process \(UInt64(dump.key.pid))")
    }
  }

  private func save() {
    mustSave = false
    guard let stateFile else { return }
    do throws(SystemError) {
      try stateFile.save(told)
    } catch {
      log.warning("\(error.description): dumps may be told twice after a restart")
    }
  }

  /// Tells what was waiting for the journal; what is still being written is found at the next start.
  func finish() throws(SystemError) {
    for dump in pending.list where dump.stage == .waiting { dump.stage = .ready }
    try tellReady()
    if mustSave { save() }
  }

  /// When ``advance()`` must be called, by CLOCK_MONOTONIC; nil: when something happens.
  var nextDue: UInt64? { pending.nextDue }

  var queueDescriptor: Int32? { sender.queueDescriptor }

  func announce(_ state: SourceState.State, _ reason: Text = "") throws(SystemError) {
    try sender.announce(state, reason)
  }

  // MARK: What there is

  /// Why no dumps can come, and how to change that; nil if they can.
  func obstacle() -> Text? {
    let pattern = CorePattern.read(procfs: options.procfs, folder: folder.path)
    if pattern == .leadsHere && options.isDefaultFolder {
      // systemd-coredump makes its folder at the first dump.
      return nil
    }
    if !folder.exists { return "no \(folder.path): apt install systemd-coredump" }
    if case .leadsElsewhere(let pattern) = pattern, options.isDefaultFolder {
      return """
        core dumps do not go to systemd-coredump: apt install systemd-coredump \
        (kernel.core_pattern is \(pattern))
        """
    }
    return nil
  }

  /// Tells of the latest dump that is in the folder or in the journal; false if there is none.
  func tellLatest() throws(SystemError) -> Bool {
    let latest = list().last
    var dump = CoreDump()
    if let latest {
      dump = CoreDump(latest.name)
      _ = CoreDumpFile.look(at: folder.filePath(latest.bytes), &dump)
    }
    // Opened at its end: on the last entry, if there is one.
    if let entry = try? journal.entry(), entry.key.time >= dump.crashTimeMicroseconds {
      if entry.key != latest?.name.key { dump = CoreDump() }
      complete(&dump, with: entry)
    }
    if dump.pid == nil { return false }
    if options.withoutCommandLine { dump.commandLine.removeAll() }
    return try sender.offer(dump)
  }
}
