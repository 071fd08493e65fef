import Foundation
import Records
import Testing

@testable import DeviceRig
@testable import stats_recording

@Suite(
  .needs(command: "mosquitto"), .needs(command: "mosquitto_pub"), .needs(command: "openssl"),
  .needs(command: "python3"), .serialized)
struct ServerTests {
  @Test func aDevicePublishesBelowItsOwnNameAndReadersRead() throws {
    let server = try ServerRig(devices: ["pi-7", "pi-8"], readers: ["anna"])
    _ = try server.startBroker()
    let sub = try #require(Machine.command("mosquitto_sub"))
    let command = ["/usr/bin/stdbuf", "-oL", sub, "-t", "stats/#", "-d", "-F", "message %r %t %p"]
    let reader = try Subscriber(
      ChildProcess(
        command + server.client("anna", "secrets/readers/anna"), name: "reader",
        in: server.rig.folder))
    let device = try Subscriber(
      ChildProcess(
        command + server.client("pi-8", "secrets/devices/pi-8"), name: "device",
        in: server.rig.folder))
    #expect(try server.publish("stats/pi-7/p", as: "pi-7", "secrets/devices/pi-7").isEmpty)
    for (user, password, topic) in [
      ("pi-7", "secrets/devices/pi-7", "stats/pi-8/p"),
      ("pi-7", "secrets/devices/pi-7", "stats/pi-7x"), ("pi-7", "secrets/devices/pi-7", "x"),
      ("anna", "secrets/readers/anna", "stats/pi-7/p"),
      ("ingest", "secrets/ingest", "stats/pi-7/p"),
      // With the password of somebody else.
      ("pi-7", "secrets/devices/pi-8", "stats/pi-7/p"),
    ] {
      #expect(try !server.publish(topic, as: user, password).isEmpty, "\(user) \(topic)")
    }
    #expect(try server.publish("stats/pi-7/last", as: "pi-7", "secrets/devices/pi-7").isEmpty)
    try eventually("the reader has both") { reader.messages.count >= 2 }
    #expect(reader.messages.map(\.topic) == ["stats/pi-7/p", "stats/pi-7/last"])
    #expect(device.messages.isEmpty)
  }

  @Test func theHealthCheckSeesTheBrokerAndNothingElse() throws {
    let server = try ServerRig()
    _ = try server.startBroker()
    let sub = try #require(Machine.command("mosquitto_sub"))
    let options = ["-h", "127.0.0.1", "-p", "\(server.healthPort)", "-C", "1", "-W"]
    // The broker opens this port behind the one that was waited for.
    try eventually("the health check succeeds") {
      let health = try server.rig.run([sub] + options + ["5", "-t", "$SYS/broker/uptime"])
      return health.status == 0 && health.output.first?.contains("seconds") == true
    }
    #expect(try server.rig.run([sub] + options + ["1", "-t", "$SYS/broker/version"]).status == 27)
  }

  @Test func setUpAgainKeepsWhatIsThereAndNamesAreTakenOnce() throws {
    let server = try ServerRig()
    let files = ["secrets/ca.key", "secrets/ingest", "secrets/devices/pi-7", ".env"]
    let before = files.map { FileManager.default.contents(atPath: server.path($0)) }
    try server.setUp("127.0.0.1", "broker.example")
    #expect(files.map { FileManager.default.contents(atPath: server.path($0)) } == before)
    #expect(before.allSatisfy { $0?.isEmpty == false })
    for arguments in [
      ["device", "ingest"], ["reader", "pi-7"], ["device", "a/b"], ["device", "a b"],
    ] {
      #expect(try server.rig.run([server.path("setup.sh")] + arguments).status == 1, "\(arguments)")
    }
    let printed = try server.setUp("device", "pi-7")
    #expect(printed.contains("host = 127.0.0.1") && printed.contains("device-id = pi-7"))
    try server.setUp("remove", "pi-7")
    _ = try server.startBroker()
    #expect(!FileManager.default.fileExists(atPath: server.path("secrets/devices/pi-7")))
    let passwords = try String(
      contentsOfFile: server.path("secrets/mosquitto/passwords"), encoding: .utf8)
    #expect(passwords.contains("ingest:$7$") && !passwords.contains("pi-7"))
  }

