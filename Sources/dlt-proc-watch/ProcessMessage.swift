/// A message of dlt-system's process watching: application SYS, context PROC.
///
/// ```
/// SINT32 30154, STRG "stat",    STRG the file /proc/30154/stat, cut at 1023 bytes
/// SINT32 30154, STRG "cmdline", STRG its first argument
/// STRG "Process", STRG nosuchproc, STRG "not running!"
/// ```
enum ProcessMessage {
  case statistics(ProcessStatistics, comm: Range<Int>)
  case command(processID: UInt32, Range<Int>)
  case notRunning(name: Range<Int>)
  /// Another file of the process, or another text.
  case other
  /// Not as it should be, or cut.
  case unreadable

  init(parsing bytes: Span<UInt8>, _ message: DLTMessage) {
    var arguments = Arguments(of: message)
    switch arguments.next(in: bytes) {
    case .signed(let number):
      guard let processID = UInt32(exactly: number),
        case .text(let file) = arguments.next(in: bytes),
        case .text(let content) = arguments.next(in: bytes)
      else {
        self = .unreadable
        return
      }
      if bytes.holds(file, "stat") {
        self = Self.statistics(bytes.extracting(content), processID, at: content.lowerBound)
      } else if bytes.holds(file, "cmdline") {
        self = .command(processID: processID, content)
      } else {
        self = .other
      }
    case .text(let first):
      guard bytes.holds(first, "Process"), case .text(let name) = arguments.next(in: bytes),
        case .text(let rest) = arguments.next(in: bytes), bytes.holds(rest, "not running!")
      else {
        self = .other
        return
      }
      self = .notRunning(name: name)
    case .unsigned, .other: self = .other
    case nil: self = .unreadable
    }
  }

  private static func statistics(
    _ line: Span<UInt8>, _ processID: UInt32, at offset: Int
  ) -> ProcessMessage {
    guard let statistics = ProcessStatistics(parsing: line), statistics.processID == processID
    else { return .unreadable }
    let comm = statistics.comm
    return .statistics(
      statistics, comm: (comm.lowerBound + offset)..<(comm.upperBound + offset))
  }
}

extension Span<UInt8> {
  func holds(_ range: Range<Int>, _ word: StaticString) -> Bool {
    word.withUTF8Buffer {
      guard range.count == $0.count else { return false }
      for index in 0..<$0.count where self[range.lowerBound + index] != $0[index] { return false }
      return true
    }
  }
}
