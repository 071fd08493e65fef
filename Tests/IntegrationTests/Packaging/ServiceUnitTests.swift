import Foundation
import Testing

extension PackagingTests {
  /// The units as they are installed, each one started with systemctl, with a broker beside them.
  @Suite struct ServiceUnitTests {
    @Test(arguments: ["bookworm", "trixie"])
    func everyComponentPublishesFromItsSandbox(_ suite: String) throws {
      let system = try InstalledSystem(suite)
      try system.installBroker()
      try system.apt("install", "systemd-coredump", "dlt-daemon", "dlt-tools")
      let subscriber = try system.subscriber()
      // The kernel's own pattern is that of the machine around the test.
      try system.configure("inotify-coredump", "folder = /var/lib/systemd/coredump")
      try system.configure("inotify-pacct", "own = yes")
      try system.configure("cyclic-file-read", "interval = 1s")
      try system.configure("epoll-psi", "interval = 1s")
      try system.configure("trace-consumer", "programs = execs, run-queue-latency, oom-kills")
      for collector in InstalledSystem.collectors {
        try system.systemctl("enable --now \(collector)")
      }

      // What makes some of them tell something.
      try system.sh(
        """
        systemctl start dlt-daemon || systemctl stop dlt-system # of Debian 12, of Debian 13
        printf '%s\\n' 'ApplicationId = SYS' 'LogProcessesEnable = 1' 'LogProcessesContextId = PROC' \
          'LogProcessName = *' 'LogProcessFilename = stat' 'LogProcessMode = 2' \
          'LogProcessTimeDelay = 1' >/etc/dlt-system.conf
        systemd-run --quiet --unit tells dlt-system -c /etc/dlt-system.conf
        systemd-run --quiet --unit fails false
        """)
      // As the kernel does it for a process that has crashed, which is still there then.
      try system.sh(
        """
        sleep 1000 &
        head --bytes=20000 /dev/urandom | /usr/lib/systemd/systemd-coredump \
          $! 0 0 11 $(date +%s) 18446744073709551615 host
        """)

      for (topic, key, value) in [
        ("/cyclic-sysinfo", "kind", "system_information"),
        ("/cyclic-file-read/memory", "kind", "memory"),
        ("/cyclic-file-read/network/lo", "interface", "lo"),
        ("/cyclic-file-read/file_system/_", "mount_point", "/"),
        ("/epoll-psi/cpu", "resource", "cpu"),
        ("/inotify-coredump/dump/sleep", "signal_name", "SIGSEGV"),
        ("/inotify-pacct", "comm", "false"),
        ("/dbus-systemd-signals/unit/fails.service", "active_state", "failed"),
        ("/trace-consumer/event/execs/started", "kind", "trace_event"),
        (
          "/trace-consumer/histogram/run-queue-latency/microseconds/_", "program",
          "run-queue-latency"
        ),
      ] {
        try eventually("\(topic) with \(key) \(value)", within: 40) {
          subscriber.messages(of: topic).contains { $0.text(key) == value }
        }
      }
      try eventually("a process on the DLT target", within: 40) {
        subscriber.messages.contains {
          $0.topic.contains("/dlt-proc-watch/") && $0.text("kind") == "process_load"
        }
      }
      // Complete, since nothing in the sandbox keeps from the journal and the dump's attributes.
      let dump = try #require(subscriber.messages(of: "/inotify-coredump/dump/sleep").last)
      #expect(dump.flag("journal_entry") == true)
      #expect(dump.text("exe") == "/usr/bin/sleep")
      // Processes of others are seen too.
      #expect(
        subscriber.messages.contains {
          $0.topic.contains("/cyclic-file-read/process/") && $0.integer("pid") == 1
        })

      for unit in InstalledSystem.programs {
        let journal = try system.journal(unit)
        #expect(try system.isActive(unit), "\(unit): \(journal)")
        #expect(try system.show("NRestarts", unit) == "0", "\(unit): \(journal)")
        // No program was refused anything that it asked for.
        #expect(!journal.contains("not permitted") && !journal.contains("denied"), "\(journal)")
        let process = try system.show("MainPID", unit)
        let owner = try system.sh("stat --format %U /proc/\(process)").output
        // tracefs belongs to root: of its capabilities 38 and 39 are left, CAP_PERFMON and CAP_BPF.
        let isTracing = unit == "trace-consumer"
        #expect(owner == [isTracing ? "root" : "stats-recording"])
        if isTracing {
          let status = try system.sh("cat /proc/\(process)/status").output
          #expect(status.contains("CapEff:\t000000c000000000"))
          #expect(status.contains("CapBnd:\t000000c000000000"))
        }
      }
      #expect(try system.sh("systemctl list-units --quiet --state=activating").output == [])
    }

