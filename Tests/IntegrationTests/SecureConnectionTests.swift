import Foundation
import Testing

/// TLS, certificates, pre-shared keys and passwords against a broker that insists on them.
@Suite(
  .needs(command: "mosquitto"), .needs(command: "openssl"))
struct SecureConnectionTests {
  /// What mosquitto_passwd(1) made of the user pi-7 and the password "correct horse".
  static let passwords = """
    pi-7:$7$101$xoECm3ZuGx77jGVA$EN6vNoqh9cf6HjZm5dAjwmFKIy51g2X3xOlvizPqVyNYm8mJG8IAzzcf8XigkmZ\
    kC7v1Z8K1k2hjba6lQVIuMw==

    """

  /// A rig whose broker has a plain listener for the witness and a second one of this kind.
  private func rig(
    server: (name: String, subject: String, days: Int) = ("server", "127.0.0.1", 2),
    _ settings: String, files: [String: String] = [:]
  ) throws -> (rig: Rig, certificates: Certificates, port: Int) {
    let rig = try Rig()
    let certificates = try Certificates(in: rig.folder)
    try certificates.sign(server.name, for: server.subject, days: server.days)
    try certificates.sign("client", for: "pi-7")
    for (name, text) in files { _ = try write(text, to: name, of: rig) }
    let port = Int.random(in: 10_000..<20_000)
    _ = try rig.broker(
      settings: """
        listener PORT 127.0.0.1
        allow_anonymous true
        listener \(port) 127.0.0.1
        \(settings.replacingOccurrences(of: "DIR", with: rig.folder.path()))
        """)
    return (rig, certificates, port)
  }

  private static let mutual = """
    cafile DIR/ca.pem
    certfile DIR/server.pem
    keyfile DIR/server.key
    require_certificate true
    use_identity_as_username true
    """

  /// Starts a bridge that cannot connect; returns the line that it says about it.
  private func failure(
    _ rig: Rig, _ port: Int, _ options: [String], host: String = "127.0.0.1"
  ) throws -> String {
    let bridge = try rig.program(
      "posix-mq-to-mqtt-bridge",
      ["--host", host, "--port", "\(port)", "--device-id", rig.name, "--reconnect-max", "1s"]
        + options)
    try eventually("it says why") { bridge.log.contains { $0.contains("trying again") } }
    let lines = bridge.log.filter { $0.contains("trying again") }
    // It goes on trying, and the same reason again is no second line.
    try eventually("it tries again", within: 20) { try connections(rig, port) >= 2 }
    let reasons = bridge.log.filter { $0.contains("trying again") }
      .map { $0.replacing(/first in .*/, with: "") }
    #expect(Set(reasons).count == reasons.count, "\(reasons)")
    #expect(try bridge.stop() == 0)
    return lines[0]
  }

  /// Attempts that the broker has seen on this port.
  private func connections(_ rig: Rig, _ port: Int) throws -> Int {
    try rig.broker().log.count {
      $0.contains("New connection from") && $0.hasSuffix("on port \(port).")
    }
  }

