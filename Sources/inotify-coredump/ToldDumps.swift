import CLinux
import Linux

/// Which dumps have been told, so that each is told once, also after a restart.
///
/// Remembers the last 256 by their keys. Of those before it remembers the latest crash time: a dump
/// found in the folder that is not later counts as told. One that is seen coming is not measured by
/// that, for clocks may be set back.
///
/// The file, which is replaced as a whole:
///
/// ```
/// inotify-coredump state 1
/// watermark 1795228000000000
/// cursor s=…;i=…;b=…;m=…;t=…;x=…
/// told 43908254-216b-467b-8145-3543fe292e1a 4711 1795228999000000
/// ```
///
/// Times are microseconds since 1970; `cursor` is where to go on in the journal, and missing without
/// one; `told` is repeated, the latest last: boot, process, crash time.
struct ToldDumps: Equatable {
  static let capacity = 256

  private(set) var told: [CoreDumpKey] = []
  private(set) var watermark: UInt64 = 0
  var cursor: [UInt8] = []

  init() {}

  func contains(_ key: CoreDumpKey) -> Bool { told.contains(key) }

  /// Whether a dump that lies in the folder needs no telling.
  func covers(_ key: CoreDumpKey) -> Bool { key.time <= watermark || contains(key) }

  mutating func insert(_ key: CoreDumpKey) {
    if contains(key) { return }
    if told.count == Self.capacity { watermark = max(watermark, told.removeFirst().time) }
    told.append(key)
  }

  // MARK: The file

  struct ParseError: Error, Equatable {
    /// From 1; 0: the file as a whole.
    let line: Int
  }

  private static let header: StaticString = "inotify-coredump state 1"

  init(parsing bytes: Span<UInt8>) throws(ParseError) {
    var number = 0
    var start = 0
    while start < bytes.count {
      number += 1
      var end = start
      while end < bytes.count && bytes[end] != UInt8(ascii: "\n") { end += 1 }
      // A line that was cut short is none.
      guard end < bytes.count else { throw ParseError(line: number) }
      let line = bytes.extracting(start..<end)
      start = end + 1
      guard number > 1 else {
        guard equals(line, Self.header) else { throw ParseError(line: 1) }
        continue
      }
      guard take(line) else { throw ParseError(line: number) }
    }
    if number == 0 { throw ParseError(line: 0) }
  }

  private mutating func take(_ line: Span<UInt8>) -> Bool {
    if begins(line, with: "cursor ") {
      cursor = (7..<line.count).map { line[$0] }
      return !cursor.contains(0)
    }
    if begins(line, with: "watermark ") {
      guard let time: UInt64 = decimalValue(line.extracting(10..<line.count)) else { return false }
      watermark = time
      return true
    }
    guard begins(line, with: "told "), line.count > 42, line[41] == UInt8(ascii: " "),
      let boot = BootID(parsing: line.extracting(5..<41))
    else { return false }
    var space = 42
    while space < line.count && line[space] != UInt8(ascii: " ") { space += 1 }
    guard space < line.count,
      let pid: UInt32 = decimalValue(line.extracting(42..<space)),
      let time: UInt64 = decimalValue(line.extracting((space + 1)..<line.count))
    else { return false }
    insert(CoreDumpKey(boot: boot, pid: pid, time: time))
    return true
  }

  @inline(never)
  private static func append(_ bytes: inout [UInt8], _ word: StaticString, _ number: UInt64? = nil)
  {
    word.withUTF8Buffer { bytes.append(contentsOf: $0) }
    if let number { bytes += Text("\(number)").bytes }
  }

  var encoded: [UInt8] {
    var bytes: [UInt8] = []
    Self.append(&bytes, Self.header)
    Self.append(&bytes, "\nwatermark ", watermark)
    if !cursor.isEmpty {
      Self.append(&bytes, "\ncursor ")
      bytes.append(contentsOf: cursor)
    }
    for key in told {
      Self.append(&bytes, "\ntold ")
      key.boot.appendText(to: &bytes)
      Self.append(&bytes, " ", UInt64(key.pid))
      Self.append(&bytes, " ", key.time)
    }
    bytes.append(UInt8(ascii: "\n"))
    return bytes
  }
}

/// The file in which ``ToldDumps`` outlive the program.
struct StateFile {
  let path: Text

  /// What was left, and when, in microseconds since 1970; nil if there is no file.
  ///
  /// Errors: those of open(2) and read(2); EBADMSG for a file of another form.
  func load() throws(SystemError) -> (told: ToldDumps, time: UInt64)? {
    let descriptor: FileDescriptor
    do throws(SystemError) {
      descriptor = try FileDescriptor.open(path)
    } catch {
      if error.errno == ENOENT { return nil }
      throw error
    }
    var status = stat()
    guard fstat(descriptor.raw, &status) == 0 else { throw SystemError("fstat", path) }
    let bytes = try descriptor.readToEnd(limit: 1 << 20, path)
    let time = UInt64(clamping: Int64(status.st_mtim.tv_sec)) * 1_000_000
    do throws(ToldDumps.ParseError) {
      return (try ToldDumps(parsing: bytes.span), time)
    } catch {
      throw SystemError("parse", errno: EBADMSG, "\(path) line \(error.line)")
    }
  }

  /// Replaces the file: what a power cut leaves is the old one or the new one.
  ///
  /// Errors: those of open(2), write(2), fsync(2) and rename(2).
  func save(_ told: ToldDumps) throws(SystemError) {
    let new = Text("\(path).new")
    do {
      let descriptor = try FileDescriptor.open(
        new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
      let bytes = told.encoded
      var written = 0
      while written < bytes.count {
        let count = bytes.withUnsafeBytes {
          write(descriptor.raw, $0.baseAddress.map { $0 + written }, $0.count - written)
        }
        if count < 0 {
          let errno = clinux_errno()
          if errno == EINTR { continue }
          throw SystemError("write", errno: errno, new)
        }
        written += count
      }
      guard fsync(descriptor.raw) == 0 else { throw SystemError("fsync", new) }
    }
    guard rename(new.c, path.c) == 0 else { throw SystemError("rename", path) }
    // Without this the rename itself may be lost, which costs no more than a dump told twice.
    let folder = try FileDescriptor.open(Self.parent(of: path), O_RDONLY | O_DIRECTORY)
    guard fsync(folder.raw) == 0 else { throw SystemError("fsync", path) }
  }

  /// `/a` of `/a/b`, `/` of `/a`, `.` of `a`.
  static func parent(of path: Text) -> Text {
    let bytes = path.bytes
    var end = bytes.count
    while end > 0 && bytes[end - 1] != UInt8(ascii: "/") { end -= 1 }
    if end == 0 { return "." }
    return Text(bytes.prefix(max(end - 1, 1)))
  }
}
