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

  public func error(_ text: String) { write(3, "error: ", text) }
  public func warning(_ text: String) { write(4, "warning: ", text) }
  public func information(_ text: String) { write(6, "", text) }

  /// Said only with `--verbose`.
  public func detail(_ text: @autoclosure () -> String) {
    if verbose { write(7, "", text()) }
  }

  private func write(_ priority: Int, _ word: StaticString, _ text: String) {
    // A text from outside must not become a second line, or a priority of its own.
    var line = toJournal ? joined("<\(priority)>") : joined("\(program): \(word)")
    line.append(contentsOf: text)
    var bytes = [UInt8](line.utf8)
    for index in bytes.indices where bytes[index] < 0x20 { bytes[index] = UInt8(ascii: " ") }
    bytes.append(UInt8(ascii: "\n"))
    _ = CLinux.write(2, bytes, bytes.count)
  }

  /// systemd.exec(5): JOURNAL_STREAM holds the device and inode of the stream that it connected.
  private static func standardErrorIsTheJournal() -> Bool {
    guard let stream = environment("JOURNAL_STREAM") else { return false }
    var status = stat()
    guard fstat(2, &status) == 0 else { return false }
    let own = joined("\(UInt64(status.st_dev)):\(UInt64(status.st_ino))")
    return [UInt8](stream.utf8) == [UInt8](own.utf8)
  }
}

/// A variable of the environment.
public func environment(_ name: StaticString) -> String? {
  getenv(UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)).map {
    String(cString: $0)
  }
}
