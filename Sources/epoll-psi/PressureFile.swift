import CLinux
import Linux
import Records

/// An open pressure file, which is read again and again.
struct PressureFile: ~Copyable {
  enum Failure: Error {
    /// The cgroup was removed, or its accounting was switched off.
    case gone
    case system(SystemError)
    case malformed(PressureFormatError)
  }

  let descriptor: FileDescriptor

  init(_ path: Path, _ flags: Int32 = O_RDONLY) throws(SystemError) {
    descriptor = try path.open(flags | O_NONBLOCK)
  }

  /// The pressure now: two lines of at most 80 bytes.
  borrowing func read() throws(Failure) -> Pressure {
    let file = descriptor.raw
    return try withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 512) {
      (buffer) throws(Failure) in
      let count = pread(file, buffer.baseAddress, buffer.count, 0)
      guard count >= 0 else {
        let errno = clinux_errno()
        if errno == ENODEV { throw .gone }
        throw .system(SystemError("read", errno: errno))
      }
      do throws(PressureFormatError) {
        return try Pressure(parsing: buffer.span.extracting(first: count))
      } catch {
        throw .malformed(error)
      }
    }
  }

  /// Whether the kernel makes this file up: a copy of one would take a trigger for its new content.
  var isLive: Bool {
    var system = statfs()
    guard fstatfs(descriptor.raw, &system) == 0 else { return false }
    let type = UInt32(truncatingIfNeeded: system.f_type)
    return type == UInt32(PROC_SUPER_MAGIC) || type == UInt32(CGROUP2_SUPER_MAGIC)
  }

  /// Sets a trigger: from now on the descriptor is ready for ``Readiness/priority`` when it fires.
  ///
  /// Closing the descriptor removes it; a descriptor has one at most. Errors: those of write(2),
  /// EINVAL if the kernel does not allow the window or knows no such scope.
  borrowing func set(_ trigger: Trigger) throws(SystemError) {
    let command = trigger.command
    guard write(descriptor.raw, command, command.count) == command.count else {
      throw SystemError("write", trigger.description)
    }
  }
}

/// A path whose names may be any bytes.
struct Path {
  private(set) var bytes: [UInt8]

  init(_ text: String) {
    bytes = [UInt8](text.utf8)
  }

  mutating func append(_ name: Span<UInt8>) {
    bytes.append(UInt8(ascii: "/"))
    for index in 0..<name.count { bytes.append(name[index]) }
  }

  func appending(_ name: StaticString, _ suffix: StaticString = "") -> Path {
    var path = self
    path.bytes.append(UInt8(ascii: "/"))
    name.withUTF8Buffer { path.bytes.append(contentsOf: $0) }
    suffix.withUTF8Buffer { path.bytes.append(contentsOf: $0) }
    return path
  }

  /// As C wants it.
  var forC: [CChar] { bytes.map { CChar(bitPattern: $0) } + [0] }

  /// For a person.
  var description: String { String(decoding: bytes, as: UTF8.self) }

  /// open(2), always with O_CLOEXEC.
  func open(_ flags: Int32) throws(SystemError) -> FileDescriptor {
    let raw = clinux_open(forC, flags | O_CLOEXEC, 0)
    if raw < 0 { throw SystemError("open", description) }
    return FileDescriptor(owning: raw)
  }

  /// The inode of the folder that this is; nil if it is none. stat(2), links are followed.
  var folderInode: UInt64? {
    var status = stat()
    guard stat(forC, &status) == 0, status.st_mode & mode_t(S_IFMT) == S_IFDIR else { return nil }
    return UInt64(status.st_ino)
  }
}
