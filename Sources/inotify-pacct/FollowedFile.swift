import CLinux
import Linux
import Records

/// The accounting file that the distribution keeps, through rotation, truncation and removal.
///
/// Rotation: the old file is renamed or removed, a new one made, and then accton(8) makes the kernel
/// go on in it. After acct(2) nothing more comes into the old file. So as soon as there is something
/// in the new one, the old one has its end, is read up to it, and left.
final class FollowedFile: AccountingSource {
  private let path: Text
  private let folder: Text
  private var isMissing = false

  /// Watches the file. Errors: those of inotify; then nothing can be told of it.
  init(_ path: Text) throws(SystemError) {
    self.path = path
    let bytes = path.bytes
    let slash = bytes.lastIndex(of: UInt8(ascii: "/"))
    folder = slash.map { $0 == 0 ? "/" : Text(bytes[..<$0]) } ?? "."
    try super.init()
  }

  override var name: Text { path }

  /// Opens the file and goes on at the position that was kept; without one at its end, or with
  /// `fromStart` at its start. Errors: those of open(2).
  func open(_ kept: Position?, fromStart: Bool) throws(SystemError) {
    let file = try AccountingFile(path)
    if let kept {
      if !file.goOn(at: kept) {
        if let rotated = rotatedFile(kept) {
          backlog.append(rotated)
        } else {
          news.append(kept.inode == file.inode ? .truncated : .lost)
        }
      }
    } else if !fromStart {
      try file.goToEnd()
    }
    backlog.append(file)
    try watch()
  }

  /// The file that the position is of, under another name in the same folder.
  private func rotatedFile(_ kept: Position) -> AccountingFile? {
    var found: AccountingFile?
    let start = Text("\(folder)/")
    // A folder that cannot be read has none.
    try? forEachEntry(of: folder) { name, inode in
      guard inode == kept.inode, found == nil else { return }
      let path = start + Text(name)
      if let file = try? AccountingFile(path), file.goOn(at: kept) { found = file }
    }
    return found
  }

  /// Watches what stands at the path now. A watch goes with its file, so this is done again and
  /// again; a file that is watched already is no second watch.
  private func watch() throws(SystemError) {
    _ = try inotify.addWatch(folder, [.created, .movedTo, .movedFrom, .deleted])
    do throws(SystemError) {
      _ = try inotify.addWatch(path, [.modified])
    } catch {
      if error.errno != ENOENT { throw error }
    }
  }

  override func endWasReached() throws(SystemError) -> Bool {
    if backlog.count > 1 {
      backlog.removeFirst()
      news.append(.rotated)
      return true
    }
    var status = stat()
    guard stat(path.c, &status) == 0, status.st_mode & mode_t(S_IFMT) == mode_t(S_IFREG) else {
      if !isMissing { news.append(.missing) }
      isMissing = true
      return false
    }
    isMissing = false
    if let last = backlog.last, last.inode == UInt64(status.st_ino),
      last.device == UInt64(status.st_dev)
    {
      return false
    }
    try watch()
    // Up to its first record the kernel may still write the old file.
    guard status.st_size > 0 else { return false }
    backlog.append(try AccountingFile(path))
    return true
  }

  override func look() throws(SystemError) {
    do throws(SystemError) {
      try watch()
    } catch {
      // The folder may be gone, and may come back.
      if error.errno != ENOENT { throw error }
    }
  }
}
