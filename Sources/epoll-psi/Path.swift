import CLinux
import Linux

/// A path whose names may be any bytes.
struct Path {
  private var bytes: [UInt8]

  init(_ text: String) {
    bytes = [UInt8](text.utf8)
  }

  var count: Int { bytes.count }

  @inline(never)
  func appending(_ name: StaticString, _ suffix: StaticString = "") -> Path {
    var path = self
    path.bytes.append(UInt8(ascii: "/"))
    name.withUTF8Buffer { for byte in $0 { path.bytes.append(byte) } }
    suffix.withUTF8Buffer { for byte in $0 { path.bytes.append(byte) } }
    return path
  }

  @inline(never)
  func appending(_ name: UnsafePointer<CChar>) -> Path {
    var path = self
    path.bytes.append(UInt8(ascii: "/"))
    for index in 0..<strlen(name) { path.bytes.append(UInt8(bitPattern: name[Int(index)])) }
    return path
  }

  /// Gives the bytes behind the first `count`, a slash between left out.
  func tail(after count: Int, _ body: (UInt8) -> Void) {
    for index in bytes.indices.dropFirst(count + 1) { body(bytes[index]) }
  }

  /// As C wants it.
  @inline(never)
  var forC: [CChar] {
    var text: [CChar] = []
    text.reserveCapacity(bytes.count + 1)
    for byte in bytes { text.append(CChar(bitPattern: byte)) }
    text.append(0)
    return text
  }

  /// For a person.
  @inline(never)
  var description: String { String(decoding: bytes, as: UTF8.self) }

  /// open(2), always with O_CLOEXEC.
  @inline(never)
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
