import Foundation
import Testing

/// The set-up of a broker that SECURITY.md recommends, taken from there word for word.
@Suite(
  .needs(command: "mosquitto"), .needs(command: "mosquitto_sub"), .needs(command: "mosquitto_pub"),
  .needs(command: "openssl"))
struct BrokerSetupTests {
  /// The lines of a fenced block of SECURITY.md by its name.
  private static func block(_ name: String) throws -> [String] {
    let text = try String(
      contentsOf: Machine.packageRoot.appending(path: "SECURITY.md"), encoding: .utf8)
    let lines = text.components(separatedBy: "\n")
    let start = try #require(lines.firstIndex(of: "```\(name)"), "SECURITY.md has no \(name)")
    let end = try #require(lines[(start + 1)...].firstIndex(of: "```"))
    return Array(lines[(start + 1)..<end])
  }

  /// A broker with a plain listener for the witness and, on another port, the one of SECURITY.md.
  private struct SetUp {
    let rig: Rig
    let certificates: Certificates
    let port = Int.random(in: 10_000..<20_000)

    init() throws {
      rig = try Rig()
      certificates = try Certificates(in: rig.folder)
      try certificates.sign("server", for: "127.0.0.1")
      for name in ["pi-7", "pi-8", "dashboard"] { try certificates.sign(name, for: name) }
      let folder = rig.folder.path()
      let list = folder + "/stats.acl"
      try block("stats.acl").joined(separator: "\n").write(
        toFile: list, atomically: true, encoding: .utf8)
      let settings = try block("mosquitto.conf").joined(separator: "\n")
        .replacing("/etc/mosquitto/certs", with: folder)
        .replacing("/etc/mosquitto/stats.acl", with: list)
        .replacing("listener 8883", with: "listener \(port) 127.0.0.1")
      for name in [folder + "/ca.pem", list, "listener \(port)"] {
        try #require(settings.contains(name))
      }
      _ = try rig.broker(
        settings: "listener PORT 127.0.0.1\nallow_anonymous true\n\(settings)")
    }

    /// mosquitto_pub(1) with a certificate; returns what went wrong, if anything.
    func publish(_ topic: String, as name: String) throws -> String? {
      let result = try rig.run([
        try #require(Machine.command("mosquitto_pub")), "-h", "127.0.0.1", "-p", "\(port)", "-V",
        "5", "-q", "1", "--cafile", certificates.authority,
        "--cert", certificates.path("\(name).pem"), "--key", certificates.path("\(name).key"),
        "-t", topic, "-m", "{}", "-i", "anything", "-d",
      ])
      let answer = (result.output + result.log).first {
        $0.contains("Not authorized") || $0.contains("not authorised")
      }
      if result.status != 0 || answer != nil { return answer ?? "\(result)" }
      return nil
    }

    /// The bridge with the configuration of SECURITY.md and further options.
    func bridge(_ options: [String] = []) throws -> ChildProcess {
      let path = rig.folder.appending(path: "bridge-\(Machine.uniqueName()).conf").path()
      let lines = try block("posix-mq-to-mqtt-bridge.conf").joined(separator: "\n")
        .replacing("/etc/stats-recording", with: rig.folder.path())
        .replacing("broker.example", with: "127.0.0.1")
      try lines.write(toFile: path, atomically: true, encoding: .utf8)
      return try ChildProcess(
        Rig.command("posix-mq-to-mqtt-bridge", on: .amd64)
          + ["--config", path, "--port", "\(port)", "--queue-prefix", rig.queuePrefix] + options,
        name: "bridge", in: rig.folder)
    }
  }

