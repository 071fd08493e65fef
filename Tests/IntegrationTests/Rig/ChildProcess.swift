import Foundation

/// A program that a test started; ended by its id at the latest when nobody holds it any more.
final class ChildProcess {
  let name: String
  let logPath: String
  let outputPath: String
  private let process = Process()

  /// Starts it with its standard output and its stderr in files of `folder`.
  init(
    _ command: [String], name: String, in folder: URL, environment: [String: String] = [:]
  ) throws {
    self.name = name
    let stem = folder.appending(path: "\(name)-\(Machine.uniqueName())").path()
    logPath = stem + ".log"
    outputPath = stem + ".out"
    for path in [logPath, outputPath] {
      _ = FileManager.default.createFile(atPath: path, contents: nil)
    }
    process.executableURL = URL(filePath: command[0])
    process.arguments = Array(command.dropFirst())
    var variables = ProcessInfo.processInfo.environment
    for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM"] {
      variables[name] = nil
    }
    process.environment = variables.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle(forWritingAtPath: outputPath)
    process.standardError = FileHandle(forWritingAtPath: logPath)
    try process.run()
  }

  deinit {
    guard process.isRunning else { return }
    send(SIGKILL)
    process.waitUntilExit()
  }

  var id: pid_t { process.processIdentifier }
  var isRunning: Bool { process.isRunning }

  func send(_ signal: Int32) {
    Foundation.kill(id, signal)
  }

  /// Ends it with SIGTERM; returns its exit status.
  @discardableResult
  func stop(within seconds: Double = 15) throws -> Int32 {
    send(SIGTERM)
    return try wait(within: seconds)
  }

  /// Ends it as a crash would.
  func kill() {
    send(SIGKILL)
    process.waitUntilExit()
  }

  /// Waits until it ends by itself; returns its exit status, or minus the signal's number.
  func wait(within seconds: Double = 15) throws -> Int32 {
    try eventually("\(name) ends", within: seconds) { !process.isRunning }
    return process.terminationReason == .exit
      ? process.terminationStatus : -process.terminationStatus
  }

  private lazy var logLines = LineReader(path: logPath)
  private lazy var outputLines = LineReader(path: outputPath)

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
