import CLinux
import Foundation
import Testing

/// What the bridge logs in with is nowhere to be found but in its memory, and that is shut.
@Suite(.needs(command: "mosquitto"), .needs(command: "mosquitto_sub"), .needs(command: "openssl"))
struct CredentialTests {
  static let password = "correct horse"
  private static let preSharedKey = "c0ffee0123456789"

  private func write(_ text: String, _ name: String, _ rig: Rig, mode: Int = 0o600) throws -> String
  {
    let path = rig.folder.appending(path: name).path()
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    return path
  }

  /// Each file with what goes with it.
  private static let files = [
    ("--password-file", ["--username", "u"]), ("--psk-file", ["--psk-identity", "i"]),
    ("--key-file", ["--certificate-file", "/dev/null"]),
  ]

  @Test(arguments: files, [0o604, 0o644, 0o602, 0o666, 0o601])
  func aSecretThatEverybodyMayReachIsRefusedInOneLine(
    _ file: (option: String, with: [String]), _ mode: Int
  ) throws {
    let rig = try Rig()
    let path = try write("secret\n", "file", rig, mode: mode)
    let result = try rig.run(
      Rig.command("posix-mq-to-mqtt-bridge", on: .amd64)
        + ["--config", "/dev/null", file.option, path] + file.with)
    #expect(result.status == 2)
    #expect(
      result.log == [
        "posix-mq-to-mqtt-bridge: error: \(file.option) \(path): everybody may read it; "
          + "chmod o= \(path)"
      ])
  }

  @Test(arguments: files)
  func aSecretThatIsNotThereIsNamed(_ file: (option: String, with: [String])) throws {
    let rig = try Rig()
    let result = try rig.run(
      Rig.command("posix-mq-to-mqtt-bridge", on: .amd64)
        + ["--config", "/dev/null", file.option, "/nowhere/file"] + file.with)
    #expect(result.status == 2)
    #expect(
      result.log == [
        "posix-mq-to-mqtt-bridge: error: \(file.option): open /nowhere/file: "
          + "No such file or directory"
      ])
  }

  /// A bridge that has logged in by one of the ways, with all that it knows.
  private func bridge(
    _ rig: Rig, _ way: String
  ) throws -> (process: ChildProcess, secrets: [String]) {
    let certificates = try Certificates(in: rig.folder)
    try certificates.sign("server", for: "127.0.0.1")
    try certificates.sign("client", for: "pi-7")
    let (port, folder) = (Int.random(in: 10_000..<20_000), rig.folder.path())
    _ = try write(SecureConnectionTests.passwords, "passwords", rig)
    _ = try write("pi-7:\(Self.preSharedKey)\n", "psk", rig)
    let settings =
      switch way {
      case "password": "allow_anonymous false\npassword_file \(folder)/passwords"
      case "psk": "psk_hint stats\npsk_file \(folder)/psk\nuse_identity_as_username true"
      default:
        "cafile \(certificates.authority)\ncertfile \(folder)/server.pem\n"
          + "keyfile \(folder)/server.key\nrequire_certificate true\nuse_identity_as_username true"
      }
    _ = try rig.broker(
      settings: """
        listener PORT 127.0.0.1
        allow_anonymous true
        listener \(port) 127.0.0.1
        \(settings)
        """)
    var options = ["--port", "\(port)", "--device-id", rig.name, "--verbose"]
    var secrets: [String]
    switch way {
    case "password":
      options += ["--username", "pi-7"]
      options += ["--password-file", try write("\(Self.password)\n", "secret", rig)]
      secrets = [Self.password]
    case "psk":
      options += ["--psk-identity", "pi-7"]
      options += ["--psk-file", try write("\(Self.preSharedKey)\n", "secret", rig)]
      secrets = [Self.preSharedKey]
    default:
      options += ["--ca-file", certificates.authority]
      options += ["--certificate-file", certificates.path("client.pem")]
      options += ["--key-file", certificates.path("client.key")]
      let key = try String(contentsOfFile: certificates.path("client.key"), encoding: .utf8)
      secrets = key.split(separator: "\n").filter { !$0.hasPrefix("-") }.map(String.init)
      try #require(secrets.count >= 2)
    }
    let process = try rig.program("posix-mq-to-mqtt-bridge", options)
    try eventually("the bridge connects") {
      process.log.contains { $0.contains("connected to") }
    }
    return (process, secrets)
  }

  @Test(arguments: ["password", "psk", "certificate"])
  func nothingOfItIsToBeSeen(_ way: String) throws {
    let rig = try Rig()
    let (process, secrets) = try bridge(rig, way)
    let subscriber = try rig.subscriber()
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "50ms"])
    try eventually("samples and the status") {
      subscriber.messages(of: "/cyclic-sysinfo").count >= 5
        && subscriber.messages(of: "/status").last?.text("state") == "online"
        && process.log.contains { $0.contains("published cyclic-sysinfo") }
    }
    var places = [
      "the log": process.log.joined(separator: "\n"),
      "what is published": subscriber.messages.map(\.payload).joined(separator: "\n"),
      "the broker's log": try rig.broker().log.joined(separator: "\n"),
    ]
    for name in ["cmdline", "environ", "status", "comm"] {
      let bytes = try Data(contentsOf: URL(filePath: "/proc/\(process.id)/\(name)"))
      #expect(!bytes.isEmpty)
      places[name] = String(decoding: bytes, as: UTF8.self)
    }
    for (place, text) in places {
      #expect(!text.isEmpty)
      for secret in secrets { #expect(!text.contains(secret), "\(secret) is in \(place)") }
    }
    try collector.stop()
    #expect(try process.stop() == 0)
    #expect(!process.log.contains { line in secrets.contains { line.contains($0) } })
  }

  /// The collectors run as the same user; whoever takes over one of them gets no further.
  @Test(.needsRoot, .needs(command: "setpriv"), arguments: [true, false])
  func aProgramOfTheSameUserCannotLookIntoIt(_ hasPassword: Bool) throws {
    let rig = try Rig()
    let user = ["--reuid", "65534", "--regid", "65534", "--clear-groups"]
    let setpriv = [try #require(Machine.command("setpriv"))] + user
    let secret = try write("\(Self.password)\n", "secret", rig)
    #expect(chown(secret, 65534, 65534) == 0 && chmod(rig.folder.path(), 0o755) == 0)
    let bridge = try ChildProcess(
      setpriv + Rig.command("posix-mq-to-mqtt-bridge", on: .amd64)
        + [
          "--config", "/dev/null", "--queue-prefix", rig.queuePrefix, "--port", "9",
          "--username", "pi-7",
        ] + (hasPassword ? ["--password-file", secret] : []), name: "bridge", in: rig.folder)
    try eventually("it has tried to connect") { !bridge.log.isEmpty }
    for file in ["environ", "maps", "mem"] {
      // What may be opened may be read: that is when the kernel asks.
      let look = try ChildProcess(
        setpriv + ["/bin/sh", "-c", "exec 3</proc/\(bridge.id)/\(file)"], name: "look",
        in: rig.folder)
      let status = try look.wait()
      #expect((status == 0) == !hasPassword, "\(file): \(look.log)")
      #expect(look.log.contains { $0.contains("Permission denied") } == hasPassword)
    }
    #expect(try bridge.stop() == 0)
  }
}

