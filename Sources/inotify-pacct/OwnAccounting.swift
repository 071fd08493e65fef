import CLinux
import Linux
import Records

/// Accounting that this program turned on itself, into files that it removes when they are read.
///
/// What acct(2) guarantees: when it returns, no more record comes into the file before; an end that
/// was being recorded has been waited for, and every later one is in the new file (`acct_get()` and
/// `acct_pin_kill()` in kernel/acct.c). So the old file is read to its end, then removed.
final class OwnAccounting: AccountingSource {
  private let folder: Text
  private let size: UInt64
  private let lock: FileDescriptor
  private var number: UInt64 = 0
  private var isOn = false

  /// While nobody takes the records, the oldest are lost beyond so many files.
  static let limit = 8

  /// The files' names are this and a number that grows.
  static let prefix: StaticString = "inotify-pacct.acct."

  /// Makes the folder if it is not there. Errors: those of mkdir(2) and open(2); EWOULDBLOCK if
  /// another process has its own accounting in there.
  init(folder: Text, size: UInt64) throws(SystemError) {
    self.folder = folder
    self.size = size
    if mkdir(folder.c, 0o700) != 0 && clinux_errno() != EEXIST {
      throw SystemError("mkdir", folder)
    }
    lock = try FileDescriptor.open(folder, O_RDONLY | O_DIRECTORY)
    guard flock(lock.raw, LOCK_EX | LOCK_NB) == 0 else { throw SystemError("flock", folder) }
    try super.init()
    positions = PositionFile("\(folder)/inotify-pacct.position")
  }

  override var name: Text { folder }
  override var keepsPositionInMemory: Bool { true }

  /// Turns accounting on; what an earlier run left comes first. Errors: those of acct(2).
  func start(_ kept: Position?) throws(SystemError) {
    while let later = try leftover(after: number) { number = later }
    let last = number
    let file = try next()
    // Only now have the old files their end.
    var leftover: UInt64 = 0
    while let later = try self.leftover(after: leftover), later <= last {
      let old = try AccountingFile(path(later))
      if let kept { _ = old.goOn(at: kept) }
      backlog.append(old)
      leftover = later
    }
    backlog.append(file)
    try dropOldest()
  }

  /// The lowest number of a file above `number`.
  private func leftover(after number: UInt64) throws(SystemError) -> UInt64? {
    let prefix = Self.prefix.utf8CodeUnitCount
    var lowest: UInt64?
    try forEachEntry(of: folder) { name, _ in
      guard name.starts(with: Self.prefix),
        let found = name.extracting(droppingFirst: prefix).decimal, found > number,
        found < lowest ?? UInt64.max
      else { return }
      lowest = found
    }
    return lowest
  }

  private func path(_ number: UInt64) -> Text {
    "\(folder)/\(Self.prefix)\(number)"
  }

  /// Makes the kernel go on in a new file. Errors: those of open(2) and acct(2).
  private func next() throws(SystemError) -> AccountingFile {
    let path = path(number + 1)
    _ = try FileDescriptor.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
    do throws(SystemError) {
      let file = try AccountingFile(path)
      guard acct(path.c) == 0 else { throw SystemError("acct", path) }
      isOn = true
      number += 1
      _ = try inotify.addWatch(path, [.modified])
      return file
    } catch {
      _ = unlink(path.c)
      throw error
    }
  }

  override func endWasReached() throws(SystemError) -> Bool {
    guard let first = backlog.first else { return false }
    if backlog.count > 1 || !isOn {
      backlog.removeFirst()
      _ = unlink(first.path.c)
      if backlog.count == 0 { positions?.remove() }
      return backlog.count > 0
    }
    backlog.settle()
    guard first.offset >= size else { return false }
    backlog.append(try next())
    return true
  }

  /// Keeps the files within their bounds while nobody takes the records.
  override func look() throws(SystemError) {
    guard isOn, let last = backlog.last, try last.size() >= size else { return }
    backlog.append(try next())
    try dropOldest()
  }

  private func dropOldest() throws(SystemError) {
    while backlog.count > Self.limit, let first = backlog.first {
      backlog.settle()
      let records = try (first.size() - min(first.size(), first.offset)) / 64
      backlog.removeFirst()
      _ = unlink(first.path.c)
      recordsLost += records
      news.append(.lost)
    }
  }

  override func stop() throws(SystemError) {
    isOn = false
    guard acct(nil) == 0 else { throw SystemError("acct") }
  }

  /// Takes back ``start(_:)`` where only one record was wanted: leaves what was there before.
  func abandon() throws(SystemError) {
    try stop()
    if let last = backlog.last { _ = unlink(last.path.c) }
  }

  // Whatever goes wrong: nobody would read what the kernel writes.
  deinit { if isOn { _ = acct(nil) } }
}
