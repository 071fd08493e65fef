import Foundation
import Testing

/// A Debian system of its own with systemd as PID 1, booted by systemd-nspawn(1) from .build/root.
///
/// What is changed in it is gone when it ends; the folder of the built programs is /mnt there.
final class BootedSystem: @unchecked Sendable {
  @TaskLocal static var current: BootedSystem?

  static let root = Machine.packageRoot.appending(path: ".build/root").path()

  let folder: URL
  private let name: String
  private let process: ChildProcess
  private let leader: pid_t

  /// systemd-nspawn makes groups below its own; those of two systems must not be the same. The
  /// hierarchies are those of a machine that mixes both versions of cgroups, and of one that does not.
  private static let inOwnGroup = """
    for root in \(hierarchies.joined(separator: " ")); do
      test -w $root/cgroup.procs || continue
      mkdir $root/$0 && echo $$ >$root/$0/cgroup.procs || exit
    done
    exec "$@"
    """
  private static let hierarchies = [
    "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup",
  ]

  /// `early` are units, by name, that are there and wanted from the start.
  init(early: [String: String] = [:]) throws {
    let name = Machine.uniqueName()
    folder = FileManager.default.temporaryDirectory.appending(path: name)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let programs = Machine.packageRoot.appending(path: ".build/amd64/release").path()
    var binds: [String] = []
    for (unit, text) in early {
      let file = folder.appending(path: unit)
      try text.write(to: file, atomically: true, encoding: .utf8)
      binds.append("--bind-ro=\(file.path()):/etc/systemd/system/\(unit)")
    }
    self.name = name
    let process = try ChildProcess(
      [
        "/bin/sh", "-c", Self.inOwnGroup, name,
        try #require(Machine.command("systemd-nspawn"), "systemd-nspawn is not installed"),
        "--quiet", "--boot",
        "--directory=\(URL(filePath: Self.root).resolvingSymlinksInPath().path())",
        "--volatile=overlay", "--machine=\(name)", "--register=no", "--keep-unit",
        "--link-journal=no", "--console=pipe", "--bind-ro=\(programs):/mnt",
      ] + binds + ["--"] + early.keys.map { "systemd.wants=\($0)" },
      name: "systemd-nspawn", in: folder,
      // As Debian has it, also on a machine that still has the first version of cgroups.
      environment: ["SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"])
    self.process = process
    var leader: pid_t = 0
    let pgrep = try #require(Machine.command("pgrep"), "pgrep is not installed")
    let folder = folder
    try eventually("systemd-nspawn starts PID 1", within: 30) {
      let children = try ChildProcess([pgrep, "-P", "\(process.id)"], name: "pgrep", in: folder)
      _ = try children.wait()
      leader = children.output.first.flatMap { pid_t($0) } ?? 0
      return leader > 0
    }
    self.leader = leader
    try eventually("the system is up", within: 60) {
      let state = try run("systemctl", "is-system-running").output.first ?? ""
      return ["running", "degraded"].contains(state)
    }
  }

  /// Ends PID 1, and with it everything in there.
  func stop() {
    if process.isRunning { Foundation.kill(leader, SIGKILL) }
    _ = try? process.wait()
    for root in Self.hierarchies { Self.removeGroups(root + "/" + name) }
    try? FileManager.default.removeItem(at: folder)
  }

  deinit { process.kill() }

  private static func removeGroups(_ group: String) {
    guard let inside = try? FileManager.default.contentsOfDirectory(atPath: group) else { return }
    for name in inside {
      var status = stat()
      if lstat(group + "/" + name, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
        removeGroups(group + "/" + name)
      }
    }
    // What ended a moment ago may still be in there.
    try? eventually("\(group) is empty") { rmdir(group) == 0 || errno == ENOENT }
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

extension Trait where Self == BootsSystem {
  static var bootsSystem: Self { Self() }
}

extension Trait where Self == ConditionTrait {
  static var needsSystemToBoot: Self {
    .needs("needs .build/root, a Debian system to boot: ./build.sh test makes it") {
      FileManager.default.fileExists(atPath: BootedSystem.root + "/usr/lib/systemd/systemd")
    }
  }
}
