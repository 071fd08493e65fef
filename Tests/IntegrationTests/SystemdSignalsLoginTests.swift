import Foundation
import Testing

/// Sleep and shutdown, as logind tells them.
extension SystemdSignalsBootTests {
  /// logind, systemd and systemd-sleep do all that they do on a real machine; only the kernel's
  /// /sys/power/state is a plain file, so that nothing sleeps.
  @Test func sleepAndWakingUpAreTold() throws {
    try system.run("mount", "-t", "tmpfs", "tmpfs", "/sys/power")
    let mount = try system.run("findmnt", "--noheadings", "--output", "FSTYPE", "/sys/power")
    try #require(mount.output == ["tmpfs"], "else this machine would go to sleep")
    try system.run("sh", "-c", "echo freeze mem >/sys/power/state")
    let (listener, witness) = (try SystemdListener(system), try LoginMonitor(system))
    try system.run("systemctl", "suspend")
    try eventually("waking up is told", within: 20) { listener.events("woke_up").count == 1 }
    #expect(listener.events("preparing_for_sleep").count == 1)
    let seconds = try #require(listener.events("woke_up")[0]["duration_seconds"] as? Double)
    #expect(seconds > 0 && seconds < 20)
    #expect(listener.course("systemd-suspend.service").last == "inactive/dead")
    try eventually("busctl has seen both") { witness.flags(of: "PrepareForSleep").count == 2 }
    #expect(witness.flags(of: "PrepareForSleep") == [true, false])
    #expect(try system.run("cat", "/sys/power/state").output == ["mem"])
    try listener.stop()
  }

  /// A poweroff.target that requires nothing is reached at once, and the system goes on.
  @Test func aShutdownThatDoesNotHappenIsTold() throws {
    let target = "/run/systemd/system/poweroff.target"
    try system.run(
      "sh", "-c", "mkdir -p /run/systemd/system; echo '[Unit]\nDefaultDependencies=no' >\(target)")
    try system.run("systemctl", "daemon-reload")
    let (listener, witness) = (try SystemdListener(system), try LoginMonitor(system))
    try system.run("systemctl", "poweroff")
    try eventually("it is told that it was none", within: 20) {
      listener.events("shutdown_canceled").count == 1
    }
    #expect(listener.events("preparing_for_shutdown").count == 1)
    try eventually("busctl has seen both") { witness.flags(of: "PrepareForShutdown").count == 2 }
    #expect(witness.flags(of: "PrepareForShutdown") == [true, false])
    try system.run("rm", target)
    try system.run("systemctl", "daemon-reload")
    try listener.stop()
  }

  /// `busctl monitor` of logind.
  private struct LoginMonitor {
    let process: ChildProcess

    init(_ system: BootedSystem) throws {
      process = try system.start(
        ["/usr/bin/busctl", "monitor", "org.freedesktop.login1"], name: "busctl")
      let process = process
      try eventually("busctl listens") {
        process.log.contains { $0.contains("Monitoring bus message stream") }
      }
    }

    /// The arguments of the signals of this name.
    func flags(of member: String) -> [Bool] {
      var isWanted = false
      return process.output.compactMap { line in
        if line.contains("Member=") { isWanted = line.contains("Member=\(member)") }
        guard isWanted, line.contains("BOOLEAN") else { return nil }
        return line.contains("true")
      }
    }
  }
}

/// From the first moment to the last of a system that is started for it.
@Suite(
  .needsRoot, .needs(command: "systemd-nspawn"), .needs(command: "nsenter"), .needsRoots)
struct SystemdSignalsLifeTests {
  @Test func startingUpAndShuttingDownAreTold() throws {
    let output = "/run/early.out"
    let system = try BootedSystem(early: [
      "early.service": """
      [Unit]
      After=dbus.service
      [Service]
      Type=notify
      ExecStart=/mnt/dbus-systemd-signals --config /dev/null --print
      StandardOutput=file:\(output)

      """
    ])
    defer { system.stop() }
    func events(_ lines: [String], _ event: String) -> [[String: Any]] {
      lines.compactMap(members).filter { $0["event"] as? String == event }
    }
    func early() throws -> [String] {
      try String(contentsOfFile: system.path(output), encoding: .utf8).split(separator: "\n")
        .map(String.init)
    }
    try eventually("the end of starting up is told", within: 20) {
      try events(early(), "startup_finished").count == 1
    }
    let startup = try events(early(), "startup_finished")[0]
    let total = startup["total_seconds"] as? Double
    let user = startup["userspace_seconds"] as? Double
    // The witness, in a container without firmware, loader and kernel: "Startup finished in 1.234s."
    let analyze = try system.run("systemd-analyze", "time").output
    let words = try #require(analyze.first).split(separator: " ")
    let witness = try #require(words.first { $0.hasSuffix("s") && $0.first!.isNumber })
    #expect(try abs(#require(user) - seconds(witness)) < 0.01, "\(analyze)")
    #expect(total == user)

    // From outside, as whatever is inside ends.
    let rig = try Rig()
    let listener = try rig.program(
      "dbus-systemd-signals", ["--print", "--address", system.busAddress])
    try eventually("it listens") { !events(listener.output, "snapshot").isEmpty }
    try system.run("systemctl", "poweroff")
    try eventually("the shutdown is told") {
      !events(listener.output, "preparing_for_shutdown").isEmpty
    }
    try eventually("the system ends", within: 60) { system.hasEnded }
    try eventually("the end of the bus is told") { !events(listener.output, "bus_gone").isEmpty }
    #expect(events(listener.output, "shutdown_canceled").isEmpty)
    #expect(try listener.stop() == 0)
  }

  /// `1.234s` or `987ms`.
  private func seconds(_ text: Substring) throws -> Double {
    if text.hasSuffix("ms") { return try #require(Double(text.dropLast(2))) / 1000 }
    return try #require(Double(text.dropLast()))
  }
}