extension CrashTests {
  /// The bridge without a password shows that a core would be there.
  @Test(arguments: [false, true])
  func aBridgeThatHasAPasswordLeavesNoCore(_ hasPassword: Bool) throws {
    let rig = try Rig()
    let folder = rig.folder.path() + "/cores"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let secret = rig.folder.path() + "/secret"
    try "\(CredentialTests.password)\n".write(toFile: secret, atomically: true, encoding: .utf8)
    #expect(chmod(secret, 0o600) == 0)
    let held = try setCorePattern("\(folder)/core.%p", rig)
    let bridge = try ChildProcess(
      ["/bin/sh", "-c", "ulimit -c unlimited; exec \"$@\"", "sh"]
        + Rig.command("posix-mq-to-mqtt-bridge", on: .amd64)
        + [
          "--config", "/dev/null", "--queue-prefix", rig.queuePrefix, "--port", "9",
          "--username", "pi-7",
        ] + (hasPassword ? ["--password-file", secret] : []), name: "bridge", in: rig.folder)
    try eventually("it has tried to connect") { bridge.log.contains { $0.contains("broker") } }
    bridge.send(SIGSEGV)
    #expect(try bridge.wait() == -SIGSEGV)
    try held.end()
    #expect(bridge.log.contains { $0.contains("crashed at offset") })
    let cores = try FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(cores == (hasPassword ? [] : ["core.\(bridge.id)"]))
  }
}
