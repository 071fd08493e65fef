import CLinux
import Linux
import Records

/// A file of accounting records, and up to where it has been told.
final class AccountingFile {
  let path: Text
  let descriptor: FileDescriptor
  let device: UInt64
  let inode: UInt64
  /// The file that the kernel went on in.
  var later: AccountingFile?
  /// Where the first record stands that has not been told.
  var offset: UInt64 = 0
  /// The hash of the record before ``offset``; see ``Position``.
  var fingerprint: UInt64 = 0

  /// Errors: those of open(2) and fstat(2); EINVAL if it is not a regular file.
  init(_ path: Text) throws(SystemError) {
    let descriptor = try FileDescriptor.open(path, O_RDONLY | O_NONBLOCK)
    var status = stat()
    guard fstat(descriptor.raw, &status) == 0 else { throw SystemError("fstat", path) }
    guard status.st_mode & mode_t(S_IFMT) == mode_t(S_IFREG) else {
      throw SystemError("open", errno: EINVAL, path)
    }
    self.path = path
    self.descriptor = descriptor
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
  }

  /// How long it is now. Errors: those of fstat(2).
  func size() throws(SystemError) -> UInt64 {
    var status = stat()
    guard fstat(descriptor.raw, &status) == 0 else { throw SystemError("fstat", path) }
    return UInt64(max(0, status.st_size))
  }

  var position: Position {
    Position(device: device, inode: inode, offset: offset, fingerprint: fingerprint)
  }

  /// Goes on at a position; false, and at the start, if the file is not the one it is of.
  ///
  /// The device is not compared: its number may be another one after the machine has started anew.
  func goOn(at position: Position) -> Bool {
    guard position.inode == inode, fingerprint(before: position.offset) == position.fingerprint
    else { return false }
    offset = position.offset
    fingerprint = position.fingerprint
    return true
  }

  /// Goes on behind the last whole record. Errors: those of fstat(2).
  func goToEnd() throws(SystemError) {
    let end = try size() / UInt64(ProcessExit.accountingRecordSize)
    offset = end * UInt64(ProcessExit.accountingRecordSize)
    // It may be cut between the two calls: then the next look finds that out.
    fingerprint = fingerprint(before: offset) ?? 0
  }

  /// The hash of the record before an offset; nil if the file does not reach there.
  private func fingerprint(before offset: UInt64) -> UInt64? {
    if offset == 0 { return 0 }
    let size = ProcessExit.accountingRecordSize
    var record = [UInt8](repeating: 0, count: size)
    guard offset >= UInt64(size),
      pread(descriptor.raw, &record, size, off_t(offset) - off_t(size)) == size
    else { return nil }
    return hash(record.span)
  }
}
