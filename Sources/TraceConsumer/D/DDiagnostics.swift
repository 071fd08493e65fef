/// What libdtrace says of a program that it does not take.
///
///     line 2: failed to resolve nosuch: Unknown variable name
///     "/usr/lib/x86_64-linux-gnu/dtrace/6.10/io.d", line 134: failed to resolve vmlinux`major_names: …
///     probe description syscall::nosuch:entry does not match any probes
///
/// It counts lines and no columns.
struct DDiagnostics: Hashable, Sendable {
  var message: String
  /// Of the program itself, not of a file that it includes.
  var line: Int?

  init(_ words: String) {
    let words = words.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    if let match = words.wholeMatch(of: #/line (\d+): (.+)/#) {
      message = String(match.2)
      line = Int(match.1)
    } else {
      message = words
    }
    if message.contains("major_names") { message += "; \(Self.kernelIsBare)" }
  }

  /// io.d, which every program reads, asks for a symbol that not every kernel has.
  private static let kernelIsBare =
    "this kernel was built without KALLSYMS_ALL: copy that folder's parent, put \"\" in place of the "
    + "expression with major_names, and name the copy with the option syslibdir"

  /// Whether a probe is missing, which is so of every one without tracefs.
  var isAboutProbes: Bool { message.contains("does not match any probes") }
}
