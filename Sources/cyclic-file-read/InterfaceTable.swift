import Linux
import Daemon

/// A file of /proc/net that has two lines of heading, then one for each interface.
struct InterfaceTable: ~Copyable {
  var file: ProcFile
  /// Holds the whole table after ``read(_:)``.
  private(set) var buffer: [UInt8] = []
  private var count = 0
  private var offset = 0

  init(_ path: Text) {
    file = ProcFile(path)
  }

  /// Reads the table anew; false if there is none, which is said in the log.
  mutating func read(_ log: Log) -> Bool {
    count = file.read(into: &buffer, log) ?? 0
    guard count > 0 else { return false }
    do throws(ParseError) {
      offset = try buffer.span.extracting(first: count).headingLength()
      return true
    } catch {
      file.refuse(error, log)
      return false
    }
  }

  /// The next line, as a range of ``buffer``.
  mutating func nextLine() -> Range<Int>? {
    var offset = offset
    defer { self.offset = offset }
    return buffer.span.extracting(first: count).nextLine(&offset)
  }
}
