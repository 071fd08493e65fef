import Foundation
import Testing

extension PackagingTests {
  /// What `apt install` and `apt remove` do to a Debian system with systemd as PID 1.
  @Suite struct InstallTests {
    @Test(arguments: ["bookworm", "trixie"])
    func installingBringsWhatIsNeededAndStartsNothing(_ suite: String) throws {
      let system = try InstalledSystem(suite)
      for program in InstalledSystem.programs {
        // Linked with nothing that apt did not bring.
        #expect(try system.sh("\(program) --version").output.first?.hasPrefix(program) == true)
        #expect(try system.show("ActiveState", program) == "inactive")
        #expect(try system.show("UnitFileState", program) == "disabled")
      }
      for unit in ["posix-mq-to-mqtt-bridge.socket", "stats-recording.target"] {
        #expect(try system.show("UnitFileState", unit) == "disabled")
      }
      #expect(try system.sh("systemctl --failed --quiet").output == [])
      #expect(try system.sh("dpkg --verify stats-recording").output == [])
      #expect(try system.sh("cat /proc/sys/fs/mqueue/msg_max").output == ["64"])
      let warnings = try system.sh(
        """
        systemd-analyze verify --man=no \
          $(dpkg --listfiles stats-recording | grep -E '\\.(service|socket|target)$') 2>&1
        """)
      #expect(warnings.status == 0)
      #expect(warnings.output == [])
    }

    @Test func anUpgradeRestartsWhatRunsAndNothingElse() throws {
      let current = try Package.built(.amd64)
      let rig = try Rig()
      let previous = try current.release("0.0.1", in: rig.folder)
      let system = try InstalledSystem("bookworm", previous)
      try system.installBroker()
      try system.configure("cyclic-sysinfo", "interval = 20ms")
      try system.configure("epoll-psi", "verbose = yes")
      try system.systemctl("enable --now cyclic-sysinfo epoll-psi")
      let subscriber = try system.subscriber()
      let samples = { subscriber.messages(of: "/cyclic-sysinfo") }
      try eventually("samples of the previous version", within: 30) { samples().count > 50 }

      let units = [
        "cyclic-sysinfo.service", "epoll-psi.service", "posix-mq-to-mqtt-bridge.service",
      ]
      var processes = try units.map { try system.show("MainPID", $0) }
      for package in [current, previous] {
        let count = samples().count
        try system.install(package)
        #expect(
          try system.sh("dpkg-query --show --showformat '${Version}' stats-recording; echo").output
            == [package.version])
        for (index, unit) in units.enumerated() {
          #expect(try system.isActive(unit), "\(unit) after the change to \(package.version)")
          let process = try system.show("MainPID", unit)
          #expect(process != processes[index])
          processes[index] = process
          // The program that was installed, not the one that it replaced.
          let program = try system.sh("readlink /proc/\(process)/exe").output
          #expect(program == ["/usr/bin/\(unit.replacingOccurrences(of: ".service", with: ""))"])
        }
        #expect(try system.isActive("posix-mq-to-mqtt-bridge.socket"))
        #expect(try system.show("ActiveState", "dbus-systemd-signals") == "inactive")
        #expect(try system.show("ActiveState", "stats-recording.target") == "inactive")
        try eventually("samples after the change to \(package.version)", within: 30) {
          samples().count > count + 50
        }
        // The line that the administrator wrote, and not what came with the version.
        #expect(
          try system.sh("grep -c -e '^verbose = yes' /etc/stats-recording/epoll-psi.conf").output
            == ["1"])
        #expect(
          try system.sh("cat /etc/stats-recording/epoll-psi.conf").output.last == "verbose = yes")
      }
      // Each run of the program counts its records from 0 on: nothing of any run is missing.
      try expectNothingIsMissing(samples())
      #expect(try system.sh("systemctl --failed --quiet").output == [])
    }

    @Test func removingStopsAndPurgingLeavesNothing() throws {
      let system = try InstalledSystem()
      let before = try system.traces()
      #expect(!before.isEmpty)
      try system.installBroker()
      try system.configure("inotify-pacct", "own = yes")
      try system.sh("mkdir -p /etc/credstore; echo x >/etc/credstore/stats-recording.mqtt-password")
      // What it watches is not there: the unit fails, once.
      try system.configure("epoll-psi", "procfs = /srv")
      try system.systemctl("enable --now stats-recording.target posix-mq-to-mqtt-bridge")
      try eventually("it has failed") { try system.show("ActiveState", "epoll-psi") == "failed" }
      #expect(try system.show("ExecMainStatus", "epoll-psi") == "69")
      #expect(try system.show("NRestarts", "epoll-psi") == "0")
      try eventually("accounting is on") { try system.isActive("inotify-pacct") }
      let subscriber = try system.subscriber()
      try eventually("messages come", within: 30) { !subscriber.messages.isEmpty }

      try system.apt("remove", "stats-recording")
      #expect(try system.sh("pgrep --list-full --uid stats-recording").output == [])
      #expect(try system.sh("ls /dev/mqueue").output == [])
      #expect(try system.sh("systemctl --failed --quiet").output == [])
      // The bridge went last, and said so.
      #expect(subscriber.messages(of: "/status").last?.text("state") == "offline")
      #expect(
        subscriber.messages(of: "/cyclic-sysinfo/state").last?.text("state") == "stopped")
      // Kept: what the administrator has set, and what was remembered.
      #expect(
        try system.sh("tail -n 1 /etc/stats-recording/inotify-pacct.conf").output == ["own = yes"])
      #expect(try system.sh("test -e /var/lib/stats-recording").status == 0)

      try system.apt("purge", "stats-recording")
      #expect(try system.traces() == [])
      #expect(
        try system.sh("getent passwd stats-recording; getent group stats-recording").output == [])
      #expect(try system.sh("systemctl is-system-running").output == ["running"])
    }
  }
}

extension InstalledSystem {
  /// Files of ours, by their names or their owner, other than what packages keep in the system's own
  /// folders: their journal, apt's and dpkg's history.
  fileprivate func traces() throws -> [String] {
    let names = (InstalledSystem.programs + ["stats-recording"]).map { "-name '*\($0)*'" }
    return try sh(
      """
      find / \\( -path /proc -o -path /sys -o -path /srv -o -path /mnt -o -path /var/log \\
        -o -path /var/cache/apt -o -path '/run/systemd/units' \\) -prune \\
        -o \\( \(names.joined(separator: " -o ")) -o -nouser -o -nogroup \\) -print 2>/dev/null
      """
    ).output
  }
}

/// Every record from the first to the last is there, and none was dropped, in each run of a program.
func expectNothingIsMissing(_ messages: [Message]) throws {
  let runs = Dictionary(grouping: messages) { $0.integer("instance") ?? 0 }
  for (_, messages) in runs {
    let numbers = Set(messages.compactMap { $0.integer("seq") })
    let (first, last) = try (#require(numbers.min()), #require(numbers.max()))
    let missing = (first...last).filter { !numbers.contains($0) }
    #expect(missing == [])
    #expect(messages.allSatisfy { $0.integer("dropped") == 0 })
  }
}
