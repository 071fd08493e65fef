import CLinux
import Foundation
import Records
import Testing

/// A device of its own for one test: a folder, a broker, queues with a name of their own, and the
/// programs as they were built for a device. Everything ends with it.
final class Rig {
  enum Architecture: String, CaseIterable { case amd64, arm64, armhf }

  let name = Machine.uniqueName()
  let folder: URL
  let queuePrefix: String
  private var startedBroker: Broker?

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: name)
    queuePrefix = "/\(name)."
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit {
    startedBroker?.kill()
    for program in Program.allCases { mq_unlink("\(queuePrefix)\(program.name)") }
    try? FileManager.default.removeItem(at: folder)
  }

  /// The broker; started at its first use.
  func broker() throws -> Broker {
    if let startedBroker { return startedBroker }
    return try broker(settings: "listener PORT 127.0.0.1\nallow_anonymous true")
  }

  func broker(settings: String) throws -> Broker {
    let broker = try Broker(in: folder, settings: settings)
    startedBroker = broker
    return broker
  }

  /// Starts the bridge as device `name`; it has announced itself when this returns.
  func bridge(
    _ options: String..., on architecture: Rig.Architecture = .amd64, waits: Bool = true
  ) throws -> ChildProcess {
    let broker = try broker()
    let process = try program(
      "posix-mq-to-mqtt-bridge",
      ["--host", "127.0.0.1", "--port", "\(broker.port)", "--device-id", name] + options,
      on: architecture)
    if waits {
      try eventually("the bridge connects", within: 20) {
        process.log.contains { $0.contains("connected to 127.0.0.1") }
      }
    }
    return process
  }

  /// Starts a program with the rig's queues and without the machine's configuration.
  func program(
    _ program: String, _ options: [String] = [], on architecture: Rig.Architecture = .amd64,
    environment: [String: String] = [:]
  ) throws -> ChildProcess {
    try ChildProcess(
      Self.command(program, on: architecture)
        + ["--config", "/dev/null", "--queue-prefix", queuePrefix] + options,
      name: program, in: folder, environment: environment)
  }

  func subscriber(_ options: String...) throws -> Subscriber {
    try Subscriber(port: broker().port, topic: "stats/\(name)/#", in: folder, options: options)
  }

  /// The command line of a program as it was built for a device; for another architecture than
  /// this machine's it runs under qemu-user with the libraries of the sysroot.
  static func command(_ program: String, on architecture: Architecture) throws -> [String] {
    let build = Machine.packageRoot.appending(path: ".build")
    let path = build.appending(path: "\(architecture)/release/\(program)").path()
    try #require(
      FileManager.default.isExecutableFile(atPath: path),
      "\(path) is not built: ./build.sh build --all")
    let emulator: String
    switch architecture {
    case .amd64: return [path]
    case .arm64: emulator = "qemu-aarch64-static"
    case .armhf: emulator = "qemu-arm-static"
    }
    return [
      try #require(Machine.command(emulator), "\(emulator) is not installed"), "-L",
      build.appending(path: "sysroot/\(architecture)").path(), path,
    ]
  }

  /// Runs a command to its end; returns its exit status, output and log.
  func run(
    _ command: [String], within seconds: Double = 20
  ) throws -> (status: Int32, output: [String], log: [String]) {
    let process = try ChildProcess(command, name: "command", in: folder)
    let status = try process.wait(within: seconds)
    return (status, process.output, process.log)
  }

  /// Runs a program with these options alone.
  func runProgram(
    _ program: String, _ options: String..., on architecture: Architecture = .amd64
  ) throws -> (status: Int32, output: [String], log: [String]) {
    try run(
      Self.command(program, on: architecture) + ["--config", "/dev/null"] + options)
  }
}