  @Test func aDevicePublishesBelowItsOwnNameAndNowhereElse() throws {
    let setUp = try SetUp()
    let rig = setUp.rig
    let witness = try Subscriber(port: rig.broker().port, topic: "#", in: rig.folder)
    #expect(try setUp.publish("stats/pi-7/cyclic-sysinfo", as: "pi-7") == nil)
    #expect(try setUp.publish("stats/pi-7", as: "pi-7") == nil)
    for topic in [
      "stats/pi-8/cyclic-sysinfo", "stats/pi-70/x", "stats", "stats/status", "other", "$SYS/x",
    ] {
      #expect(try setUp.publish(topic, as: "pi-7") != nil, "\(topic)")
    }
    #expect(try setUp.publish("stats/pi-8/status", as: "pi-8") == nil)
    try eventually("what was allowed has arrived") { witness.messages.count >= 3 }
    #expect(
      witness.messages.map(\.topic) == [
        "stats/pi-7/cyclic-sysinfo", "stats/pi-7", "stats/pi-8/status",
      ])
  }

  @Test func theBridgeOfTheDeviceIsReadByTheDashboardAlone() throws {
    let setUp = try SetUp()
    let rig = setUp.rig
    func reader(_ name: String) throws -> Subscriber {
      try Subscriber(
        port: setUp.port, topic: "stats/#", in: rig.folder,
        options: [
          "--cafile", setUp.certificates.authority, "--cert",
          setUp.certificates.path("\(name).pem"),
          "--key", setUp.certificates.path("\(name).key"),
        ])
    }
    let (dashboard, other) = (try reader("dashboard"), try reader("pi-8"))
    let bridge = try setUp.bridge()
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "50ms"])
    try eventually("the dashboard sees the device") {
      dashboard.messages(of: "stats/pi-7/cyclic-sysinfo").count >= 10
        && dashboard.messages(of: "stats/pi-7/status").last?.text("state") == "online"
    }
    try collector.stop()
    #expect(try bridge.stop() == 0)
    try eventually("it sees the end too") {
      dashboard.messages(of: "stats/pi-7/status").last?.text("state") == "offline"
    }
    #expect(other.messages.isEmpty)
    #expect(!bridge.log.contains { $0.contains("refused") })
  }

  @Test func aBridgeUnderAnothersNameIsRefusedAndSaysSo() throws {
    let setUp = try SetUp()
    let rig = setUp.rig
    let witness = try Subscriber(port: rig.broker().port, topic: "#", in: rig.folder)
    let bridge = try setUp.bridge(["--device-id", "pi-8"])
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "50ms"])
    try eventually("the log says so") {
      bridge.log.contains { $0.contains("records of cyclic-sysinfo are refused: Not authorized") }
    }
    try collector.stop()
    // Its last will would be the status of another device.
    bridge.kill()
    #expect(try setUp.publish("stats/pi-7/end", as: "pi-7") == nil)
    try eventually("the end arrives") { !witness.messages(of: "/end").isEmpty }
    #expect(witness.messages.map(\.topic) == ["stats/pi-7/end"])
  }

  /// The client id would be that of pi-7: the broker goes by the certificate.
  @Test func aDeviceCannotTakeOverTheConnectionOfAnother() throws {
    let setUp = try SetUp()
    let bridge = try setUp.bridge()
    try eventually("it is connected") { bridge.log.contains { $0.contains("connected to") } }
    let elsewhere = try Rig()
    let thief = try setUp.bridge([
      "--certificate-file", setUp.certificates.path("pi-8.pem"),
      "--key-file", setUp.certificates.path("pi-8.key"), "--queue-prefix", elsewhere.queuePrefix,
    ])
    try eventually("the thief is connected") { thief.log.contains { $0.contains("connected to") } }
    let collector = try setUp.rig.program("cyclic-sysinfo", ["--interval", "20ms"])
    let witness = try setUp.rig.broker()
    let subscriber = try Subscriber(port: witness.port, topic: "stats/pi-7/#", in: setUp.rig.folder)
    try eventually("pi-7 goes on") { subscriber.messages(of: "/cyclic-sysinfo").count >= 20 }
    #expect(!bridge.log.contains { $0.contains("trying again") }, "\(bridge.log)")
    try collector.stop()
    thief.kill()
    #expect(try bridge.stop() == 0)
  }
}
