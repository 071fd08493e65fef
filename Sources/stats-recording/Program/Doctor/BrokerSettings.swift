import ArgumentParser
import Foundation

/// How the bridge of this device reaches the broker: its configuration file, and what the command
/// line says instead.
struct BrokerSettings {
  let options: BrokerOptions
  /// nil: it could not be found out, so that there is no topic to try.
  let deviceID: String?

  /// Errors: what stands there cannot be used, with the reason.
  init(
    _ configuration: ProgramConfiguration, overrides: [String: String], tls: Bool,
    roots: DeviceRoots
  ) throws {
    func value(_ name: String) -> String? { overrides[name] ?? configuration[name] }
    var arguments: [String] = []
    for name in [
      "host", "port", "topic-prefix", "username", "ca-file", "certificate-file", "key-file",
    ] {
      if let value = value(name) { arguments += ["--\(name)", value] }
    }
    if tls || configuration.isOn("tls") { arguments.append("--tls") }
    if value("username") != nil {
      let credential = "\(roots.etc)/credstore/stats-recording.mqtt-password"
      if let path = value("password-file") {
        arguments += ["--password-file", path]
      } else if roots.exists(credential) {
        arguments += ["--password-file", credential]
      }
    }
    options = try BrokerOptions.parse(arguments)
    deviceID = value("device-id") ?? (roots.etc == "/etc" ? Self.machinesOwn : nil)
  }

  /// As the bridge makes it from /etc/machine-id: the first half of the id of this application.
  private static var machinesOwn: String? {
    let application = "6f1e2a8c53d44b0e9a77d0c6b3f1a945"
    let id = output(of: ["systemd-id128", "machine-id", "--app-specific=\(application)"])
    guard let id, id.count >= 16, id.prefix(16).allSatisfy(\.isHexDigit) else { return nil }
    return String(id.prefix(16))
  }
}

extension BrokerSettings {
  /// A file that everybody may read is refused by the bridge.
  static func secrets(_ configuration: ProgramConfiguration) -> [Finding] {
    ["password-file", "key-file", "psk-file"].compactMap { name in
      guard let path = configuration[name] else { return nil }
      var status = stat()
      guard stat(path, &status) == 0 else {
        let reason = String(cString: strerror(errno))
        return Finding(
          "credentials", errno == EACCES ? .warning : .problem, "\(path): \(reason)",
          mend: errno == EACCES ? "sudo stats-recording doctor" : "\(name) = in its configuration")
      }
      guard status.st_mode & 0o007 != 0 else { return nil }
      return Finding(
        "credentials", .problem, "\(path): everybody may read it, so the bridge refuses it",
        mend: "chmod o= \(path)")
    }
  }
}
