import ArgumentParser
import Foundation

/// `stats-recording doctor`: what a device lacks, and how to mend it.
struct Doctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tells what a device lacks, each with the command that mends it.",
    discussion: """
      Looks at pressure, accounting, core dumps, queues, sensors, the clock, the configuration files, \
      the units, and the way to the broker: name, TCP, TLS, login, and the right to publish on \
      <topic-prefix>/<device>/doctor. To be run on the device; needs no root, and says what only root \
      could see. The broker and the login are those of the bridge's configuration file unless \
      options say otherwise. On a broker that takes the user's name for the client's id, the bridge is \
      disconnected for a moment; it loses nothing.

      The exit status is 0 without a problem, warnings or not, and otherwise 1.

      Examples:
        stats-recording doctor
        sudo stats-recording doctor --json
        stats-recording doctor --host broker.example --tls --device-id pi-7
      """)

  @Flag(help: "One JSON object instead of lines.")
  var json = false

  @Flag(help: "Leave the broker alone.")
  var noBroker = false

  @Option(help: ArgumentHelp("The broker.", valueName: "host"))
  var host: String?

  @OptionGroup var login: BrokerLogin

  @Option(help: ArgumentHelp("What the topics begin with.", valueName: "text"))
  var topicPrefix: String?

  @Option(help: ArgumentHelp("This device in the topics.", valueName: "id"))
  var deviceID: String?

  @Option(help: ArgumentHelp("Where procfs is.", valueName: "folder"))
  var procfs = "/proc"

  @Option(help: ArgumentHelp("Where sysfs is.", valueName: "folder"))
  var sysfs = "/sys"

  @Option(help: ArgumentHelp("Where the configuration is.", valueName: "folder"))
  var etc = "/etc"

  @Option(help: ArgumentHelp("Where log/account/pacct is.", valueName: "folder"))
  var `var` = "/var"

  func run() async throws {
    let roots = DeviceRoots(procfs: procfs, sysfs: sysfs, etc: etc, variable: `var`)
    let configurations = DeviceConfigurations(roots)
    let units = EnabledUnits(roots)
    var findings =
      KernelChecks(roots: roots, configurations: configurations, units: units).findings
    // Captures of another machine have no clock and no systemd.
    if procfs == "/proc" { findings.append(ClockCheck.finding) }
    findings += configurations.findings
    if etc == "/etc" {
      findings += UnitChecks(enabled: units).findings(systemctl: UnitChecks.systemctl)
    }
    if !noBroker { findings += broker(configurations[DeviceConfigurations.bridge], roots) }
    show(findings)
    if findings.contains(where: { $0.level == .problem }) { throw ExitCode(1) }
  }

  private func broker(_ configuration: ProgramConfiguration, _ roots: DeviceRoots) -> [Finding] {
    let options = [
      "host": host, "port": login.port.map { "\($0)" }, "topic-prefix": topicPrefix,
      "device-id": deviceID, "username": login.username,
    ].compactMapValues { $0 }.merging(login.files) { $1 }
    let secrets = BrokerSettings.secrets(configuration)
    if configuration["psk-identity"] != nil {
      return secrets + [
        Finding(
          "broker", .warning,
          "a pre-shared key cannot be tried from here; the bridge's own log tells",
          mend: "journalctl -u posix-mq-to-mqtt-bridge -n 20")
      ]
    }
    do {
      let settings = try BrokerSettings(
        configuration, overrides: options, tls: login.tls, roots: roots)
      return secrets
        + BrokerCheck(options: settings.options, deviceID: settings.deviceID).findings()
    } catch {
      let words = BrokerOptions.message(for: error)
      let isForbidden = words.contains(String(cString: strerror(EACCES)))
      return secrets + [
        Finding(
          "broker", isForbidden ? .warning : .problem, words,
          mend: isForbidden
            ? "sudo stats-recording doctor"
            : "editor \(roots.etc)/stats-recording/\(DeviceConfigurations.bridge).conf")
      ]
    }
  }

  private func show(_ findings: [Finding]) {
    guard json else {
      for finding in findings { print(finding.line) }
      return
    }
    let counts = Dictionary(grouping: findings, by: \.level).mapValues(\.count)
    print(
      JSONValue.object([
        JSONMember("problems", .number("\(counts[.problem, default: 0])")),
        JSONMember("warnings", .number("\(counts[.warning, default: 0])")),
        JSONMember("findings", .array(findings.map(\.json))),
      ]).jsonText)
  }
}
