import Foundation
import Testing

/// The packages for ARM, unpacked into Debian systems that hold what they depend on and nothing else,
/// with qemu-user in the place of the processor.
@Suite(
  .needsRoot, .needsPackages, .needs(command: "mosquitto"), .needs(command: "qemu-aarch64-static"),
  .needs(command: "qemu-arm-static"),
  .needs("needs .build/root-arm64 and .build/root-armhf: ./build.sh test makes them") {
    [.arm64, .armhf].allSatisfy { FileManager.default.fileExists(atPath: ForeignSystem.root($0)) }
  })
struct PackageCrossTests {
  @Test(arguments: [Rig.Architecture.arm64, .armhf])
  func everyProgramRunsWhereOnlyItsDependsAre(_ architecture: Rig.Architecture) throws {
    let rig = try Rig()
    let system = try ForeignSystem(architecture, rig)
    let version = try Package.built(architecture).version
    for program in InstalledSystem.programs {
      let result = try rig.run(system.command(program, "--version"))
      #expect(result.output == ["\(program) \(version)"], "\(result.log)")
    }
    // What each can tell there: 0 with a record, or 69 with the reason.
    for (program, options, status, what) in [
      ("cyclic-sysinfo", [], 0, #""kind":"system_information""#),
      ("cyclic-file-read", ["--processes-interval", "off"], 0, #""kind":"memory""#),
      ("epoll-psi", [], 0, #""kind":"pressure_sample""#),
      ("dlt-proc-watch", ["--file", "/sample.dlt"], 0, #""kind":"process_"#),
      ("inotify-pacct", ["--file", "/none"], 69, "/none is not there"),
      ("dbus-systemd-signals", ["--address", "unix:path=/none"], 69, "/none"),
      ("inotify-coredump", ["--folder", "/tmp", "--no-journal"], 0, "there is no core dump yet"),
      // qemu-user has no bpf(2), and tells a program for 32 bits of a kernel for 32 bits.
      (
        "trace-consumer", ["--programs", "execs"], 69,
        architecture == .armhf ? "this kernel is of 32 bits" : "/execs.bpf.o: "
      ),
    ] {
      let result = try rig.run(
        system.command(program, ["--once"] + options), within: 60)
      #expect(result.status == status, "\(program): \(result.log)")
      let told = result.output + result.log
      #expect(told.contains { $0.contains(what) }, "\(program): \(told)")
    }
  }

  @Test(arguments: [Rig.Architecture.arm64, .armhf])
  func aRecordGoesThroughAQueueToABroker(_ architecture: Rig.Architecture) throws {
    let rig = try Rig()
    let system = try ForeignSystem(architecture, rig)
    let subscriber = try rig.subscriber()
    let queue = ["--queue-prefix", rig.queuePrefix]
    let bridge = try ChildProcess(
      system.command(
        "posix-mq-to-mqtt-bridge",
        ["--host", "127.0.0.1", "--port", "\(rig.broker().port)", "--device-id", rig.name] + queue),
      name: "bridge", in: rig.folder)
    let collector = try ChildProcess(
      system.command("cyclic-sysinfo", queue), name: "collector", in: rig.folder)
    try eventually("a record arrives", within: 60) {
      subscriber.messages(of: "/cyclic-sysinfo").contains { $0.number("uptime_seconds") ?? 0 > 0 }
    }
    #expect(try collector.stop(within: 30) == 0)
    #expect(try bridge.stop(within: 30) == 0)
  }
}

/// A Debian system of another architecture with a package unpacked into it; a process in it has it as
/// its root and shares everything else.
private struct ForeignSystem {
  static func root(_ architecture: Rig.Architecture) -> String {
    Machine.packageRoot.appending(path: ".build/root-\(architecture)").path()
  }

  private let layers: String
  private let mountPoint: String
  private let emulator: String

  init(_ architecture: Rig.Architecture, _ rig: Rig) throws {
    emulator = architecture == .arm64 ? "qemu-aarch64-static" : "qemu-arm-static"
    let files = FileManager.default
    let package = rig.folder.appending(path: "package")
    try Package.run("dpkg-deb", "--extract", Package.built(architecture).path, package.path())
    for folder in ["proc", "sys", "tmp"] {
      try files.createDirectory(
        at: package.appending(path: folder), withIntermediateDirectories: true)
    }
    try files.copyItem(
      atPath: #require(Machine.command(emulator)), toPath: package.path() + "/" + emulator)
    try files.copyItem(
      at: Machine.packageRoot.appending(path: "Tests/Fixtures/dlt/sample.dlt"),
      to: package.appending(path: "sample.dlt"))
    let root = URL(filePath: Self.root(architecture)).resolvingSymlinksInPath().path()
    layers = "\(package.path()):\(root)"
    mountPoint = rig.folder.appending(path: "root").path()
    try files.createDirectory(atPath: mountPoint, withIntermediateDirectories: true)
  }

  func command(_ program: String, _ options: [String]) throws -> [String] {
    let script = """
      mount -t overlay overlay -o lowerdir=\(layers) \(mountPoint) &&
      mount --rbind /proc \(mountPoint)/proc && mount --rbind /sys \(mountPoint)/sys &&
      exec chroot \(mountPoint) "$@"
      """
    return [
      try #require(Machine.command("unshare")), "--mount", "/bin/sh", "-c", script, "sh",
      "/\(emulator)", "/usr/bin/\(program)",
    ] + options
  }

  func command(_ program: String, _ options: String...) throws -> [String] {
    try command(program, options)
  }
}
