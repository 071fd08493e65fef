import Foundation
import Testing

/// A Debian system of its own with systemd as PID 1, booted by systemd-nspawn(1) from
/// .build/root-SUITE.
///
/// What is changed in it is gone when it ends; the folder of the built programs is /mnt there, that
/// of the test is /srv.
final class BootedSystem: @unchecked Sendable {
  @TaskLocal static var current: BootedSystem?

  static func root(_ suite: String) -> String {
    Machine.packageRoot.appending(path: ".build/root-\(suite)").path()
  }

  let folder: URL
  private let controlGroup: String
  private let process: ChildProcess
  private var leader: pid_t = 0

  /// Boots it, with further options of systemd-nspawn(1).
  ///
  /// With `queueDepth` it shares an IPC namespace in which a queue may have so many messages; `early`
  /// are units, by name, that are there and wanted from the start.
  init(
    suite: String = "bookworm", _ options: [String] = [], queueDepth: Int? = nil,
    early: [String: String] = [:]
  ) throws {
    let name = Machine.uniqueName()
    folder = FileManager.default.temporaryDirectory.appending(path: name)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let programs = Machine.packageRoot.appending(path: ".build/amd64/release").path()
    var command = [
      try #require(Machine.command("systemd-nspawn"), "systemd-nspawn is not installed"),
      "--quiet", "--boot",
      "--directory=\(URL(filePath: Self.root(suite)).resolvingSymlinksInPath().path())",
      "--volatile=overlay", "--machine=\(name)", "--register=no", "--keep-unit",
      "--link-journal=no", "--console=pipe", "--bind-ro=\(programs):/mnt",
      "--bind-ro=\(folder.path()):/srv",
    ]
    command += options
    for (unit, text) in early {
      let file = folder.appending(path: unit)
      try text.write(to: file, atomically: true, encoding: .utf8)
      command.append("--bind-ro=\(file.path()):/etc/systemd/system/\(unit)")
    }
    command += ["--"] + early.keys.map { "systemd.wants=\($0)" }
    // Two systems in one cgroup would end each other's services. And the systemd of Debian 13 starts
    // with cgroup v2 alone.
    controlGroup = "\(try Self.controlGroups())/\(name)"
    var script = "mkdir \(controlGroup) && echo $$ >\(controlGroup)/cgroup.procs"
    var environment = ["SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"]
    var shell = ["/bin/sh", "-c"]
    if let queueDepth {
      shell =
        [try #require(Machine.command("unshare"), "unshare is not installed"), "--ipc"] + shell
      script += " && echo \(queueDepth) >/proc/sys/fs/mqueue/msg_max"
      environment["SYSTEMD_NSPAWN_SHARE_NS_IPC"] = "1"
    }
    let process = try ChildProcess(
      shell + [script + " && exec \"$@\"", "sh"] + command, name: "systemd-nspawn", in: folder,
      environment: environment)
    self.process = process
    do {
      leader = try Self.leader(of: process, in: folder)
      try eventually("the system is up", within: 60) {
        let state = try run("systemctl", "is-system-running").output.first ?? ""
        return ["running", "degraded"].contains(state)
      }
    } catch {
      stop()
      throw error
    }
  }

  /// PID 1 of the system; before there is one nspawn has other children.
  private static func leader(of process: ChildProcess, in folder: URL) throws -> pid_t {
    let pgrep = try #require(Machine.command("pgrep"), "pgrep is not installed")
    var leader: pid_t = 0
    try eventually("systemd-nspawn starts PID 1", within: 30) {
      let children = try ChildProcess(
        [pgrep, "-P", "\(process.id)", "-x", "systemd"], name: "pgrep", in: folder)
      _ = try children.wait()
      leader = children.output.compactMap { pid_t($0) }.first(where: Self.isFirst) ?? 0
      return leader > 0
    }
    return leader
  }

  /// Ends everything in there.
  func stop() {
    try? Data("1".utf8).write(to: URL(filePath: controlGroup + "/cgroup.kill"))
    process.kill()
    // A cgroup goes when nothing is in it any more, and not with the files that stand for it. Where
    // the machine still has version 1, systemd-nspawn has made the same groups there.
    let name = URL(filePath: controlGroup).lastPathComponent
    for group in [controlGroup, "/sys/fs/cgroup/systemd/\(name)"] {
      for _ in 0..<100 where FileManager.default.fileExists(atPath: group) {
        _ = try? ChildProcess(
          ["/usr/bin/find", group, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"],
          name: "find", in: folder
        ).wait()
      }
    }
    try? FileManager.default.removeItem(at: folder)
  }

  deinit { process.kill() }

  /// Where cgroup v2 is.
  private static func controlGroups() throws -> String {
    try #require(
      ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].first {
        FileManager.default.fileExists(atPath: $0 + "/cgroup.controllers")
      }, "needs cgroup v2 in /sys/fs/cgroup")
  }

