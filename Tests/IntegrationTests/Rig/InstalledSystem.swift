import CLinux
import Foundation
import Records
import Testing

/// A booted Debian system of one test, with a network of its own, in which the package is installed.
final class InstalledSystem {
  static let collectors = Program.allCases.map { "\($0.name)" }
  static let bridge = "posix-mq-to-mqtt-bridge"
  static let programs = collectors + [bridge]

  let booted: BootedSystem

  /// Boots the suite and installs the package as it is built.
  init(_ suite: String = "bookworm", _ package: Package? = nil) throws {
    try eventually(
      "RLIMIT_MSGQUEUE has room for the queues of the units; look for others' in /dev/mqueue",
      within: 30, Self.hasRoomForQueues)
    booted = try BootedSystem(
      suite: suite,
      [
        "--private-network", "--capability=CAP_SYS_PACCT,CAP_BPF,CAP_PERFMON",
        "--system-call-filter=bpf perf_event_open",
      ], queueDepth: 64)
    // As systemd does where it is not in a container.
    try sh("mount -t tracefs tracefs /sys/kernel/tracing")
    try install(package ?? Package.built(.amd64))
  }

  deinit { booted.stop() }

  /// Whether root may make queues of 570 KB more: RLIMIT_MSGQUEUE counts those of all IPC namespaces.
  private static func hasRoomForQueues() -> Bool {
    let names = (0..<7).map { "/\(Machine.uniqueName())-\($0)" }
    defer { for name in names { mq_unlink(name) } }
    return names.allSatisfy { name in
      var attributes = mq_attr()
      attributes.mq_maxmsg = 10
      attributes.mq_msgsize = 8192
      let queue = clinux_mq_open(name, O_CREAT | O_RDWR, 0o600, &attributes)
      if queue >= 0 { mq_close(queue) }
      return queue >= 0
    }
  }

  /// With apt, so that what it depends on is installed, or missed.
  func install(_ package: Package) throws {
    let name = URL(filePath: package.path).lastPathComponent
    let copy = booted.folder.appending(path: name).path()
    if !FileManager.default.fileExists(atPath: copy) {
      try FileManager.default.copyItem(atPath: package.path, toPath: copy)
    }
    try apt("install", "--allow-downgrades", "/srv/\(name)")
  }

  /// From what the root has downloaded; edited configuration files are kept.
  @discardableResult
  func apt(_ command: String...) throws -> [String] {
    let result = try sh(
      """
      export DEBIAN_FRONTEND=noninteractive
      apt-get --quiet=2 --yes --no-install-recommends -o Dpkg::Use-Pty=0 \
        -o Dpkg::Options::=--force-confold \(command.joined(separator: " ")) 2>&1
      """, within: 120)
    try #require(result.status == 0, "\(result.output.joined(separator: "\n"))")
    return result.output
  }

  @discardableResult
  func sh(
    _ script: String, within seconds: Double = 30
  ) throws -> (status: Int32, output: [String]) {
    try booted.run("sh", "-c", script, within: seconds)
  }

  /// Runs systemctl(1), which must succeed.
  func systemctl(_ arguments: String...) throws {
    let command = "systemctl \(arguments.joined(separator: " "))"
    let result = try sh("\(command) 2>&1", within: 120)
    #expect(result.status == 0, "\(command): \(result.output.joined(separator: "\n"))")
  }

  func show(_ property: String, _ unit: String) throws -> String {
    try sh("systemctl show --property \(property) --value \(unit)").output.first ?? ""
  }

  func isActive(_ unit: String) throws -> Bool { try show("ActiveState", unit) == "active" }

  /// Appends lines to the configuration file of a program.
  func configure(_ program: String, _ lines: String) throws {
    try sh("echo '\(lines)' >>/etc/stats-recording/\(program).conf")
  }

  /// What a person sees who looks for the fault: the journal of a program.
  func journal(_ unit: String) throws -> String {
    try sh("journalctl --quiet --no-pager --output cat --unit \(unit)").output
      .joined(separator: "\n")
  }

  /// Everything that the device publishes, from a broker of its own.
  func subscriber(_ options: String...) throws -> Subscriber {
    try Subscriber(
      booted.start(
        Subscriber.command(port: 1883, topic: "stats/#") + options, name: "mosquitto_sub"))
  }

  func installBroker() throws { try apt("install", "mosquitto", "mosquitto-clients") }
}
