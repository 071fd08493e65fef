import Foundation
import Testing

/// A C program of Tests/Fixtures/faults, compiled once for all tests.
enum FaultTool {
  /// Kills a program at an instruction: see kill-at.c.
  static let killAt = compile("kill-at.c", [])
  /// Makes queues: see make-queues.c.
  static let makeQueues = compile("make-queues.c", [])
  /// Stands in for the wall clock: see wrong-clock.c.
  static let wrongClock = compile("wrong-clock.c", ["-shared", "-fPIC", "-ldl"])

  private static let folder: URL = {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "fault-tools-\(Machine.uniqueName())")
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    atexit { try? FileManager.default.removeItem(at: FaultTool.folder) }
    return folder
  }()

  private static func compile(_ name: String, _ options: [String]) -> Result<String, any Error> {
    Result {
      let source = Machine.packageRoot.appending(path: "Tests/Fixtures/faults/\(name)").path()
      let path = folder.appending(path: String(name.dropLast(2))).path()
      let compiler = try #require(Machine.command("cc"), "cc is not installed")
      let process = try ChildProcess(
        [compiler, "-O1", "-Wall", "-Wextra", "-Werror", "-o", path, source] + options,
        name: "cc", in: folder)
      let status = try process.wait(within: 60)
      try #require(status == 0, "\(process.log)")
      return path
    }
  }
}
