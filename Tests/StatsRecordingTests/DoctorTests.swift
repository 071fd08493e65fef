import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

/// What the doctor says of this machine and of captured trees of others.
struct DoctorTests {
  struct Report {
    let status: Int32
    let findings: [(check: String, level: String, words: String, remedy: String?)]

    func of(_ check: String) -> [(check: String, level: String, words: String, remedy: String?)] {
      findings.filter { $0.check == check }
    }

    func level(_ check: String) -> String? { of(check).first?.level }
  }

  /// Runs `doctor --json`.
  static func report(_ rig: Rig, _ arguments: [String]) throws -> Report {
    let result = try rig.run([Rig.toolPath(), "doctor", "--json"] + arguments)
    let value = try JSONValue(parsing: Array(result.output.joined().utf8))
    guard case .array(let values) = value.members?["findings"] else {
      Issue.record("no findings: \(result)")
      return Report(status: result.status, findings: [])
    }
    let report = Report(
      status: result.status,
      findings: try values.map { value in
        let members = try #require(value.members)
        return (
          try #require(members["check"]?.text), try #require(members["level"]?.text),
          try #require(members["message"]?.text), members["remedy"]?.text
        )
      })
    let problems = report.findings.filter { $0.level == "problem" }.count
    #expect(value.members?["problems"] == .number("\(problems)"))
    #expect(report.status == (problems > 0 ? 1 : 0))
    for finding in report.findings where finding.level == "problem" {
      #expect(finding.remedy?.isEmpty == false, "\(finding) says not how to mend it")
    }
    return report
  }

  @Test func thisMachineIsAsItsOwnFilesSay() throws {
    let report = try Self.report(Rig(), ["--no-broker"])
    let pressure = try? String(contentsOfFile: "/proc/pressure/cpu", encoding: .utf8)
    #expect((report.level("pressure") == "ok") == (pressure != nil))
    let pattern = try String(contentsOfFile: "/proc/sys/kernel/core_pattern", encoding: .utf8)
    #expect((report.level("core dumps") == "ok") == pattern.contains("systemd-coredump"))
    let depth = try String(contentsOfFile: "/proc/sys/fs/mqueue/msg_max", encoding: .utf8)
    let words = try #require(report.of("queues").first?.words)
    #expect(words.contains(depth.trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(report.of("clock").count == 1)
    #expect(!report.of("units").isEmpty)
    let lines = try Rig().run([Rig.toolPath(), "doctor", "--no-broker"]).output
    #expect(lines.count == report.findings.count)
    for line in lines {
      #expect(line.prefixMatch(of: /(ok|warning|problem) +\w+/) != nil, "\(line)")
    }
  }

  // MARK: Captured trees

  /// A device as its files would be, complete; a test takes away from it.
  final class Tree {
    let rig: Rig
    let root: URL

    init() throws {
      rig = try Rig()
      root = rig.folder.appending(path: "tree")
      for resource in ["cpu", "io", "memory"] {
        try write(
          "proc/pressure/\(resource)", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n")
      }
      try write("proc/pressure/irq", "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n")
      try write("proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0")
      try write(
        "proc/sys/kernel/core_pattern",
        "|/lib/systemd/systemd-coredump %P %u %g %s %t 9223372036854775808 %h\n")
      for (name, value) in [("msg_max", 64), ("msgsize_max", 8192), ("queues_max", 256)] {
        try write("proc/sys/fs/mqueue/\(name)", "\(value)\n")
      }
      try write(
        "proc/self/limits",
        "Max msgqueue size         819200               819200               bytes     \n")
      try write("sys/class/hwmon/hwmon0/name", "cpu_thermal\n")
      try write("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n")
      try write("var/log/account/pacct", "")
      try write("etc/stats-recording/epoll-psi.conf", "# nothing\n")
    }

    func write(_ path: String, _ text: String) throws {
      let file = root.appending(path: path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: file, atomically: true, encoding: .utf8)
    }

    func remove(_ path: String) throws {
      try FileManager.default.removeItem(at: root.appending(path: path))
    }

    var path: String { root.path() }

    func report(_ arguments: String...) throws -> Report {
      try DoctorTests.report(
        rig,
        [
          "--procfs", path + "/proc", "--sysfs", path + "/sys", "--etc", path + "/etc", "--var",
          path + "/var",
        ] + arguments)
    }
  }

  @Test func aCompleteDeviceHasNothingToMend() throws {
    let report = try Tree().report("--no-broker")
    #expect(report.status == 0)
    for finding in report.findings { #expect(finding.level == "ok", "\(finding)") }
    #expect(
      report.findings.map(\.check) == [
        "pressure", "accounting", "core dumps", "queues", "sensors", "configuration",
      ])
  }

