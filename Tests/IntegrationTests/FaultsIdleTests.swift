import CLinux
import Foundation
import Testing

/// What every daemon costs when nothing happens: fewer than two wake-ups a second.
@Suite(
  .needs(command: "mosquitto"), .needs(command: "systemd-nspawn"), .needs(command: "accton"),
  .needsRoot, .onItsOwnThread)
struct FaultsIdleTests {
  /// How often each goes to sleep in a second. Where another process holds a lock of the kernel, waiting
  /// for it counts as well, so what is too much is counted again, up to three times.
  private func leastRates(of daemons: [ChildProcess], _ seconds: Int) throws -> [Double] {
    var rates = daemons.map { _ in Double.infinity }
    for _ in 1...3 where rates.contains(where: { $0 >= 2 }) {
      let before = try daemons.map { try FaultRig.sleeps(of: $0) }
      sleep(UInt32(seconds))
      for (index, daemon) in daemons.enumerated() {
        let sleeps = try FaultRig.sleeps(of: daemon) - before[index]
        rates[index] = min(rates[index], Double(sleeps) / Double(seconds))
      }
    }
    return rates
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
    for (daemon, rate) in zip(daemons, try leastRates(of: daemons, seconds)) {
      print("idle: \(daemon.name): \(rate) wake-ups a second")
      #expect(rate < 2, "\(daemon.name)")
    }
    // The bridge, with one record a second.
    for daemon in daemons[1...] { try daemon.stop() }
    daemons.removeLast(daemons.count - 1)
    sleep(1)
    let rate = try leastRates(of: [bridge], seconds)[0]
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
