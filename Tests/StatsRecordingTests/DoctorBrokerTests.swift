import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

/// The way to real brokers, good and bad ones.
@Suite(.needs(command: "mosquitto"), .needs(command: "mosquitto_sub"))
struct DoctorBrokerTests {
  private typealias Report = DoctorTests.Report

  private func report(_ rig: Rig, _ arguments: String...) throws -> Report {
    let report = try DoctorTests.report(
      rig,
      ["--host", "127.0.0.1", "--port", "\(rig.broker().port)", "--device-id", rig.name] + arguments
    )
    return Report(
      status: report.status,
      findings: report.findings.filter { ["broker", "TLS", "login", "access"].contains($0.check) })
  }

  @Test func aBrokerThatAllowsItIsFine() throws {
    let rig = try Rig()
    let witness = try rig.subscriber()
    let report = try report(rig)
    #expect(report.findings.map(\.check) == ["broker", "login", "access"])
    #expect(report.findings.allSatisfy { $0.level == "ok" })
    try eventually("the message") { witness.messages.count == 1 }
    #expect(witness.messages[0].topic == "stats/\(rig.name)/doctor")
    let later = try rig.subscriber("-W", "1")
    #expect(later.messages.isEmpty, "it must not be retained")
  }

  @Test func theBridgesOwnFileSaysWhereAndAsWhom() throws {
    let rig = try Rig()
    try passwords(rig)
    let tree = rig.folder.appending(path: "etc/stats-recording")
    try FileManager.default.createDirectory(at: tree, withIntermediateDirectories: true)
    let secret = rig.folder.appending(path: "secret").path()
    try "correct\n".write(toFile: secret, atomically: true, encoding: .utf8)
    chmod(secret, 0o600)
    try """
    # as the package has it
    host = 127.0.0.1
    port = \(rig.broker().port)
    username = pi-7
    password-file = \(secret)
    device-id = pi-7
    """.write(
      to: tree.appending(path: "posix-mq-to-mqtt-bridge.conf"), atomically: true, encoding: .utf8)
    let report = try DoctorTests.report(
      rig, ["--etc", rig.folder.appending(path: "etc").path()])
    #expect(report.level("login") == "ok")
    #expect(report.of("access").first?.words == "may publish on stats/pi-7/doctor")
    try FileManager.default.removeItem(atPath: secret)
    let second = try DoctorTests.report(
      rig, ["--etc", rig.folder.appending(path: "etc").path()])
    #expect(second.of("broker").first?.words.contains("No such file") == true)
    #expect(second.status == 1)
  }

  /// A broker that knows pi-7 with the password `correct`, and lets it write below its own name.
  private func passwords(_ rig: Rig) throws {
    let command = try #require(Machine.command("mosquitto_passwd"))
    let file = rig.folder.appending(path: "passwords").path()
    try #require(try rig.run([command, "-b", "-c", file, "pi-7", "correct"]).status == 0)
    let list = rig.folder.appending(path: "acl").path()
    try "pattern write stats/%u/#\n".write(toFile: list, atomically: true, encoding: .utf8)
    _ = try rig.broker(
      settings:
        "listener PORT 127.0.0.1\nallow_anonymous false\npassword_file \(file)\nacl_file \(list)")
  }

  @Test func aWrongPasswordIsNoLogin() throws {
    let rig = try Rig()
    try passwords(rig)
    let secret = rig.folder.appending(path: "secret").path()
    try "wrong\n".write(toFile: secret, atomically: true, encoding: .utf8)
    for arguments in [["--username", "pi-7", "--password-file", secret], []] {
      let report = try DoctorTests.report(
        rig,
        ["--host", "127.0.0.1", "--port", "\(rig.broker().port)", "--device-id", "pi-7"] + arguments
      )
      let login = try #require(report.of("login").first)
      #expect(login.level == "problem")
      #expect(login.words.contains("Not authorized (135)"), "\(login)")
      #expect(report.of("access").isEmpty)
      #expect(report.status == 1)
    }
  }

  @Test func anAccessListThatForbidsIsNamed() throws {
    let rig = try Rig()
    try passwords(rig)
    let secret = rig.folder.appending(path: "secret").path()
    try "correct\n".write(toFile: secret, atomically: true, encoding: .utf8)
    let report = try report(rig, "--username", "pi-7", "--password-file", secret)
    #expect(report.level("login") == "ok")
    let access = try #require(report.of("access").first)
    #expect(access.level == "problem")
    #expect(access.words.contains("Not authorized (135)"))
    #expect(access.remedy?.contains("topic write stats/\(rig.name)/#") == true)
    #expect(report.status == 1)
  }

  @Test(.needs(command: "openssl")) func aCertificateOfAnotherAuthorityIsNotTrusted() throws {
    let rig = try Rig()
    let certificates = try Certificates(in: rig.folder)
    try certificates.sign("server", for: "127.0.0.1")
    _ = try rig.broker(
      settings: """
        listener PORT 127.0.0.1
        allow_anonymous true
        certfile \(certificates.path("server.pem"))
        keyfile \(certificates.path("server.key"))
        """)
    let good = try report(rig, "--ca-file", certificates.authority)
    #expect(good.findings.map(\.check) == ["broker", "TLS", "login", "access"])
    #expect(good.findings.allSatisfy { $0.level == "ok" })
    for wrong in [["--ca-file", certificates.otherAuthority], ["--tls"]] {
      let report = try DoctorTests.report(
        rig, ["--host", "127.0.0.1", "--port", "\(rig.broker().port)"] + wrong)
      let tls = try #require(report.of("TLS").first)
      #expect(tls.level == "problem")
      #expect(tls.words.contains("certificate verify failed"))
      #expect(tls.remedy?.contains("ca-file") == true)
      #expect(report.status == 1)
    }
    // Without TLS on a port that wants it.
    let plain = try report(rig)
    #expect(plain.level("login") == "problem")
    #expect(plain.of("login").first?.remedy?.contains("tls = yes") == true)
  }

  @Test func aBrokerThatIsNotThereIsNamed() throws {
    let rig = try Rig()
    let port = try rig.broker().port
    try rig.broker().kill()
    let report = try report(rig)
    #expect(report.of("broker").first?.words == "127.0.0.1:\(port): Connection refused")
    let nowhere = try DoctorTests.report(rig, ["--host", "nosuch.invalid"])
    #expect(nowhere.of("broker").first?.words.hasPrefix("nosuch.invalid: ") == true)
    #expect(nowhere.level("broker") == "problem")
  }
}
