import CLinux

/// Owns a file descriptor; it is closed once, when its owner goes.
public struct FileDescriptor: ~Copyable, Sendable {
  public let raw: Int32

  public init(owning raw: Int32) {
    self.raw = raw
  }

  deinit { _ = close(raw) }

  /// open(2), always with O_CLOEXEC.
  public static func open(
    _ path: Text, _ flags: Int32 = O_RDONLY, mode: mode_t = 0
  ) throws(SystemError) -> FileDescriptor {
    FileDescriptor(owning: try check(clinux_open(path.c, flags | O_CLOEXEC, mode), "open", path))
  }

  /// Reads on to the end of a file of `limit` bytes at most.
  ///
  /// Errors: those of read(2); EFBIG if the file is longer than `limit`.
  public borrowing func readToEnd(limit: Int, _ path: Text) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      var chunk = [UInt8](repeating: 0, count: min(4096, limit + 1))
      let count = read(raw, &chunk, chunk.count)
      if count == 0 { return bytes }
      if count < 0 {
        let errno = clinux_errno()
        if errno == EINTR { continue }
        throw SystemError("read", errno: errno, path)
      }
      bytes.append(contentsOf: chunk[0..<count])
      if bytes.count > limit { throw SystemError("read", errno: EFBIG, path) }
    }
  }
}

/// The content of a file of `limit` bytes at most. Errors: those of open(2) and read(2), EFBIG.
public func readFile(_ path: Text, limit: Int = 65536) throws(SystemError) -> [UInt8] {
  try FileDescriptor.open(path).readToEnd(limit: limit, path)
}

/// Whether there is something at this path: access(2).
public func exists(_ path: Text) -> Bool { access(path.c, F_OK) == 0 }

/// Allows the program as many descriptors as the hard limit does, and returns how many it may have.
///
/// systemd.exec(5) on LimitNOFILE=: right for a program without select(2). What still cannot be
/// opened is told where it happens.
@discardableResult
public func allowMoreDescriptors() -> Int {
  let descriptors = Int32(RLIMIT_NOFILE.rawValue)
  var limit = rlimit()
  guard getrlimit(descriptors, &limit) == 0 else { return 0 }
  let soft = limit.rlim_cur
  limit.rlim_cur = limit.rlim_max
  return Int(clamping: setrlimit(descriptors, &limit) == 0 ? limit.rlim_max : soft)
}
