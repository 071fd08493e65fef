import CLinux
import Linux
import Records

/// The accounting files that have not been told to their end, oldest first; the kernel writes the
/// last one. Reads them through one buffer.
struct Backlog: ~Copyable {
  enum Refill {
    case records
    /// The first file has no whole record behind what was told.
    case end
    /// The first file is not what it was: shorter, or with other records before the offset.
    case replaced
  }

  /// Each file knows the one that comes after it.
  private(set) var first: AccountingFile?
  private(set) var last: AccountingFile?
  private(set) var count = 0
  /// The bytes of the first file; the next record begins at ``next``.
  private(set) var buffer: [UInt8]
  private(set) var next = 0
  /// Up to here ``settle()`` has noted what was told.
  private var start = 0
  private var end = 0

  init() {
    // One record more than is read: the last one that was told stands before them.
    buffer = [UInt8](repeating: 0, count: Self.readSize + ProcessExit.accountingRecordSize)
  }

  static let readSize = 65536

  var hasRecord: Bool { next < end }

  mutating func append(_ file: AccountingFile) {
    if let last { last.later = file } else { first = file }
    last = file
    count += 1
  }

  /// Closes the first file, whatever is left of it.
  mutating func removeFirst() {
    first = first?.later
    if first == nil { last = nil }
    count -= 1
    forget()
  }

  /// Begins anew at the start of the first file.
  mutating func startOver() {
    forget()
    first?.offset = 0
    first?.fingerprint = 0
  }

  private mutating func forget() {
    next = 0
    start = 0
    end = 0
  }

  /// The record at ``next`` has been told.
  @inline(__always)
  mutating func consume() {
    next += ProcessExit.accountingRecordSize
  }

  /// Notes in the first file how far it has been told.
  mutating func settle() {
    guard let file = first, next > start else { return }
    file.offset += UInt64(next - start)
    file.fingerprint = hash(
      buffer.span.extracting((next - ProcessExit.accountingRecordSize)..<next))
    start = next
  }

  /// Reads on in the first file, from the record before the offset: if that one is not what it was,
  /// the file is another one. Errors: those of pread(2).
  mutating func refill() throws(SystemError) -> Refill {
    settle()
    guard let file = first else { return .end }
    let size = ProcessExit.accountingRecordSize
    let before = file.offset == 0 ? 0 : size
    forget()
    let count = pread(
      file.descriptor.raw, &buffer, before + Self.readSize, off_t(file.offset) - off_t(before))
    if count < 0 {
      let errno = clinux_errno()
      if errno == EINTR { return .end }
      throw SystemError("read", errno: errno, file.path)
    }
    if count < before { return .replaced }
    if before > 0 && hash(buffer.span.extracting(first: size)) != file.fingerprint {
      return .replaced
    }
    next = before
    start = before
    end = before + (count - before) / size * size
    return hasRecord ? .records : .end
  }
}
