import CLinux
import Linux

/// A folder that stays open: its entries, and files that are opened by their name in it.
struct Directory: ~Copyable {
  let descriptor: FileDescriptor
  let path: Text

  /// Errors: those of open(2).
  init(_ path: Text) throws(SystemError) {
    let descriptor = try FileDescriptor.open(path, O_RDONLY | O_DIRECTORY)
    self.descriptor = descriptor
    self.path = path
  }

  /// Shows every entry but `.` and `..`, with its name ended by a NUL that is not part of the range.
  ///
  /// Errors: those of lseek(2) and getdents64(2).
  @inline(never)
  func forEachEntry(
    _ buffer: inout [UInt8], _ body: (_ buffer: [UInt8], _ name: Range<Int>) -> Void
  ) throws(SystemError) {
    guard lseek(descriptor.raw, 0, SEEK_SET) == 0 else { throw SystemError("lseek", path) }
    while true {
      let count = clinux_getdents64(descriptor.raw, &buffer, buffer.count)
      guard count >= 0 else { throw SystemError("getdents64", path) }
      if count == 0 { return }
      var offset = 0
      while let entry = buffer.span.directoryEntry(at: &offset, below: Int(count)) {
        body(buffer, entry)
      }
    }
  }

  /// The paths of all entries of a folder that has few of them. Errors: as of the others.
  @inline(never)
  static func paths(in path: Text) throws(SystemError) -> [Text] {
    var paths: [Text] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    try Directory(path).forEachEntry(&buffer) { buffer, name in
      paths.append("\(path)/\(Text(buffer[name]))")
    }
    return paths
  }
}

extension Span<UInt8> {
  /// The name of the entry at `offset`, which moves on to the next one.
  ///
  /// ```
  /// struct linux_dirent64 {                getdents64(2)
  ///   ino64_t d_ino;                       8 bytes
  ///   off64_t d_off;                       8 bytes
  ///   unsigned short d_reclen;             where the next entry begins, from here
  ///   unsigned char d_type;
  ///   char d_name[];                       ends with a NUL
  /// };
  /// ```
  func directoryEntry(at offset: inout Int, below end: Int) -> Range<Int>? {
    while offset + 20 <= end {
      let length = Int(self[offset + 16]) | Int(self[offset + 17]) << 8
      guard length >= 20, offset + length <= end else { return nil }
      let start = offset + 19
      offset += length
      guard let stop = firstIndex(of: 0, from: start), stop < offset else { continue }
      let name = start..<stop
      if !name.isEmpty, !holds(name, "."), !holds(name, "..") { return name }
    }
    return nil
  }
}
