import CLinux
import Linux

/// A segment that is being written, in large pieces.
struct SpillFile: ~Copyable {
  /// What is to be written next: whole entries.
  var bytes: [UInt8] = []
  /// Bytes and entries that are in the file, first and last arrival.
  private(set) var size: UInt64 = 0
  private(set) var count: UInt64 = 0
  private(set) var first: UInt64 = 0
  private(set) var last: UInt64 = 0
  /// Why there are no more; nil if that is not the disk's fault.
  private(set) var diskIsFull: SystemError?

  private let file: FileDescriptor
  private let path: Text
  private var pendingCount: UInt64 = 0
  private var pendingLast: UInt64 = 0

  init(_ file: consuming FileDescriptor, _ path: Text) {
    self.file = file
    self.path = path
  }

  /// An entry of this arrival stands in `bytes`.
  mutating func note(_ arrival: UInt64) {
    if count + pendingCount == 0 { first = arrival }
    pendingLast = arrival
    pendingCount += 1
  }

  /// Writes `bytes`; false if the disk is full, and then the file ends with the piece before.
  ///
  /// Errors: those of write(2).
  mutating func write() throws(SystemError) -> Bool {
    guard diskIsFull == nil, pendingCount > 0 else { return false }
    var written = 0
    while written < bytes.count {
      let rest = bytes.count - written
      let count = bytes.withUnsafeBytes { CLinux.write(file.raw, $0.baseAddress! + written, rest) }
      if count > 0 {
        written += count
        continue
      }
      let errno = clinux_errno()
      if errno == EINTR { continue }
      let error = SystemError("write", errno: errno, path)
      guard errno == ENOSPC || errno == EDQUOT, ftruncate(file.raw, off_t(size)) == 0 else {
        throw error
      }
      diskIsFull = error
      return false
    }
    size += UInt64(bytes.count)
    count += pendingCount
    last = pendingLast
    pendingCount = 0
    bytes.removeAll(keepingCapacity: true)
    return true
  }

  /// Errors: those of fsync(2).
  func synchronize() throws(SystemError) {
    guard count > 0 else { return }
    guard fsync(file.raw) == 0 else { throw SystemError("fsync", path) }
  }
}