  @Test(.needs(command: "git")) func gitSeesNoSecret() throws {
    let server = try ServerRig()
    let git = ["/usr/bin/env", "git", "-C", server.path("")]
    for arguments in [["init", "-q"], ["add", "--all"]] {
      #expect(try server.rig.run(git + arguments).status == 0)
    }
    let tracked = try server.rig.run(git + ["ls-files"]).output
    #expect(tracked.contains("compose.yaml") && tracked.contains("setup.sh"))
    #expect(
      tracked.allSatisfy { !$0.hasPrefix("secrets") && !$0.hasPrefix("data") && $0 != ".env" })
  }

  /// From the device to the database by TLS, as each is who setup.sh has made it; the broker is killed.
  @Test(.needs(command: "influxd"), .timeLimit(.minutes(3)))
  func aBrokerThatIsKilledUnderLoadMissesNothing() throws {
    let server = try ServerRig()
    let rig = server.rig
    let broker = try server.startBroker()
    let database = try InfluxServer(in: rig.folder)
    try database.create()
    let authority = server.path("secrets/mosquitto/ca.pem")
    let tool = try rig.influx(
      database, "--ca-file", authority, "--username", "ingest", "--password-file",
      server.path("secrets/ingest"))
    let bridge = try rig.program(
      "posix-mq-to-mqtt-bridge",
      [
        "--host", "127.0.0.1", "--port", "\(broker.port)", "--ca-file", authority, "--username",
        "pi-7", "--password-file", server.path("secrets/devices/pi-7"), "--device-id", "pi-7",
      ])
    try eventually("the bridge connects") { bridge.log.contains { $0.contains("connected to") } }
    // The session is on disk: after 30 s, or now.
    broker.send(SIGUSR1)
    try eventually("the broker has saved") {
      FileManager.default.fileExists(atPath: server.path("data/mosquitto/mosquitto.db"))
    }
    let load = try LoadGenerator(rig, perSecond: 300)
    func count() throws -> Int {
      try database.count("system_information", "instance = \(load.instance)")
    }
    for round in 1...4 {
      try load.goOn(by: 200)
      // What Mosquitto still holds for a reader, after it has told the device that it has it, goes with
      // it; what it has passed on does not. So it gets nothing new until the reader has all, and the load goes on.
      bridge.send(SIGSTOP)
      _ = try lastCount(of: .max, patience: 3) { try count() }
      broker.kill()
      bridge.send(SIGCONT)
      try load.goOn(by: 100 * round)
      try broker.start()
      try eventually("influx is back", within: 30) {
        tool.log.count { $0.contains("connected to") } == round + 1
      }
    }
    let sent = load.stop()
    let found = try lastCount(of: sent) { try count() }
    #expect(found == sent)
    print("\(sent) records sent, \(found) points, broker killed 4 times")
    #expect(try tool.stop() == 0)
    try bridge.stop()
  }

  // MARK: Compose and Telegraf

  @Test(.needs(command: "docker-compose")) func composeTakesTheFile() throws {
    let server = try ServerRig()
    let compose = try #require(Machine.command("docker-compose"))
    let result = try server.rig.run(
      ["/usr/bin/env", "-C", server.path(""), compose, "config", "--quiet"], within: 60)
    #expect(result.status == 0, "\(result.log)")
  }

  @Test(
    .needs("needs python3-yaml, which is not installed") {
      FileManager.default.fileExists(atPath: "/usr/lib/python3/dist-packages/yaml")
    })
  func everyServiceIsPinnedAndWatchedAndItsFilesAreThere() throws {
    let server = try ServerRig()
    let program = "import json,sys,yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))"
    let file = try #require(try server.json(program, "compose.yaml") as? [String: Any])
    let secrets = try #require(file["secrets"] as? [String: [String: String]])
    for (name, secret) in secrets {
      let path = try #require(secret["file"])
      #expect(FileManager.default.fileExists(atPath: server.path(path)), "\(name)")
    }
    let services = try #require(file["services"] as? [String: [String: Any]])
    #expect(Set(services.keys) == ["mosquitto", "influxdb", "ingest", "telegraf", "grafana"])
    for (name, service) in services {
      #expect(service["healthcheck"] != nil, "\(name)")
      #expect(service["user"] != nil, "\(name)")
      if let image = service["image"] as? String {
        #expect(image.contains(#/:\d+\.\d+\.\d+$/#), "\(image) is not pinned")
      } else {
        #expect(service["build"] != nil, "\(name)")
      }
      for volume in service["volumes"] as? [String] ?? [] {
        let path = try #require(volume.split(separator: ":").first.map(String.init))
        #expect(FileManager.default.fileExists(atPath: server.path(path)), "\(name): \(path)")
      }
      for secret in service["secrets"] as? [String] ?? [] {
        #expect(secrets[secret] != nil, "\(name): \(secret)")
      }
    }
    // What the ingest is started with, it understands.
    let command = try #require(services["ingest"]?["command"] as? [String])
    let options = command.dropFirst().map {
      $0.replacing("/run/secrets/ca", with: server.path("secrets/mosquitto/ca.pem"))
        .replacing("/run/secrets/influxdb_token", with: server.path("secrets/influxdb-token"))
        .replacing("/run/secrets/", with: server.path("secrets/"))
    }
    #expect(command.first == "influx")
    let influx = try #require(
      try StatsRecording.parseAsRoot(["influx"] + options) as? Influx)
    #expect(influx.database.bucket == "stats")
  }

  /// Telegraf cannot run here: what its configuration says of our fields is held against their list.
  @Test func telegrafKnowsTagsAndTexts() throws {
    let server = try ServerRig()
    let program = "import json,sys,tomllib; print(json.dumps(tomllib.load(open(sys.argv[1],'rb'))))"
    let file = try #require(try server.json(program, "telegraf/telegraf.conf") as? [String: Any])
    let inputs = (file["inputs"] as? [String: Any])?["mqtt_consumer"] as? [[String: Any]]
    let input = try #require(inputs?.first)
    let entries = FieldCatalog.entries
    let identities = Set(entries.filter(\.isIdentity).map(\.name)).subtracting([
      "device", "program",
    ])
    #expect(Set(input["tag_keys"] as? [String] ?? []) == identities)
    let texts = entries.filter {
      !$0.isIdentity && [.text, .name, .boolean].contains($0.listed.form)
    }
    #expect(
      Set(input["json_string_fields"] as? [String] ?? [])
        == Set(texts.map(\.name)).union(["boot_id", "clock_synced"]))
    #expect(
      Set(input["topics"] as? [String] ?? [])
        == Set(Program.allCases.map { "stats/+/\($0.name)/#" }))
  }
}
