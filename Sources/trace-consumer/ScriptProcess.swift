import CLinux
import CTrace
import Daemon
import Linux

/// A bpftrace(8) that runs a script. The kernel ends it with us, however we end.
final class ScriptProcess {
  private let id: pid_t
  private var output: FileDescriptor?
  private var errors: FileDescriptor?
  private var outputLines = ScriptLines(limit: 4 << 20)
  private var errorLines = ScriptLines(limit: 4096)
  private var buffer = [UInt8](repeating: 0, count: 16_384)
  private var isReaped = false

  enum Stream { case output, errors }

  enum End: Equatable {
    case exited(Int32)
    case signal(Int32)

    /// `exited with status 1`
    var words: Text {
      switch self {
      case .exited(let status): "exited with status \(status)"
      case .signal(let number): "was ended by signal \(number)"
      }
    }
  }

  private init(id: pid_t, output: consuming FileDescriptor, errors: consuming FileDescriptor) {
    self.id = id
    self.output = consume output
    self.errors = consume errors
  }

  deinit {
    guard !isReaped else { return }
    send(SIGKILL)
    while waitpid(id, nil, 0) < 0 && clinux_errno() == EINTR {}
  }

  /// Where bpftrace is: in a folder of PATH.
  static func path() -> Text? {
    let folders = environment("PATH") ?? "/usr/sbin:/usr/bin"
    for folder in folders.bytes.split(separator: UInt8(ascii: ":")) {
      let path: Text = "\(Text(folder))/bpftrace"
      if access(path.c, X_OK) == 0 { return path }
    }
    return nil
  }

  /// Starts it on the file of a script. Errors: those of pipe2(2), fork(2) and execve(2).
  static func start(_ path: Text, script: Text) throws(SystemError) -> ScriptProcess {
    var ends: [Int32] = [-1, -1]
    try check(ctrace_pipe(&ends), "pipe2", "")
    let output = FileDescriptor(owning: ends[0])
    let outputEnd = FileDescriptor(owning: ends[1])
    try check(ctrace_pipe(&ends), "pipe2", "")
    let errors = FileDescriptor(owning: ends[0])
    let errorsEnd = FileDescriptor(owning: ends[1])
    // With -k a key that finds no room is told.
    var arguments = pointers([path, "-f", "json", "-k", script])
    var variables = pointers(variables())
    defer {
      for pointer in arguments { free(pointer) }
      for pointer in variables { free(pointer) }
    }
    var id: pid_t = 0
    let error = ctrace_spawn(path.c, &arguments, &variables, outputEnd.raw, errorsEnd.raw, &id)
    try check(error, "start", path)
    return ScriptProcess(id: id, output: output, errors: errors)
  }

  private static func check(
    _ errno: Int32, _ call: StaticString, _ subject: Text
  ) throws(SystemError) {
    if errno != 0 { throw SystemError(call, errno: errno, subject) }
  }

  /// What bpftrace needs of our environment, and that it says when its probes are in place.
  private static func variables() -> [Text] {
    var variables: [Text] = ["__BPFTRACE_NOTIFY_PROBES_ATTACHED=1"]
    for name: StaticString in [
      "PATH", "HOME", "TMPDIR", "BPFTRACE_STRLEN", "BPFTRACE_MAP_KEYS_MAX", "BPFTRACE_MAX_PROBES",
      "BPFTRACE_MAX_BPF_PROGS", "BPFTRACE_PERF_RB_PAGES", "BPFTRACE_BTF", "BPFTRACE_VMLINUX",
      "BPFTRACE_KERNEL_SOURCE", "BPFTRACE_KERNEL_BUILD",
    ] {
      if let value = environment(name) { variables.append("\(Text(name))=\(value)") }
    }
    return variables
  }

  private static func pointers(_ texts: [Text]) -> [UnsafeMutablePointer<CChar>?] {
    var pointers: [UnsafeMutablePointer<CChar>?] = []
    for text in texts { pointers.append(strdup(text.c)) }
    pointers.append(nil)
    return pointers
  }

  func send(_ signal: Int32) {
    if !isReaped { _ = kill(id, signal) }
  }

  /// How it ended, once it did.
  func reap() -> End? {
    var status: Int32 = 0
    guard !isReaped, waitpid(id, &status, WNOHANG) == id else { return nil }
    isReaped = true
    let signal = status & 0x7F
    return signal == 0 ? .exited(status >> 8 & 0xFF) : .signal(signal)
  }

  /// Nil once it was closed at the other end.
  func descriptor(_ stream: Stream) -> Int32? {
    switch stream {
    case .output: Self.raw(output)
    case .errors: Self.raw(errors)
    }
  }

  private static func raw(_ descriptor: borrowing FileDescriptor?) -> Int32? {
    switch descriptor {
    case .some(let descriptor): descriptor.raw
    case .none: nil
    }
  }

  var isOpen: Bool { descriptor(.output) != nil || descriptor(.errors) != nil }

  /// Whether something came, within this time.
  func isReadable(_ stream: Stream, milliseconds: Int32 = 0) -> Bool {
    guard let descriptor = descriptor(stream) else { return false }
    var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&polled, 1, milliseconds) > 0
  }

  /// Waits until something comes on either.
  func wait(milliseconds: Int32) {
    var polled = [
      pollfd(fd: descriptor(.output) ?? -1, events: Int16(POLLIN), revents: 0),
      pollfd(fd: descriptor(.errors) ?? -1, events: Int16(POLLIN), revents: 0),
    ]
    _ = poll(&polled, 2, milliseconds)
  }

  /// What has come, in whole lines; the stream is closed at its end. Waits if nothing has.
  func lines(_ stream: Stream) -> [[UInt8]] {
    guard let descriptor = descriptor(stream) else { return [] }
    let count = read(descriptor, &buffer, buffer.count)
    if count < 0, clinux_errno() == EINTR { return [] }
    let bytes = buffer[..<max(count, 0)]
    var lines: [[UInt8]]
    switch stream {
    case .output:
      lines = outputLines.add(bytes)
      guard count <= 0 else { return lines }
      if let last = outputLines.finish() { lines.append(last) }
      output = nil
    case .errors:
      lines = errorLines.add(bytes)
      guard count <= 0 else { return lines }
      if let last = errorLines.finish() { lines.append(last) }
      errors = nil
    }
    return lines
  }

  /// Lines of its output that were too long.
  var linesLeftOut: UInt64 { outputLines.leftOut }
}
