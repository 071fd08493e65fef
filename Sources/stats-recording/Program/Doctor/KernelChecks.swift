import Foundation
import Records

/// What the collectors need of the kernel and of what is installed.
struct KernelChecks: Sendable {
  let roots: DeviceRoots
  let configurations: DeviceConfigurations
  let units: EnabledUnits

  var findings: [Finding] {
    [pressure, accounting, coreDumps] + queues + [sensors]
  }

  /// A source that is missing is a problem only for a component that is enabled.
  private func missing(
    _ check: String, _ words: String, for program: Program, mend remedy: String
  ) -> Finding {
    let name = "\(program.name)"
    guard units.contains(name) else { return Finding(check, .warning, words, mend: remedy) }
    return Finding(check, .problem, "\(words), and \(name) is enabled", mend: remedy)
  }

  // MARK: Pressure

  private var pressure: Finding {
    let folder = "\(roots.procfs)/pressure"
    let line =
      roots.isRaspberryPi
      ? "add psi=1 to the line in /boot/firmware/cmdline.txt and restart"
      : "add psi=1 to the kernel's command line and restart"
    var resources: [String] = []
    for resource in roots.names(in: folder) {
      // Switched off, the files are there and cannot be read.
      guard let text = try? roots.read("\(folder)/\(resource)"), text.hasPrefix("some") else {
        // Only in newer kernels, where it tells full alone.
        if resource != "irq" {
          return missing("pressure", "\(folder) is switched off", for: .epollPsi, mend: line)
        }
        continue
      }
      resources.append(resource)
    }
    guard !resources.isEmpty else {
      return missing(
        "pressure", "\(folder) is not there: the kernel has it switched off or lacks CONFIG_PSI",
        for: .epollPsi, mend: line)
    }
    return Finding("pressure", .ok, "\(folder) tells of \(resources.joined(separator: ", "))")
  }

  // MARK: Accounting

  private var accounting: Finding {
    let configuration = configurations["inotify-pacct"]
    if configuration.isOn("own") {
      return Finding("accounting", .ok, "inotify-pacct turns it on by itself")
    }
    let path = configuration["file"] ?? "\(roots.variable)/log/account/pacct"
    var status = stat()
    guard stat(path, &status) == 0 else {
      if errno == EACCES {
        return Finding(
          "accounting", .warning, "\(path): only root and the group adm may look",
          mend: "sudo stats-recording doctor")
      }
      return missing(
        "accounting", "\(path) is not there", for: .inotifyPacct,
        mend: "apt install acct, or own = yes in /etc/stats-recording/inotify-pacct.conf")
    }
    let age = Int(Date().timeIntervalSince1970) - status.st_mtim.tv_sec
    if age > 300 {
      return missing(
        "accounting", "\(path) has not grown for \(age / 60) min", for: .inotifyPacct,
        mend: "systemctl restart acct")
    }
    return Finding("accounting", .ok, "\(path) grows")
  }

  // MARK: Core dumps

  private var coreDumps: Finding {
    let path = "\(roots.procfs)/sys/kernel/core_pattern"
    let pattern: String
    do throws(FileFailure) {
      pattern = try roots.read(path).trimmingCharacters(in: .whitespacesAndNewlines)
    } catch {
      return Finding("core dumps", .warning, "\(error)")
    }
    if pattern.hasPrefix("|"), pattern.contains("systemd-coredump") {
      return Finding("core dumps", .ok, "core_pattern hands them to systemd-coredump")
    }
    let words = "core_pattern is \"\(pattern)\", not systemd-coredump"
    let installed = roots.exists("/lib/systemd/systemd-coredump")
    return missing(
      "core dumps", words, for: .inotifyCoredump,
      mend: installed ? "systemctl restart systemd-sysctl" : "apt install systemd-coredump")
  }

  // MARK: Queues

  /// What the units' queues hold: 64 records of 1024 bytes each.
  private static let (depth, messageSize) = (64, 1024)

  private var queues: [Finding] {
    let folder = "\(roots.procfs)/sys/fs/mqueue"
    func limit(_ name: String) -> Int? {
      (try? roots.read("\(folder)/\(name)")).flatMap {
        Int($0.trimmingCharacters(in: .whitespacesAndNewlines))
      }
    }
    guard let depth = limit("msg_max"), let size = limit("msgsize_max"),
      let count = limit("queues_max")
    else {
      return [
        Finding(
          "queues", .problem, "\(folder) is not there: the kernel has no POSIX message queues",
          mend: "a kernel with CONFIG_POSIX_MQUEUE")
      ]
    }
    var findings: [Finding] = []
    if size < Self.messageSize {
      findings.append(
        Finding(
          "queues", .problem,
          "fs.mqueue.msgsize_max is \(size), a record takes \(Self.messageSize)",
          mend: "sysctl fs.mqueue.msgsize_max=8192"))
    }
    if count < Program.allCases.count {
      findings.append(
        Finding(
          "queues", .problem,
          "fs.mqueue.queues_max is \(count), \(Program.allCases.count) are needed",
          mend: "sysctl fs.mqueue.queues_max=256"))
    }
    if depth < Self.depth {
      findings.append(
        Finding(
          "queues", .warning,
          "fs.mqueue.msg_max is \(depth): queues of programs that are started by hand hold no more "
            + "(those of the units \(Self.depth))",
          mend: "sysctl fs.mqueue.msg_max=\(Self.depth)"))
    }
    if let bytes = memoryLimit, bytes < Self.memoryNeeded {
      findings.append(
        Finding(
          "queues", .warning,
          "RLIMIT_MSGQUEUE is \(bytes) bytes, all queues take \(Self.memoryNeeded)",
          mend: "ulimit -q 819200"))
    }
    return findings.isEmpty
      ? [Finding("queues", .ok, "room for \(depth) records of up to \(size) bytes")] : findings
  }

  /// mq_overview(7): of each message its size and the kernel's own data.
  private static let memoryNeeded = Program.allCases.count * depth * (messageSize + 64)

  /// RLIMIT_MSGQUEUE, from /proc/PID/limits; nil: unlimited or not known.
  private var memoryLimit: Int? {
    let text = try? roots.read("\(roots.procfs)/self/limits")
    return text?.split(separator: "\n").first { $0.hasPrefix("Max msgqueue size") }
      .flatMap { $0.split(separator: " ").dropFirst(3).first }.flatMap { Int($0) }
  }

  // MARK: Sensors

  private var sensors: Finding {
    let chips = roots.names(in: "\(roots.sysfs)/class/hwmon").filter { $0.hasPrefix("hwmon") }
    let zones = roots.names(in: "\(roots.sysfs)/class/thermal")
      .filter { $0.hasPrefix("thermal_zone") }
    guard chips.isEmpty && zones.isEmpty else {
      return Finding("sensors", .ok, "\(chips.count) chips, \(zones.count) thermal zones")
    }
    return Finding(
      "sensors", .warning, "no chips and no thermal zones, as in most virtual machines",
      mend: "apt install lm-sensors && sensors-detect")
  }
}
