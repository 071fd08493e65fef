import CLinux
import Linux
import Records

/// Where the accounting files come from: ``FollowedFile`` or ``OwnAccounting``.
class AccountingSource {
  // Final: an access that a subclass might replace takes memory for itself, here for each record.
  final var backlog = Backlog()
  final var inotify: Inotify
  /// What happened to the accounting itself, to be told before the records that come next.
  final var news = Happenings()
  /// Records that are known to be lost, so far.
  final var recordsLost: UInt64 = 0
  final var positions: PositionFile?

  init() throws(SystemError) {
    inotify = try Inotify()
  }

  /// What a person knows the accounting by.
  var name: Text { "" }

  /// Where the position is kept in memory alone: it is written whenever records were told.
  var keepsPositionInMemory: Bool { false }

  /// Everything of the first file has been told. True: there is more to read now.
  func endWasReached() throws(SystemError) -> Bool { false }

  /// The first file holds other records than before.
  func fileWasReplaced() {
    news.append(.truncated)
    backlog.startOver()
  }

  /// Called now and then, also while nobody takes the records. Errors: none that go by themselves.
  func look() throws(SystemError) {}

  /// No more records shall come.
  func stop() throws(SystemError) {}

  /// Notes up to where the records have been told.
  func keepPosition() throws(SystemError) {
    backlog.settle()
    guard let file = backlog.first else { return }
    try positions?.write(file.position)
  }
}

/// The file that keeps a position from one run to the next.
final class PositionFile {
  private let path: Text
  private var descriptor: FileDescriptor?
  private var written: Position?

  init(_ path: Text) {
    self.path = path
  }

  /// What was kept; nil if there is none. Errors: those of reading a file; EBADMSG if it is damaged.
  func read() throws(SystemError) -> Position? {
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try readFile(path, limit: 4096)
    } catch {
      if error.errno == ENOENT { return nil }
      throw error
    }
    guard let position = Position(parsing: bytes.span) else {
      throw SystemError("read", errno: EBADMSG, path)
    }
    return position
  }

  /// Writes it if it has changed. Errors: those of open(2) and pwrite(2).
  func write(_ position: Position) throws(SystemError) {
    if position == written { return }
    let bytes = position.encode()
    if descriptor == nil {
      descriptor = try FileDescriptor.open(path, O_WRONLY | O_CREAT, mode: 0o600)
    }
    guard let raw = descriptor?.raw else { return }
    guard pwrite(raw, bytes, bytes.count, 0) == bytes.count else {
      throw SystemError("write", path)
    }
    written = position
  }

  /// Makes sure that it outlives a power cut. Errors: those of fdatasync(2).
  func synchronize() throws(SystemError) {
    guard let raw = descriptor?.raw else { return }
    guard fdatasync(raw) == 0 else { throw SystemError("fdatasync", path) }
  }

  func remove() {
    descriptor = nil
    written = nil
    _ = unlink(path.c)
  }
}

/// Calls `body` with each name in a folder and its inode. Errors: those of opendir(3).
func forEachEntry(
  of folder: Text, _ body: (_ name: Span<UInt8>, _ inode: UInt64) -> Void
) throws(SystemError) {
  guard let stream = opendir(folder.c) else { throw SystemError("opendir", folder) }
  defer { closedir(stream) }
  while let entry = readdir(stream) {
    let inode = UInt64(entry.pointee.d_ino)
    withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
      let name = bytes.bindMemory(to: UInt8.self)
      let length = strnlen(name.baseAddress!, name.count)
      body(Span(_unsafeElements: UnsafeBufferPointer(rebasing: name[..<length])), inode)
    }
  }
}
