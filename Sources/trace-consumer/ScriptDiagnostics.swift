import Linux

/// What bpftrace says on its standard error, of which the first lines are kept.
///
/// ```
/// ERROR: Unknown error -1: couldn't set RLIMIT_MEMLOCK for bpftrace. If your program is not loading, …
/// mine.bt:1:14-17: ERROR: Unknown function: foo
/// BEGIN { @a = foo(3); }
///              ~~~
/// __BPFTRACE_NOTIFY_PROBES_ATTACHED
/// ```
struct ScriptDiagnostics {
  /// All probes are in place; what standard output says of it comes too early.
  private(set) var isAttached = false
  private var lines: [Text] = []

  mutating func add(_ line: Text) {
    if line.contains("__BPFTRACE_NOTIFY_PROBES_ATTACHED") {
      isAttached = true
      return
    }
    // The first is harmless, and of every start where memory is not accounted by RLIMIT_MEMLOCK.
    if line.contains("couldn't set RLIMIT_MEMLOCK") || line.contains("Addrspace is not set") {
      return
    }
    if lines.count < 20 { lines.append(line) }
  }

  /// Why it ended, in its own words, if it said any.
  var reason: Text? {
    for line in lines where line.contains("ERROR") { return line }
    return lines.first
  }
}

extension Text {
  fileprivate func contains(_ word: StaticString) -> Bool {
    for index in bytes.indices where bytes.span.extracting(index...).starts(with: word) {
      return true
    }
    return false
  }
}