    @Test(arguments: ["bookworm", "trixie"])
    func noUnitScoresMoreThanTwo(_ suite: String) throws {
      let system = try InstalledSystem(suite)
      for program in InstalledSystem.programs {
        // The status says whether the score, times ten, is within the threshold.
        let result = try system.sh(
          "systemd-analyze security --no-pager --threshold=20 \(program).service 2>&1 | tail -n 1")
        let line = try #require(result.output.last)
        let score = line.split(separator: " ").compactMap { Double($0) }.first
        #expect(try #require(score, "\(line)") <= 2.0, "\(program): \(line)")
      }
    }

    @Test func theBridgeRestartsUnderLoadWithoutALoss() throws {
      let system = try InstalledSystem()
      try system.installBroker()
      let subscriber = try system.subscriber()
      try system.configure("cyclic-sysinfo", "interval = 20ms")
      // A password that systemd alone can read; the broker here does not ask for it.
      try system.sh("mkdir -p /etc/credstore; echo x >/etc/credstore/stats-recording.mqtt-password")
      try system.configure("posix-mq-to-mqtt-bridge", "username = someone")
      try system.systemctl("start cyclic-sysinfo")
      let samples = { subscriber.messages(of: "/cyclic-sysinfo") }
      for restart in 1...4 {
        let count = samples().count
        try eventually("samples before restart \(restart)", within: 30) {
          samples().count > count + 50
        }
        // The socket unit, too, which closes the queues and opens them again.
        try system.systemctl(
          restart.isMultiple(of: 2)
            ? "restart posix-mq-to-mqtt-bridge" : "restart posix-mq-to-mqtt-bridge.socket")
      }
      try system.systemctl("stop cyclic-sysinfo")
      try eventually("it has stopped", within: 30) {
        subscriber.messages(of: "/cyclic-sysinfo/state").last?.text("state") == "stopped"
      }
      try expectNothingIsMissing(samples())
      #expect(
        try system.sh(
          "stat --format '%U %G %a' /run/credentials/posix-mq-to-mqtt-bridge.service/mqtt-password"
        ).output == ["stats-recording root 400"])
    }

    @Test func theDelayBetweenRestartsGrows() throws {
      let system = try InstalledSystem()
      try system.systemctl("start epoll-psi")
      var delays: [Double] = []
      for _ in 1...4 {
        let process = try system.show("MainPID", "epoll-psi")
        try system.systemctl("kill --signal KILL epoll-psi")
        let begin = Date()
        try eventually("it runs again", within: 60) {
          let next = try system.show("MainPID", "epoll-psi")
          return try next != process && next != "0" && system.isActive("epoll-psi")
        }
        delays.append(Date().timeIntervalSince(begin))
      }
      #expect(zip(delays, delays.dropFirst()).allSatisfy { $1 > $0 + 0.5 }, "\(delays)")
      #expect(try system.show("NRestarts", "epoll-psi") == "4")
      // Who asks for a restart does not wait.
      let begin = Date()
      try system.systemctl("restart epoll-psi")
      #expect(Date().timeIntervalSince(begin) < 5)
      #expect(try system.show("NRestarts", "epoll-psi") == "0")
    }

    /// On a Pi Zero the package would install and no program run.
    @Test(arguments: [("armv6l", 1), ("armv7l", 0), ("aarch64", 0), ("x86_64", 0)])
    func processorsThatCannotRunItAreRefused(_ machine: String, _ status: Int32) throws {
      let rig = try Rig()
      let process = try ChildProcess(
        ["/bin/sh", Machine.packageRoot.appending(path: "debs/scripts/preinst").path(), "install"],
        name: "preinst", in: rig.folder, environment: ["PATH": Self.path(saying: machine, rig)])
      #expect(try process.wait() == status)
      #expect(process.log.count == Int(status))
    }

    /// A PATH on which uname(1) says this.
    private static func path(saying text: String, _ rig: Rig) throws -> String {
      let uname = rig.folder.appending(path: "uname")
      try "#!/bin/sh\necho \(text)\n".write(to: uname, atomically: true, encoding: .utf8)
      try #require(chmod(uname.path(), 0o755) == 0)
      return rig.folder.path() + ":/usr/bin:/bin"
    }

    /// Before Linux 6.5 the kernel asks for CAP_SYS_RESOURCE.
    @Test(arguments: [
      ("6.1.0-28-amd64", true), ("5.10.103-v7l+", true), ("6.4.16", true), ("6.5", false),
      ("6.12.25+rpt-rpi-v8", false), ("7.0-rc1", false),
    ])
    func olderKernelsGiveACapabilityForPressure(_ release: String, _ isGiven: Bool) throws {
      let rig = try Rig()
      let generator = Machine.packageRoot.appending(path: "units/generator").path()
      let process = try ChildProcess(
        ["/bin/sh", generator, rig.folder.path()], name: "generator", in: rig.folder,
        environment: ["PATH": Self.path(saying: release, rig)])
      #expect(try process.wait() == 0)
      #expect(process.log == [])
      let dropIn = try? String(
        contentsOf: rig.folder.appending(path: "epoll-psi.service.d/stats-recording.conf"),
        encoding: .utf8)
      #expect((dropIn?.contains("AmbientCapabilities=CAP_SYS_RESOURCE") ?? false) == isGiven)
    }
  }
}
