import Foundation

/// What bpftrace says on its standard error, and what it means.
///
/// ```
/// stdin:1:40-51: ERROR: tracepoint not found: no:such
/// stdin:2-3: ERROR: …
/// ERROR: Error attaching probe: 'kprobe:do_nanosleep'
/// ```
struct BpftraceDiagnostics {
  let lines: [String]

  init(_ lines: [String]) {
    // The first is harmless, and of every start where memory is not accounted by RLIMIT_MEMLOCK.
    self.lines = lines.filter {
      !$0.contains("couldn't set RLIMIT_MEMLOCK") && !$0.contains("__BPFTRACE_NOTIFY")
        && !$0.contains("Addrspace is not set")
    }
  }

  /// All in one line.
  var words: String {
    let errors = lines.filter { $0.contains("ERROR") }
    return (errors.isEmpty ? lines : errors).prefix(3).joined(separator: "; ")
  }

  /// Why a program was refused.
  func refusal(_ program: BpftraceProgram) -> TraceError {
    for line in lines {
      if line.contains("only supports running as the root user") {
        return .notPermitted("bpftrace needs root; run this as root")
      }
      guard let match = line.wholeMatch(of: #/stdin:(\d+)(?::(\d+))?(?:-\d+)?: ERROR: (.*)/#)
      else { continue }
      let message = BpftraceProgram.userWords(String(match.3))
      if message.hasPrefix("tracepoint not found"), !Self.hasTracefs { return .noTracefs }
      let row = Int(match.1)
      let column = match.2.flatMap { Int($0) }
      return .program(
        message: message, line: row,
        column: row.flatMap { row in
          column.map { program.userColumn(line: row, column: $0) }
        })
    }
    return .program(message: BpftraceProgram.userWords(words), line: nil, column: nil)
  }

  /// Where bpftrace itself looks.
  private static var hasTracefs: Bool {
    ["/sys/kernel/tracing/events", "/sys/kernel/debug/tracing/events"]
      .contains { FileManager.default.fileExists(atPath: $0) }
  }
}
