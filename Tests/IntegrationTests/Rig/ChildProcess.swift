import Foundation

/// A program that a test started; ended by its id at the latest when nobody holds it any more.
///
/// posix_spawn(3) itself: Foundation's Process takes a program for running as long as one of its
/// own children is, and hands down whatever signals its thread has blocked.
final class ChildProcess {
  let name: String
  let id: pid_t
  private var status: Int32?
  private var logLines: LineReader
  private var outputLines: LineReader

  struct CannotStart: Error {
    let command: String
    let errno: Int32
  }

  /// Starts it with its standard output and its stderr in files of `folder`.
  init(
    _ command: [String], name: String, in folder: URL, environment: [String: String] = [:],
    input: String = "/dev/null"
  ) throws {
    self.name = name
    let stem = folder.appending(path: "\(name)-\(Machine.uniqueName())").path()
    var files = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&files)
    defer { posix_spawn_file_actions_destroy(&files) }
    let flags = O_WRONLY | O_CREAT | O_APPEND
    posix_spawn_file_actions_addopen(&files, 0, input, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&files, 1, stem + ".out", flags, 0o600)
    posix_spawn_file_actions_addopen(&files, 2, stem + ".log", flags, 0o600)

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    var variables = ProcessInfo.processInfo.environment
    for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM"] {
      variables[name] = nil
    }
    variables.merge(environment) { $1 }
    var arguments = command.map { strdup($0) } + [nil]
    var environment = variables.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in arguments + environment { free(text) } }
    var child: pid_t = 0
    let result = posix_spawn(
      &child, command[0], &files, &attributes, &arguments, &environment)
    guard result == 0 else { throw CannotStart(command: command[0], errno: result) }
    id = child
    logLines = LineReader(path: stem + ".log")
    outputLines = LineReader(path: stem + ".out")
  }

  deinit { kill() }

  var isRunning: Bool {
    guard status == nil else { return false }
    var status: Int32 = 0
    if waitpid(id, &status, WNOHANG) == id { self.status = status }
    return self.status == nil
  }

  func send(_ signal: Int32) {
    if isRunning { Foundation.kill(id, signal) }
  }

  /// Ends it with SIGTERM; returns its exit status.
  @discardableResult
  func stop(within seconds: Double = 15) throws -> Int32 {
    send(SIGTERM)
    return try wait(within: seconds)
  }

  /// Ends it as a crash would.
  func kill() {
    guard isRunning else { return }
    Foundation.kill(id, SIGKILL)
    var status: Int32 = 0
    if waitpid(id, &status, 0) == id { self.status = status }
  }

  /// Waits until it ends by itself; returns its exit status, or minus the signal's number.
  func wait(within seconds: Double = 15) throws -> Int32 {
    try eventually("\(name) ends", within: seconds) { !isRunning }
    let status = status ?? 0
    return status & 0x7F == 0 ? (status >> 8) & 0xFF : -(status & 0x7F)
  }

  /// The complete lines up to now.
  var log: [String] { logLines.read() }
  var output: [String] { outputLines.read() }
}

/// Reads on in a file that another process writes; the last line may still be incomplete.
private struct LineReader {
  private let file: FileHandle?
  private var lines: [String] = []
  private var rest = Data()

  init(path: String) {
    file = FileHandle(forReadingAtPath: path)
  }

  mutating func read() -> [String] {
    rest += (try? file?.readToEnd()) ?? Data()
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      lines.append(String(decoding: rest[..<end], as: UTF8.self))
      rest = rest[(end + 1)...]
    }
    rest = Data(rest)
    return lines
  }
}