  @Test func aClientCertificateLetsTheBridgeIn() throws {
    let (rig, certificates, port) = try rig(Self.mutual)
    let subscriber = try rig.subscriber()
    let bridge = try rig.program(
      "posix-mq-to-mqtt-bridge",
      [
        "--host", "127.0.0.1", "--port", "\(port)", "--device-id", rig.name,
        "--ca-file", certificates.authority, "--certificate-file", certificates.path("client.pem"),
        "--key-file", certificates.path("client.key"),
      ])
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "100ms"])
    try eventually("a sample") { !subscriber.messages(of: "/cyclic-sysinfo").isEmpty }
    try collector.stop()
    #expect(try bridge.stop() == 0)
  }

  @Test func aBrokerOfAnotherAuthorityIsNotTrusted() throws {
    let (rig, certificates, port) = try rig(Self.mutual)
    let line = try failure(rig, port, ["--ca-file", certificates.otherAuthority])
    #expect(line.contains("the broker's certificate: self-signed certificate in certificate chain"))
  }

  @Test func anExpiredCertificateOfTheBrokerIsNamed() throws {
    let (rig, certificates, port) = try rig(
      server: ("server", "127.0.0.1", -1), Self.mutual)
    let line = try failure(rig, port, ["--ca-file", certificates.authority])
    #expect(line.contains("the broker's certificate: certificate has expired"))
  }

  @Test func aCertificateForAnotherHostNameIsNamed() throws {
    let (rig, certificates, port) = try rig(
      server: ("server", "broker.example", 2), Self.mutual)
    let line = try failure(rig, port, ["--ca-file", certificates.authority])
    #expect(line.contains("the broker's certificate is not for the host 127.0.0.1"))
  }

  @Test func aMissingClientCertificateIsNamed() throws {
    let (rig, certificates, port) = try rig(Self.mutual)
    let line = try failure(rig, port, ["--ca-file", certificates.authority])
    #expect(wantsCertificate(line, "certificate required"))
  }

  @Test func anExpiredClientCertificateIsNamed() throws {
    let (rig, certificates, port) = try rig(Self.mutual)
    try certificates.sign("client", for: "pi-7", days: -1)
    let line = try failure(
      rig, port,
      [
        "--ca-file", certificates.authority, "--certificate-file", certificates.path("client.pem"),
        "--key-file", certificates.path("client.key"),
      ])
    #expect(wantsCertificate(line, "certificate expired"))
  }

  @Test func aPlainListenerBehindTLSOptionsIsNoBusyLoop() throws {
    let (rig, certificates, port) = try rig("allow_anonymous true")
    let line = try failure(rig, port, ["--ca-file", certificates.authority])
    #expect(
      ["closed the connection", "reset by peer", "broke off", "unexpected eof"].contains {
        line.contains($0)
      }, "\(line)")
  }

  /// TLS 1.3 refuses a client after its handshake is done: what it says may be overtaken by the end
  /// of the connection, and then the line can only guess.
  private func wantsCertificate(_ line: String, _ alert: String) -> Bool {
    line.contains("TLS: the broker says: \(alert)")
      || line.contains("TLS: the broker broke off the handshake; does it know this client's")
  }

  private func write(
    _ text: String, to name: String, of rig: Rig, mode: Int = 0o600
  ) throws -> String {
    let path = rig.folder.appending(path: name).path()
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    return path
  }

  @Test func passwordsAreCheckedAndNeverShown() throws {
    let (rig, _, port) = try rig(
      "allow_anonymous false\npassword_file DIR/passwords",
      files: ["passwords": Self.passwords])
    let right = try write("correct horse\n", to: "right", of: rig)
    let wrong = try write("battery staple\n", to: "wrong", of: rig, mode: 0o640)
    let open = try write("correct horse\n", to: "open", of: rig, mode: 0o644)
    #expect(
      try rig.runProgram("posix-mq-to-mqtt-bridge", "--username", "u", "--password-file", open).log
        == [
          "posix-mq-to-mqtt-bridge: error: --password-file \(open): everybody may read it; "
            + "chmod o= \(open)"
        ])
    let line = try failure(rig, port, ["--username", "pi-7", "--password-file", wrong])
    #expect(line.contains("refused: Not authorized (135): see --username, --password-file"))
    #expect(!line.contains("battery"))

    let bridge = try rig.program(
      "posix-mq-to-mqtt-bridge",
      ["--port", "\(port)", "--username", "pi-7", "--password-file", right])
    try eventually("the right password lets it in") {
      bridge.log.contains { $0.contains("connected to") }
    }
    let arguments = try String(contentsOfFile: "/proc/\(bridge.id)/cmdline", encoding: .utf8)
    #expect(!arguments.contains("correct horse"))
    #expect(try bridge.stop() == 0)
  }

  @Test func aPreSharedKeyLetsTheBridgeInAndAWrongOneDoesNot() throws {
    let (rig, _, port) = try rig(
      "psk_hint stats\npsk_file DIR/psk\nuse_identity_as_username true",
      files: [
        "psk": "pi-7:c0ffee0123456789\n", "right": "c0ffee0123456789\n",
        "wrong": "badbadbadbadbad0\n",
      ])
    let subscriber = try rig.subscriber()
    let line = try failure(
      rig, port,
      ["--psk-identity", "pi-7", "--psk-file", rig.folder.appending(path: "wrong").path()])
    #expect(line.contains("TLS"))
    let bridge = try rig.program(
      "posix-mq-to-mqtt-bridge",
      [
        "--port", "\(port)", "--device-id", rig.name, "--psk-identity", "pi-7", "--psk-file",
        rig.folder.appending(path: "right").path(),
      ])
    try eventually("online") { subscriber.messages(of: "/status").last?.text("state") == "online" }
    #expect(try bridge.stop() == 0)
  }
}
