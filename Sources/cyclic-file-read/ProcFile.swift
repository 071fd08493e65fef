import CLinux
import Daemon
import Linux
import Records

/// A file of procfs or sysfs that is read again and again from its beginning.
///
/// It is opened once. Where it cannot be read any more it is opened anew: behind the same name may
/// be another device by now. Reading it needs no memory but the buffer, once that is large enough.
struct ProcFile: ~Copyable {
  /// Any bytes, with a NUL at the end.
  private let path: [CChar]
  private var descriptor: FileDescriptor?
  private var trouble = Trouble.none

  /// What was wrong, and was said.
  private enum Trouble { case none, unreadable, refused }

  init(_ path: Text) {
    self.path = path.c
  }

  /// A path with a name from outside in it.
  init<let capacity: Int>(_ folder: Text, _ name: FixedText<capacity>, _ rest: StaticString) {
    self.init(folder, (0..<name.count).map { name[$0] }, rest)
  }

  private init(_ folder: Text, _ name: [UInt8], _ rest: StaticString) {
    var path = folder.bytes
    path += name
    rest.withUTF8Buffer { path += $0 }
    path.append(0)
    self.path = path.map { CChar(bitPattern: $0) }
  }

  /// Opens the file, for a source without which there is no group. Errors: those of open(2).
  mutating func open() throws(SystemError) {
    let errno = openIfClosed()
    if errno != 0 { throw SystemError("open", errno: errno, name) }
  }

  /// Reads the whole file to the start of the buffer, which grows; returns how long it is.
  ///
  /// nil if it cannot be read: that is said once in the log, and so is that it can be again.
  @inline(never)
  mutating func read(into buffer: inout [UInt8], _ log: Log) -> Int? {
    let count = load(&buffer)
    if count >= 0 {
      if trouble == .unreadable {
        trouble = .none
        log.information("\(name): can be read now")
      }
      return count
    }
    if trouble != .unreadable {
      trouble = .unreadable
      let error = SystemError("read", errno: Int32(-count), name)
      if error.errno == ENOENT {
        log.information(error.description)
      } else {
        log.warning(error.description)
      }
    }
    return nil
  }

  /// Says once that the file does not hold what its format asks for.
  @inline(never)
  mutating func refuse(_ error: ParseError, _ log: Log) {
    guard trouble != .refused else { return }
    trouble = .refused
    log.warning("\(name) \(error.reason)")
  }

  /// The number that is the whole file, as most files of sysfs have it; nil if there is none.
  mutating func number(_ buffer: inout [UInt8]) -> UInt64? {
    let count = load(&buffer, isAttribute: true)
    guard count > 0 else { return nil }
    let text = buffer.span.extracting(first: count)
    var offset = 0
    guard var line = text.nextLine(&offset) else { return nil }
    return text.nextNumber(&line)
  }

  /// How long the file is, or minus the number of the error.
  ///
  /// An attribute of sysfs is a page at most and comes in one read, so that there is no need to ask
  /// for its end; the tables of procfs come in pieces.
  mutating func load(_ buffer: inout [UInt8], isAttribute: Bool = false) -> Int {
    let wasOpen = raw >= 0
    var result = loadOpen(&buffer, isAttribute)
    // EINVAL is how sysfs says that there is no value now.
    if result < 0 && result != -Int(EINVAL) {
      descriptor = nil
      if wasOpen { result = loadOpen(&buffer, isAttribute) }
    }
    return result
  }

  private mutating func loadOpen(_ buffer: inout [UInt8], _ isAttribute: Bool) -> Int {
    let errno = openIfClosed()
    if errno != 0 { return -Int(errno) }
    var count = 0
    while true {
      if count == buffer.count {
        if count >= Self.longest { return -Int(EFBIG) }
        buffer.append(contentsOf: repeatElement(0, count: max(4096, count)))
      }
      let room = buffer.count - count
      let start = count
      let more = buffer.withUnsafeMutableBytes {
        pread(raw, $0.baseAddress.map { $0 + start }, room, off_t(start))
      }
      if more == 0 { return count }
      if more > 0 {
        count += more
        if isAttribute && count < buffer.count { return count }
      } else if clinux_errno() != EINTR {
        return -Int(clinux_errno())
      }
    }
  }

  /// 0, or the number of the error.
  private mutating func openIfClosed() -> Int32 {
    guard raw < 0 else { return 0 }
    let raw = clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
    if raw < 0 { return clinux_errno() }
    descriptor = FileDescriptor(owning: raw)
    return 0
  }

  /// The path as a log can have it.
  var name: Text {
    path.withUnsafeBufferPointer { Text(cString: $0.baseAddress!) }
  }

  private var raw: Int32 {
    switch descriptor {
    case .some(let descriptor): descriptor.raw
    case .none: -1
    }
  }

  /// No file of the kernel's is longer than this.
  private static var longest: Int { 1 << 22 }
}
