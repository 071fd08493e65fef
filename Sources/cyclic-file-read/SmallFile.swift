import CLinux
import Linux

/// A file of /proc or /sys that stays open and is read from its beginning each time.
struct SmallFile: ~Copyable {
  private let descriptor: FileDescriptor
  let path: String

  /// Errors: those of open(2).
  init(_ path: String) throws(SystemError) {
    let descriptor = try FileDescriptor.open(path)
    self.descriptor = descriptor
    self.path = path
  }

  /// Reads all of it into the buffer, which grows where it is too small; returns how much it is.
  ///
  /// Errors: those of pread(2); EFBIG beyond `limit`.
  func read(into buffer: inout [UInt8], limit: Int = 1 << 22) throws(SystemError) -> Int {
    var count = 0
    while true {
      if count == buffer.count {
        guard count < limit else { throw SystemError("pread", errno: EFBIG, path) }
        buffer.append(contentsOf: repeatElement(0, count: max(512, count)))
      }
      let room = buffer.count - count
      let more = buffer.withUnsafeMutableBytes {
        pread(descriptor.raw, $0.baseAddress! + count, room, numericCast(count))
      }
      if more == 0 { return count }
      if more < 0 {
        let errno = clinux_errno()
        if errno == EINTR { continue }
        throw SystemError("pread", errno: errno, path)
      }
      count += more
    }
  }
}
