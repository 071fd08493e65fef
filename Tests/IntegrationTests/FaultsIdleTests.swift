import CLinux
import Foundation
import Testing

/// What every daemon costs when nothing happens: fewer than two wake-ups a second.
@Suite(
  .needs(command: "mosquitto"), .needs(command: "systemd-nspawn"), .needs(command: "accton"),
  .needsRoot, .onItsOwnThread)
struct FaultsIdleTests {
  /// How often each goes to sleep in a second. Where another process holds a lock of the kernel, waiting
  /// for it counts as well: then what it waited for is looked at.
  private func rates(
    of daemons: [ChildProcess], _ seconds: Int, in folder: URL
  ) throws -> [Double] {
    let before = try daemons.map { try FaultRig.sleeps(of: $0) }
    sleep(UInt32(seconds))
    let sleeps = try zip(daemons, before).map { try FaultRig.sleeps(of: $0) - $1 }
    return try zip(daemons, sleeps).map { daemon, sleeps in
      let rate = Double(sleeps) / Double(seconds)
      return rate < 2 ? rate : Double(try waits(of: daemon, seconds, in: folder)) / Double(seconds)
    }
  }

  /// How often it came back from waiting for something to happen, as strace(1) sees it.
  private func waits(of daemon: ChildProcess, _ seconds: Int, in folder: URL) throws -> Int {
    let strace = try ChildProcess(
      [
        try #require(Machine.command("strace")), "-f", "-e",
        "trace=/^(epoll_p?wait2?|p?poll|p?select6?|(clock_)?nanosleep)$", "-p", "\(daemon.id)",
      ], name: "strace", in: folder)
    try eventually("strace looks at it") { strace.log.contains { $0.contains("attached") } }
    sleep(UInt32(seconds))
    strace.send(SIGINT)
    #expect(try strace.wait() == -SIGINT)
    return strace.log.count { $0.contains(#/ = \d+/#) }
  }

  @Test func noDaemonWakesTwiceASecond() throws {
    let device = try FaultRig("--status-interval", "60s")
    let folder = device.rig.folder.path()
    let system = try BootedSystem()
    defer { system.stop() }
    let namespace = try PidNamespace(device.rig)
    try namespace.turnOn(folder + "/pacct")
    let daemon = try FakeDaemon()
    // Whatever else is made in the folders above it wakes its watcher, and /tmp is busy.
    let cores = "/var/lib/\(device.rig.name)"
    mkdir(cores, 0o700)
    defer { rmdir(cores) }
    let bridge = try device.start()
    try device.waitForConnection()
    var daemons = [
      try device.rig.program("cyclic-sysinfo", ["--interval", "1s"]),
      try device.rig.program("cyclic-file-read", ["--interval", "1s"]),
      try device.rig.program("epoll-psi"),
      try device.rig.program(
        "inotify-coredump",
        ["--folder", cores, "--no-journal", "--state-file", folder + "/cores-state"]),
      try device.rig.program(
        "inotify-pacct",
        ["--assume-on", "--file", folder + "/pacct", "--state-file", folder + "/pacct-state"]),
      try device.rig.program("dlt-proc-watch", ["--port", "\(daemon.port)"]),
      // With a queue of its own.
      try system.program("dbus-systemd-signals", ["--queue-prefix", device.rig.queuePrefix]),
    ]
    let client = try daemon.client()
    sleep(2)
    for daemon in daemons { #expect(daemon.isRunning, "\(daemon.name): \(daemon.log)") }
    let seconds = FaultRig.seconds == nil ? 10 : 60
    for (daemon, rate) in zip(daemons, try rates(of: daemons, seconds, in: device.rig.folder)) {
      print("idle: \(daemon.name): \(rate) wake-ups a second")
      #expect(rate < 2, "\(daemon.name)")
    }
    // The bridge, with one record a second.
    for daemon in daemons[1...] { try daemon.stop() }
    daemons.removeLast(daemons.count - 1)
    sleep(1)
    let rate = try rates(of: [bridge], seconds, in: device.rig.folder)[0]
    print("idle: \(bridge.name): \(rate) wake-ups a second with a record a second")
    #expect(rate < 2)
    _ = client
    try daemons[0].stop()
    // It tells that the collector has stopped.
    sleep(3)
    let last = try FaultRig.sleeps(of: bridge)
    sleep(5)
    #expect(try FaultRig.sleeps(of: bridge) - last <= 2, "without records")
    #expect(try bridge.stop() == 0)
  }
}
