import Foundation
import Records

/// Which components somebody has enabled, from the links that `systemctl enable` makes.
/// stats-recording.target is not counted: it is whatever a machine supports.
struct EnabledUnits: Sendable {
  private let names: Set<String>

  init(_ roots: DeviceRoots) {
    let folder = "\(roots.etc)/systemd/system"
    var names: Set<String> = []
    for wants in roots.names(in: folder) where wants.hasSuffix(".wants") {
      for unit in roots.names(in: "\(folder)/\(wants)") { names.insert(unit) }
    }
    self.names = names
  }

  func contains(_ program: String) -> Bool { names.contains("\(program).service") }
}

/// The state of a unit as `systemctl show` prints it.
struct UnitStatus: Equatable, Sendable {
  let name: String
  let loadState: String
  let activeState: String
  let subState: String
  let result: String
  let exitStatus: String

  static let properties = "Id,LoadState,ActiveState,SubState,Result,ExecMainStatus"

  /// Blocks of `Name=value` with an empty line between them.
  static func parse(_ text: String) -> [UnitStatus] {
    text.components(separatedBy: "\n\n").compactMap { block in
      let pairs = block.split(separator: "\n").compactMap { line -> (String, String)? in
        let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
      }
      let values = Dictionary(pairs, uniquingKeysWith: { $1 })
      guard let name = values["Id"], let state = values["ActiveState"] else { return nil }
      return UnitStatus(
        name: name, loadState: values["LoadState"] ?? "", activeState: state,
        subState: values["SubState"] ?? "", result: values["Result"] ?? "",
        exitStatus: values["ExecMainStatus"] ?? "")
    }
  }
}

struct UnitChecks: Sendable {
  let enabled: EnabledUnits

  static let units = DeviceConfigurations.programs.map { "\($0).service" }

  /// `text` is what systemctl printed; nil: it is not there, or systemd does not run.
  func findings(systemctl text: String?) -> [Finding] {
    guard let text else {
      return [
        Finding("units", .warning, "systemd does not run here, so no unit was looked at")
      ]
    }
    let known = UnitStatus.parse(text).filter { $0.loadState != "not-found" }
    guard !known.isEmpty else {
      return [
        Finding(
          "units", .warning, "no unit of stats-recording is installed",
          mend: "apt install ./stats-recording_*.deb")
      ]
    }
    let problems = known.compactMap(finding)
    if !problems.isEmpty { return problems }
    let active = known.filter { $0.activeState == "active" }.map { program($0) }
    guard !active.isEmpty else {
      return [
        Finding(
          "units", .warning, "nothing is enabled",
          mend: "systemctl enable --now stats-recording.target")
      ]
    }
    return [Finding("units", .ok, "running: \(active.joined(separator: ", "))")]
  }

  private func program(_ unit: UnitStatus) -> String {
    unit.name.hasSuffix(".service") ? String(unit.name.dropLast(8)) : unit.name
  }

  private func finding(_ unit: UnitStatus) -> Finding? {
    let name = program(unit)
    if unit.activeState == "failed", unit.exitStatus == "69" {
      return Finding(
        "units", enabled.contains(name) ? .problem : .warning,
        "\(unit.name) has ended because its source is not there",
        mend: "journalctl -u \(name) -n 5 tells how to get it")
    }
    if unit.activeState == "failed" || unit.subState == "auto-restart" {
      return Finding(
        "units", .problem, "\(unit.name) is \(unit.subState): \(unit.result)",
        mend: "journalctl -u \(name) -n 20, then systemctl restart \(name)")
    }
    // Whose source is missing ends by itself; the bridge starts with the first record.
    if unit.activeState == "inactive", enabled.contains(name), unit.result == "success",
      name != DeviceConfigurations.bridge
    {
      return Finding(
        "units", .warning, "\(unit.name) is enabled and does not run",
        mend: "systemctl start \(name)")
    }
    return nil
  }

  static var systemctl: String? {
    output(of: ["systemctl", "show", "--property=\(UnitStatus.properties)"] + units)
  }
}
