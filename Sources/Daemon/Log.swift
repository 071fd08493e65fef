import CLinux
import Linux
import Records

/// One line per event on stderr, written with one write(2).
///
/// For the journal each line begins with its priority as sd-daemon(3) has it, `<3>` and the like;
/// elsewhere with the program's name, and with a word where something is wrong.
public struct Log: Sendable {
  private let program: StaticString
  private let toJournal: Bool
  private let verbose: Bool

  public init(_ program: StaticString, verbose: Bool = false) {
    self.program = program
    self.verbose = verbose
    toJournal = Self.standardErrorIsTheJournal()
  }

  public func error(_ text: Text) { write(3, "error: ", text) }
  public func warning(_ text: Text) { write(4, "warning: ", text) }
  public func information(_ text: Text) { write(6, "", text) }

  /// Said only with `--verbose`.
  public func detail(_ text: @autoclosure () -> Text) {
    if verbose { write(7, "", text()) }
  }

  private func write(_ priority: Int, _ word: StaticString, _ text: Text) {
    // A text from outside must not become a second line, or a priority of its own.
    var line: Text = toJournal ? "<\(priority)>" : "\(program): \(word)"
    line.append(text.readable.bytes.span)
    line.append(UInt8(ascii: "\n"))
    _ = CLinux.write(2, line.bytes, line.bytes.count)
  }

  /// systemd.exec(5): JOURNAL_STREAM holds the device and inode of the stream that it connected.
  private static func standardErrorIsTheJournal() -> Bool {
    guard let stream = environment("JOURNAL_STREAM") else { return false }
    var status = stat()
    guard fstat(2, &status) == 0 else { return false }
    let own = Text("\(UInt64(status.st_dev)):\(UInt64(status.st_ino))")
    return stream.bytes == own.bytes
  }
}

extension Text {
  /// As a line may hold it: UTF-8, U+FFFD for each byte that is none, a space for control characters.
  var readable: Text {
    @inline(never) get {
      var line = Text()
      var index = 0
      while index < bytes.count {
        let length = bytes.span.validUTF8SequenceLength(at: index)
        if length == 0 {
          line.append("\u{FFFD}")
        } else if bytes[index] < 0x20 {
          line.append(UInt8(ascii: " "))
        } else {
          line.append(bytes.span.extracting(index..<(index + length)))
        }
        index += max(length, 1)
      }
      return line
    }
  }
}
