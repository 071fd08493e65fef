import Foundation

extension BpftraceEngine {
  /// Where bpftrace is installed.
  static func path() throws(TraceError) -> String {
    let folders =
      (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
      + ["/usr/sbin", "/sbin", "/usr/bin"]
    guard
      let path = folders.map({ "\($0)/bpftrace" })
        .first(where: { FileManager.default.isExecutableFile(atPath: $0) })
    else {
      throw .notInstalled(engine: "bpftrace", remedy: "apt-get install bpftrace")
    }
    return path
  }

  static func environment(_ own: [String: String]) -> [String: String] {
    var environment = ProcessInfo.processInfo.environment
    // Its word that the probes are in place, on standard error.
    environment["__BPFTRACE_NOTIFY_PROBES_ATTACHED"] = "1"
    environment.merge(own) { $1 }
    return environment
  }

  struct Run: Sendable {
    var status: EngineStatus?
    var output: [String] = []
    var log: [String] = []
  }

  /// Runs bpftrace for what it says of itself or of a program.
  static func runToEnd(
    _ command: [String], environment own: [String: String], within seconds: Double
  ) throws(TraceError) -> Run {
    let running = RunningCommand()
    let process = try EngineProcess.start(
      command, environment: environment(own), onLine: running.take, onEnd: running.end)
    guard let run = running.wait(seconds) else {
      process.send(SIGKILL)
      throw .noAnswer(seconds: seconds)
    }
    return run
  }
}

private final class RunningCommand: @unchecked Sendable {
  private let condition = NSCondition()
  private var run = BpftraceEngine.Run()

  /// A dry run prints the program's tree, which nobody needs.
  private static let lines = 100

  @Sendable func take(_ stream: EngineProcess.Stream, _ line: [UInt8]) {
    condition.lock()
    defer { condition.unlock() }
    let words = String(decoding: line, as: UTF8.self)
    if stream == .errors, run.log.count < Self.lines { run.log.append(words) }
    if stream == .output, run.output.count < Self.lines { run.output.append(words) }
  }

  @Sendable func end(_ status: EngineStatus) {
    condition.lock()
    run.status = status
    condition.broadcast()
    condition.unlock()
  }

  /// Nil if it takes longer.
  func wait(_ seconds: Double) -> BpftraceEngine.Run? {
    let deadline = Date(timeIntervalSinceNow: seconds)
    condition.lock()
    defer { condition.unlock() }
    while run.status == nil {
      guard condition.wait(until: deadline) else { return nil }
    }
    return run
  }
}
