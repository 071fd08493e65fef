import BPFObjects
import CLinux
import Linux

/// Why a program does not run, in one line that says how to mend it.
struct ProgramRefusal: Error {
  let description: Text

  init(_ description: Text) { self.description = description }

  init(_ error: ManifestError, _ path: Text) {
    description = "\(path):\(error.line):\(error.column): \(error.reason)"
  }

  init(_ error: ManifestMismatch, _ path: Text) {
    let map = Text(error.map)
    let what: Text =
      switch error.difference {
      case .missing: "is not in it"
      case .keyBytes(let found, let wanted):
        "has keys of \(found) bytes in it, of \(wanted) in the manifest"
      case .valueBytes(let found, let wanted):
        "has values of \(found) bytes in it, of \(wanted) in the manifest"
      case .noRingBuffer: "is no ring buffer in it"
      }
    description = "\(path) does not fit its manifest: map \(map) \(what)"
  }

  init(
    _ path: Text, _ tracepoint: Text, _ wanted: TracepointFormat.Field,
    _ found: TracepointFormat.Field?
  ) {
    let what: Text =
      found.map { "has it at byte \($0.offset), of \($0.bytes) bytes" } ?? "does not have it"
    description =
      "\(path) reads \(Text(wanted.name)) of \(tracepoint) at byte \(wanted.offset), of "
      + "\(wanted.bytes) bytes; this kernel \(what): compile it for this kernel"
  }

  init(_ error: BPFError, _ path: Text) {
    let words = Self.firstLine(error)
    switch error.errno {
    case EPERM, EACCES:
      description =
        Self.tracefsObstacle
        ?? "\(path): \(words); give CAP_BPF and CAP_PERFMON, which Linux has since 5.8, or run as root"
    case ENOSYS: description = "\(path): the kernel has no bpf(2): build it with CONFIG_BPF_SYSCALL"
    case ENOENT where error.call.isAttach:
      description =
        Self.tracefsObstacle ?? "\(path): this kernel does not have the tracepoint: \(words)"
    default: description = "\(path): \(error.call): \(words)"
    }
  }

  /// libbpf takes the identifiers of tracepoints from there.
  private static var tracefsObstacle: Text? {
    if access("/sys/kernel/debug/tracing/events", F_OK) == 0
      || access("/sys/kernel/tracing/events", F_OK) == 0
    {
      return nil
    }
    return clinux_errno() == EACCES
      ? "/sys/kernel/tracing is for its owner alone: run as root"
      : "/sys/kernel/tracing is empty: mount -t tracefs tracefs /sys/kernel/tracing"
  }

  private static func firstLine(_ error: BPFError) -> Text {
    guard let line = error.words.split(separator: UInt8(ascii: "\n")).first else {
      return Text(cString: strerror(error.errno))
    }
    let prefix: StaticString = "libbpf: "
    let text = Text(line)
    return text.starts(with: prefix) ? Text(line.dropFirst(prefix.utf8CodeUnitCount)) : text
  }
}

extension StaticString {
  fileprivate var isAttach: Bool { Text(self) == "attach" }
}
