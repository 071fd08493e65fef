import CLinux
import Linux
import Records

/// What was found at the name of a dump.
enum CoreDumpFile: Equatable {
  /// There is no such file, or none any more.
  case missing
  /// Not a regular file: no dump.
  case other
  /// A file; `isDescribed` if it has systemd's attributes, which are set before it gets its name.
  case file(size: UInt64, isDescribed: Bool)
  /// A file that this user may not read; length and place are known, the attributes are not.
  case unreadable(size: UInt64, errno: Int32)

  /// Looks at the file and adds what it tells to `dump`. `path` ends with a NUL.
  ///
  /// open(2), fstat(2), fgetxattr(2); errors other than a missing file make it ``unreadable``.
  static func look(at path: [UInt8], _ dump: inout CoreDump) -> CoreDumpFile {
    let path = path.map { CChar(bitPattern: $0) }
    let raw = clinux_open(
      path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0)
    guard raw >= 0 else { return lookFromOutside(at: path, clinux_errno(), &dump) }
    let descriptor = FileDescriptor(owning: raw)
    var status = stat()
    guard fstat(descriptor.raw, &status) == 0, isRegular(status) else {
      return .other
    }
    dump.setFile(status)
    var isDescribed = false
    var value = [UInt8](repeating: 0, count: Int(PATH_MAX))
    for detail in Detail.allCases {
      guard let name = detail.attribute else { continue }
      let count = fgetxattr(
        descriptor.raw, UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self),
        &value, value.count)
      guard count >= 0 else { continue }
      isDescribed = true
      dump.set(detail, value.span.extracting(first: Int(count)))
    }
    return .file(size: UInt64(clamping: status.st_size), isDescribed: isDescribed)
  }

  private static func lookFromOutside(
    at path: [CChar], _ errno: Int32, _ dump: inout CoreDump
  ) -> CoreDumpFile {
    if errno == ENOENT || errno == ENOTDIR {
      dump.setNoFile()
      return .missing
    }
    var status = stat()
    guard lstat(path, &status) == 0 else {
      dump.setNoFile()
      return .missing
    }
    guard isRegular(status) else { return .other }
    dump.setFile(status)
    return .unreadable(size: UInt64(clamping: status.st_size), errno: errno)
  }
}

private func isRegular(_ status: stat) -> Bool {
  status.st_mode & mode_t(S_IFMT) == mode_t(S_IFREG)
}

extension CoreDump {
  /// stat(2) counts what a file takes in blocks of 512 bytes.
  fileprivate mutating func setFile(_ status: stat) {
    storage = .file
    fileSizeBytes = UInt64(clamping: status.st_size)
    fileDiskBytes = UInt64(clamping: status.st_blocks) * 512
  }

  mutating func setNoFile() {
    if storage != .journal { storage = .none }
    compression = .unknown
    fileSizeBytes = nil
    fileDiskBytes = nil
  }
}
