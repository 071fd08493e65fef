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

  init(_ path: Text, _ flags: Int32 = O_RDONLY) throws(SystemError) {
    descriptor = try FileDescriptor.open(path, flags | O_NONBLOCK)
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
