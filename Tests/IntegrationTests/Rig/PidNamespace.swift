import CLinux
import Foundation
import Testing

/// A pid namespace with process accounting of its own: see Fixtures/pacct/processes.c.
final class PidNamespace {
  private let rig: Rig
  private let holder: ChildProcess
  private let initID: String

  init(_ rig: Rig) throws {
    self.rig = rig
    let holder = try ChildProcess([Self.tool.get(), "hold"], name: "hold", in: rig.folder)
    self.holder = holder
    try eventually("the namespace is there") { holder.output.count == 2 || !holder.isRunning }
    initID = try #require(holder.output.first { Int($0) != nil }, "\(holder.log)")
  }

  /// processes.c, compiled once.
  static let tool = Result<String, any Error> {
    let source = Machine.packageRoot.appending(path: "Tests/Fixtures/pacct/processes.c").path()
    let rig = try Rig()
    let path = FileManager.default.temporaryDirectory
      .appending(path: "processes-\(Machine.uniqueName())").path()
    let compiler = try #require(Machine.command("cc"), "cc is not installed")
    let result = try rig.run([compiler, "-O1", "-pthread", "-o", path, source])
    try #require(result.status == 0, "\(result.log)")
    atexit { PidNamespace.removeTool() }
    return path
  }

  private static func removeTool() {
    if let path = try? tool.get() { unlink(path) }
  }

  /// Starts a command in it; SIGTERM reaches it.
  func start(_ command: [String], name: String) throws -> ChildProcess {
    try ChildProcess(
      [Self.tool.get(), "join", initID] + command, name: name, in: rig.folder)
  }

  /// Starts a collector in it.
  func program(_ program: String, _ options: [String]) throws -> ChildProcess {
    try start(
      Rig.command(program, on: .amd64)
        + ["--config", "/dev/null", "--queue-prefix", rig.queuePrefix] + options, name: program)
  }

  /// Runs a command in it to its end.
  @discardableResult
  func run(_ command: String..., within seconds: Double = 30) throws -> Int32 {
    let process = try start(command, name: "command")
    return try process.wait(within: seconds)
  }

  /// Runs processes.c in it.
  @discardableResult
  func processes(_ arguments: String..., within seconds: Double = 60) throws -> Int32 {
    try start([Self.tool.get()] + arguments, name: "processes").wait(within: seconds)
  }

  /// Turns accounting on as distributions do.
  func turnOn(_ path: String) throws {
    if !FileManager.default.fileExists(atPath: path) {
      _ = FileManager.default.createFile(
        atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
    }
    #expect(try run(#require(Machine.command("accton"), "acct is not installed"), path) == 0)
  }

  func turnOff() throws {
    #expect(try run(#require(Machine.command("accton")), "off") == 0)
  }

  /// Kills what ``start(_:name:)`` started as a crash would, without its end being forwarded.
  func kill(_ process: ChildProcess) throws {
    let path = "/proc/\(process.id)/task/\(process.id)/children"
    let children = try String(contentsOfFile: path, encoding: .utf8)
    let id = try #require(pid_t(children.split(separator: " ").first ?? ""))
    #expect(Foundation.kill(id, SIGKILL) == 0)
    #expect(try process.wait() == 128 + SIGKILL)
  }
}
