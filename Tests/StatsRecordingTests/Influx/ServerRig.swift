import Foundation
import Testing

@testable import DeviceRig

/// The server of debs/server in a folder of its own: its secrets as setup.sh makes them, its broker as
/// mosquitto.conf says, but for paths and ports.
final class ServerRig {
  let rig: Rig
  let folder: URL
  let healthPort = Int.random(in: 10_000..<20_000)

  static let source = Machine.packageRoot.appending(path: "debs/server")

  init(devices: [String] = ["pi-7"], readers: [String] = []) throws {
    rig = try Rig()
    folder = rig.folder.appending(path: "server")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    // What somebody has made in the source folder is not taken along.
    for name in try FileManager.default.contentsOfDirectory(atPath: Self.source.path())
    where !["secrets", "data", ".env"].contains(name) {
      try FileManager.default.copyItem(
        at: Self.source.appending(path: name), to: folder.appending(path: name))
    }
    try setUp("127.0.0.1")
    for name in devices { try setUp("device", name) }
    for name in readers { try setUp("reader", name) }
  }

  func path(_ name: String) -> String { folder.appending(path: name).path() }

  @discardableResult
  func setUp(_ arguments: String...) throws -> [String] {
    let result = try rig.run([path("setup.sh")] + arguments)
    try #require(result.status == 0, "\(result.log)")
    return result.output
  }

  /// Starts the broker; it is the rig's.
  func startBroker() throws -> Broker {
    var settings = try String(contentsOfFile: path("mosquitto/mosquitto.conf"), encoding: .utf8)
    for (text, replacement) in [
      ("/mosquitto/secrets", path("secrets/mosquitto")),
      ("/mosquitto/config", path("mosquitto")), ("/mosquitto/data", path("data/mosquitto")),
      ("listener 8883", "listener PORT 127.0.0.1"), ("listener 1883", "listener \(healthPort)"),
    ] {
      try #require(settings.contains(text))
      settings = settings.replacing(text, with: replacement)
    }
    return try rig.broker(settings: settings)
  }

  /// The options of mosquitto_pub(1) and mosquitto_sub(1) for a user with the password of a file.
  func client(_ user: String, _ passwordFile: String) throws -> [String] {
    let password = try String(contentsOfFile: path(passwordFile), encoding: .utf8)
    return [
      "-h", "127.0.0.1", "-p", "\(try rig.broker().port)", "--cafile",
      path("secrets/mosquitto/ca.pem"), "-V", "5", "-q", "1", "-u", user, "-P",
      password.trimmingCharacters(in: .newlines),
    ]
  }

  /// The reason codes that publishing gets as an answer, in words; empty if the broker has taken it.
  func publish(_ topic: String, as user: String, _ passwordFile: String) throws -> [String] {
    let mosquittoPub = try #require(Machine.command("mosquitto_pub"))
    let result = try rig.run(
      [mosquittoPub] + client(user, passwordFile) + ["-t", topic, "-m", "{}", "-d"])
    return (result.output + result.log).filter { $0.lowercased().contains("not authori") }
  }

  /// Runs python3(1) on a file of the server; returns what it prints, JSON.
  func json(_ program: String, _ file: String) throws -> Any {
    let python = try #require(Machine.command("python3"), "python3 is not installed")
    let result = try rig.run([python, "-c", program, path(file)])
    try #require(result.status == 0, "\(result.log)")
    return try JSONSerialization.jsonObject(with: Data(result.output.joined().utf8))
  }
}