  /// Whether a process is the first one of a system of its own, rather than one that prepares it.
  private static func isFirst(_ process: pid_t) -> Bool {
    let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    // `NSpid:`, the process' id here and in there.
    let ids = status?.split(separator: "\n").first { $0.hasPrefix("NSpid:") }?.split(
      separator: "\t")
    return ids?.count == 3 && ids?.last == "1"
  }

  private func entering(_ command: [String], _ spaces: [String]) throws -> [String] {
    [
      try #require(Machine.command("nsenter"), "nsenter is not installed"), "--target",
      "\(leader)",
    ] + spaces + ["--"] + command
  }

  /// Starts a command in there; systemd's own need a /proc in which they are.
  func start(_ command: [String], name: String) throws -> ChildProcess {
    try ChildProcess(entering(command, ["--all"]), name: name, in: folder)
  }

  /// Starts a program as it was built for a device.
  func program(_ program: String, _ options: [String]) throws -> ChildProcess {
    // Without a change of process ids nsenter(1) becomes the program, and is ended as such.
    try ChildProcess(
      entering(
        ["/mnt/\(program)", "--config", "/dev/null"] + options,
        ["--mount", "--uts", "--ipc", "--net"]), name: program, in: folder)
  }

  /// Starts a program of this machine that has nothing of the system but its message queues.
  func startSharingQueues(_ command: [String], name: String) throws -> ChildProcess {
    try ChildProcess(entering(command, ["--ipc"]), name: name, in: folder)
  }

  /// The way from this machine to a file in there.
  func path(_ path: String) -> String { "/proc/\(leader)/root\(path)" }

  /// Its system bus, from this machine.
  var busAddress: String { "unix:path=\(path("/run/dbus/system_bus_socket"))" }

  /// Whether it has shut itself down.
  var hasEnded: Bool { !process.isRunning }

  /// Runs a command in there to its end.
  @discardableResult
  func run(
    _ command: String..., within seconds: Double = 30
  ) throws -> (status: Int32, output: [String]) {
    let process = try start(["/usr/bin/\(command[0])"] + command.dropFirst(), name: command[0])
    let status = try process.wait(within: seconds)
    return (status, process.output)
  }

  /// Runs it as a transient service; its end is waited for by whoever needs it.
  func runService(_ unit: String, _ properties: [String] = [], _ command: [String]) throws {
    let options = properties.flatMap { ["--property", $0] }
    let process = try start(
      ["/usr/bin/systemd-run", "--quiet", "--unit", unit] + options + ["--"] + command,
      name: "systemd-run")
    #expect(try process.wait(within: 30) == 0)
  }
}

/// One boot for a whole suite.
struct BootsSystem: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: () async throws -> Void
  ) async throws {
    let system = try BootedSystem()
    defer { system.stop() }
    try await BootedSystem.$current.withValue(system) { try await function() }
  }
}

extension Trait where Self == ConditionTrait {
  static var needsRoots: Self {
    .needs("needs .build/root-*, Debian systems to boot: ./build.sh test makes them") {
      ["bookworm", "trixie"].allSatisfy {
        FileManager.default.fileExists(atPath: BootedSystem.root($0) + "/usr/lib/systemd/systemd")
      }
    }
  }
}

extension Trait where Self == BootsSystem {
  static var bootsSystem: Self { Self() }
}