  @Test func whatIsMissingIsAProblemOnlyForWhatIsEnabled() throws {
    let tree = try Tree()
    try tree.remove("proc/pressure")
    let report = try tree.report("--no-broker")
    #expect(report.status == 0)
    #expect(report.level("pressure") == "warning")
    #expect(report.of("pressure").first?.remedy?.contains("/boot/firmware/cmdline.txt") == true)
    try tree.write("etc/systemd/system/multi-user.target.wants/epoll-psi.service", "")
    let second = try tree.report("--no-broker")
    #expect(second.status == 1)
    #expect(second.level("pressure") == "problem")
  }

  @Test func eachThingThatIsMissingIsNamed() throws {
    let tree = try Tree()
    try tree.write("proc/sys/kernel/core_pattern", "core\n")
    try tree.write("proc/sys/fs/mqueue/msg_max", "10\n")
    try tree.write("proc/sys/fs/mqueue/msgsize_max", "512\n")
    try tree.write(
      "proc/self/limits",
      "Max msgqueue size         1000                 1000                 bytes     \n")
    try tree.remove("var/log/account/pacct")
    try tree.remove("sys/class")
    let report = try tree.report("--no-broker")
    #expect(report.status == 1)
    #expect(report.level("core dumps") == "warning")
    #expect(report.of("core dumps").first?.words.contains("\"core\"") == true)
    #expect(report.of("queues").map(\.level) == ["problem", "warning", "warning"])
    #expect(report.of("accounting").first?.remedy?.contains("apt install acct") == true)
    #expect(report.level("sensors") == "warning")
    try tree.write("etc/stats-recording/inotify-pacct.conf", "own = yes\n")
    #expect(try tree.report("--no-broker").level("accounting") == "ok")
  }

  @Test func aMistakeInAFileIsNamedWithItsLine() throws {
    let tree = try Tree()
    try tree.write("etc/stats-recording/epoll-psi.conf", "# a\ninterval = 5s\nno equals\n")
    let report = try tree.report("--no-broker")
    let finding = try #require(report.of("configuration").first)
    #expect(finding.level == "problem")
    #expect(finding.words.hasSuffix("epoll-psi.conf: line 3 is not of the form key = value"))
  }

  @Test func aFileThatEverybodyMayReadHoldsNoPassword() throws {
    let tree = try Tree()
    let secret = tree.path + "/secret"
    try "password\n".write(toFile: secret, atomically: true, encoding: .utf8)
    try tree.write(
      "etc/stats-recording/posix-mq-to-mqtt-bridge.conf",
      "port = 1\nusername = pi-7\npassword-file = \(secret)\n")
    chmod(secret, 0o644)
    let report = try tree.report()
    #expect(report.of("credentials").first?.remedy == "chmod o= \(secret)")
    chmod(secret, 0o600)
    #expect(try tree.report().of("credentials").isEmpty)
  }

  // MARK: Units

  private func findings(_ text: String?) throws -> [Finding] {
    let tree = try Tree()
    try tree.write("etc/systemd/system/multi-user.target.wants/epoll-psi.service", "")
    return UnitChecks(enabled: EnabledUnits(DeviceRoots(etc: tree.path + "/etc")))
      .findings(systemctl: text)
  }

  private func unit(
    _ name: String, _ state: String, _ subState: String, _ result: String = "success",
    status: Int = 0,
    load: String = "loaded"
  ) -> String {
    """
    ExecMainStatus=\(status)
    Result=\(result)
    Id=\(name).service
    LoadState=\(load)
    ActiveState=\(state)
    SubState=\(subState)
    """
  }

  @Test func unitsThatFailAreProblems() throws {
    let found = try findings(
      [
        unit("cyclic-sysinfo", "active", "running"),
        unit("inotify-pacct", "failed", "failed", "signal"),
        unit("dbus-systemd-signals", "activating", "auto-restart", "exit-code", status: 1),
        unit("dlt-proc-watch", "failed", "failed", "exit-code", status: 69),
        unit("epoll-psi", "inactive", "dead"), unit("inotify-coredump", "inactive", "dead"),
      ].joined(separator: "\n\n"))
    #expect(found.map(\.level) == [.problem, .problem, .warning, .warning])
    #expect(found[0].words.contains("inotify-pacct.service is failed: signal"))
    #expect(found[1].words.contains("dbus-systemd-signals.service is auto-restart"))
    #expect(found[2].words.contains("its source is not there"))
    #expect(found[3].remedy == "systemctl start epoll-psi")
  }

  @Test func unitsThatRunAreFine() throws {
    let found = try findings(
      unit("cyclic-sysinfo", "active", "running") + "\n\n" + unit("epoll-psi", "active", "running"))
    #expect(found == [Finding("units", .ok, "running: cyclic-sysinfo, epoll-psi")])
    #expect(
      try findings(unit("epoll-psi", "inactive", "dead", load: "not-found"))[0].level == .warning)
    #expect(try findings(nil)[0].level == .warning)
  }

  @Test(arguments: [(Int32(0), Finding.Level.ok), (5, .warning), (-1, .warning)])
  func aClockThatNobodyKeepsIsTold(_ state: Int32, _ level: Finding.Level) {
    #expect(ClockCheck.finding(state: state < 0 ? nil : state).level == level)
  }
}
