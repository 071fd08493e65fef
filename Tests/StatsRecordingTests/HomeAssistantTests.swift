import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

/// Home Assistant's discovery with real programs of a device and a real Mosquitto.
@Suite(.needs(command: "mosquitto"), .needs(command: "mosquitto_sub"))
struct HomeAssistantTests {
  /// A device with load, memory, pressure of a CPU and the firmware of a Raspberry Pi 4.
  final class Device {
    let rig: Rig
    let bridge: ChildProcess
    let collectors: [ChildProcess]

    init(_ rig: Rig? = nil, batch: Int = 1) throws {
      let rig = try rig ?? Rig()
      self.rig = rig
      bridge = try rig.bridge("--batch", "\(batch)", "--batch-time", "300ms")
      let fixtures = Machine.packageRoot.appending(path: "Tests/Fixtures/cyclic-file-read")
      collectors = [
        try rig.program("cyclic-sysinfo", ["--interval", "200ms"]),
        try rig.program(
          "cyclic-file-read",
          [
            "--interval", "200ms", "--procfs", "/nonexistent", "--sysfs",
            fixtures.appending(path: "raspberry-pi/pi-4-own-kernel").path(),
          ]),
      ]
    }

    func stop() throws {
      for collector in collectors { try collector.stop() }
      try bridge.stop()
    }
  }

  private func witness(_ rig: Rig, _ topic: String = "homeassistant/#") throws -> Subscriber {
    try Subscriber(port: rig.broker().port, topic: topic, in: rig.folder)
  }

  private func configuration(_ message: DeviceRig.Message?) throws -> [JSONMember] {
    let payload = try #require(message?.payload)
    return try #require(try JSONValue(parsing: Array(payload.utf8)).members)
  }

  @Test func aDeviceIsOneRetainedMessageWithDocumentedKeys() throws {
    let device = try Device()
    let rig = device.rig
    let witness = try witness(rig)
    let tool = try rig.tool("home-assistant", "--settle", "0.5")
    try eventually("the configuration, with intervals") {
      witness.messages.last?.payload.contains("expire_after") == true
        && witness.messages.last?.payload.contains("under_voltage") == true
    }
    #expect(try tool.stop() == 0)
    try device.stop()
    #expect(Set(witness.messages.map(\.topic)) == ["homeassistant/device/\(rig.name)/config"])
    // It is there for whoever comes later.
    let later = try self.witness(rig)
    try eventually("the retained message") { later.messages.count == 1 }
    #expect(later.messages[0].isRetained)
    let members = try configuration(later.messages.first)

    let documented = try DocumentedKeys()
    #expect(try Set(members.map(\.name)).subtracting(documented.list("device_discovery")) == [])
    let about = try #require(members["device"]?.members)
    #expect(try Set(about.map(\.name)).subtracting(documented.list("device")) == [])
    #expect(about["model"]?.text == "Raspberry Pi")
    #expect(about["sw_version"]?.text?.isEmpty == false)
    let origin = try #require(members["origin"]?.members)
    #expect(try Set(origin.map(\.name)).subtracting(documented.list("origin")) == [])
    #expect(members["availability_topic"]?.text == "stats/\(rig.name)/status")

    let components = try #require(members["components"]?.members)
    for component in components { try documented.expect(component) }
    let identities = components.compactMap { $0.value.members?["unique_id"]?.text }
    #expect(Set(identities).count == components.count)
    #expect(
      Set(components.compactMap { $0.value.members?["name"]?.text }).count == components.count)
    for key in [
      "cyclic-sysinfo/load1",
      "cyclic-file-read/temperature/cpu-thermal/thermal_zone0/temperature_celsius",
      "cyclic-file-read/raspberry_pi/under_voltage", "status/records_lost",
    ] {
      #expect(components[key] != nil, "\(key)")
    }
    #expect(components["cyclic-sysinfo/load1"]?.members?["expire_after"] == .number("10"))
    #expect(components["status/records_lost"]?.members?["entity_category"]?.text == "diagnostic")
  }

  @Test(.needs("python3-jinja2, which is not installed", { Jinja.isThere }))
  func everyTemplateTakesItsValueOutOfTheRealMessage() throws {
    let device = try Device()
    let rig = device.rig
    let stream = try rig.subscriber()
    let pressure = try rig.program("epoll-psi", ["--interval", "200ms"])
    let witness = try witness(rig)
    let tool = try rig.tool("home-assistant", "--settle", "0.5", "--fields", "*")
    try eventually("the configuration") {
      ["under_voltage", "some_avg10", "load1"].allSatisfy {
        witness.messages.last?.payload.contains($0) == true
      }
    }
    let components = try #require(
      try configuration(witness.messages.last)["components"]?.members)
    #expect(components.count > 40)
    var cases: [Jinja.Case] = []
    var expected: [String?] = []
    for component in components {
      let members = try #require(component.value.members)
      let topic = try #require(members["state_topic"]?.text)
      let template = try #require(members["value_template"]?.text)
      let name = String(component.name.split(separator: "/").last!)
      let message = try #require(
        stream.messages.last { $0.topic == topic && $0.payload.contains("\"\(name)\":") },
        "\(component.name)")
      let value = try JSONValue(parsing: Array(message.payload.utf8)).members?[name]
      cases.append(Jinja.Case(template: template, payload: message.payload))
      expected.append(Self.state(value, isRatio: members["unit_of_measurement"]?.text == "%"))
      // The same in an array, behind one that is older.
      cases.append(Jinja.Case(template: template, payload: "[{\"kind\":\"x\"},\(message.payload)]"))
      expected.append(expected.last!)
      // Another kind on the same topic is not for it; the status has no kinds.
      if !topic.hasSuffix("/status") {
        cases.append(
          Jinja.Case(
            template: template,
            payload: message.payload.replacing(/"kind":"\w+"/, with: #""kind":"other""#)))
        expected.append("")
        // A field that the machine does not have is unknown.
        cases.append(
          Jinja.Case(
            template: template,
            payload: message.payload.replacing("\"\(name)\":", with: "\"gone\":")))
        expected.append("None")
      }
    }
    let results = try Jinja.render(cases, rig)
    for (index, result) in results.enumerated() {
      if let number = Double(result), let wanted = expected[index].flatMap(Double.init) {
        #expect(abs(number - wanted) <= abs(wanted) * 1e-9 + 0.0005, "\(cases[index])")
      } else {
        #expect(result == expected[index], "\(cases[index])")
      }
    }
    #expect(results.count == cases.count)
    try tool.stop()
    try pressure.stop()
    try device.stop()
  }

  @Test(.needs("python3-jinja2, which is not installed", { Jinja.isThere }))
  func valuesOfABatchAreFoundByTheirTopic() throws {
    let device = try Device(batch: 8)
    let rig = device.rig
    let stream = try rig.subscriber()
    let witness = try witness(rig)
    let tool = try rig.tool("home-assistant", "--settle", "0.5")
    try eventually("the configuration") {
      ["under_voltage", "temperature_celsius"].allSatisfy {
        witness.messages.last?.payload.contains($0) == true
      }
    }
    let components = try #require(
      try configuration(witness.messages.last)["components"]?.members)
    let wanted = [
      ("cyclic-file-read/temperature/cpu-thermal/thermal_zone0/temperature_celsius", "52.095"),
      ("cyclic-file-read/raspberry_pi/under_voltage", "ON"),
      ("cyclic-file-read/raspberry_pi/frequency_capped", "OFF"),
    ]
    let topic = "stats/\(rig.name)/cyclic-file-read"
    try eventually("a batch of both") {
      stream.messages.contains {
        $0.topic == topic && $0.payload.contains("under_voltage")
          && $0.payload.contains("temperature_celsius")
      }
    }
    let batch = try #require(
      stream.messages.last {
        $0.topic == topic && $0.payload.contains("under_voltage")
          && $0.payload.contains("temperature_celsius")
      })
    let cases = try wanted.map { key, _ in
      let members = try #require(components[key]?.members, "\(key)")
      #expect(members["state_topic"]?.text == topic)
      return Jinja.Case(
        template: try #require(members["value_template"]?.text), payload: batch.payload)
    }
    #expect(try Jinja.render(cases, rig) == wanted.map(\.1))
    try tool.stop()
    try device.stop()
  }

  private static func state(_ value: JSONValue?, isRatio: Bool) -> String? {
    switch value {
    case .boolean(let flag): flag ? "ON" : "OFF"
    case .text(let text): String(text.prefix(255))
    case .number(let digits):
      isRatio ? Double(digits).map { "\(($0 * 100 * 1000).rounded() / 1000)" } : digits
    default: nil
    }
  }

  @Test func theBirthMessageBringsTheConfigurationAgain() throws {
    let device = try Device()
    let rig = device.rig
    let witness = try witness(rig, "homeassistant/device/+/config")
    let tool = try rig.tool(
      "home-assistant", "--settle", "0.3", "--birth-topic", "ha/birth", "--fields", "load1")
    try eventually("the interval is known") {
      witness.messages.last?.payload.contains("expire_after") == true
    }
    let before = witness.messages
    try rig.publish("ha/birth", "offline")
    try rig.publish("ha/birth", "online")
    try eventually("it comes again") { witness.messages.count > before.count }
    #expect(witness.messages.count == before.count + 1)
    #expect(witness.messages.last?.payload == before.last?.payload)
    try tool.stop()
    try device.stop()
  }

  @Test func aBrokerThatHasForgottenIsToldAgain() throws {
    let device = try Device()
    let rig = device.rig
    let witness = try witness(rig)
    let tool = try rig.tool("home-assistant", "--settle", "0.3", "--fields", "load1")
    try eventually("the interval is known") {
      witness.messages.last?.payload.contains("expire_after") == true
    }
    let before = try #require(witness.messages.last?.payload)
    // It keeps nothing over a restart.
    let broker = try rig.broker()
    broker.kill()
    try broker.start()
    let later = try self.witness(rig)
    try eventually("the same again", within: 20) { later.messages.last?.payload == before }
    #expect(tool.log.contains { $0.hasSuffix("trying again") })
    #expect(try tool.stop() == 0)
    try device.stop()
  }

  @Test func itIsTakenBackAtTheEndOrLater() throws {
    let device = try Device()
    let rig = device.rig
    let witness = try witness(rig)
    let tool = try rig.tool(
      "home-assistant", "--settle", "0.3", "--fields", "load1", "--remove-at-exit")
    try eventually("the configuration") { !witness.messages.isEmpty }
    #expect(try tool.stop() == 0)
    try eventually("it is empty") { witness.messages.last?.payload.isEmpty == true }
    #expect(tool.log.last == "stats-recording: removed 1 device")

    let second = try rig.tool("home-assistant", "--settle", "0.3", "--fields", "load1")
    try eventually("it is there again") { witness.messages.last?.payload.isEmpty == false }
    #expect(try second.stop() == 0)
    // Of another program: not ours to remove.
    try rig.publish("homeassistant/device/other/config", #"{"origin":{"name":"other"}}"#, "-r")
    let removal = try rig.tool("home-assistant", "--remove")
    #expect(try removal.wait() == 0)
    #expect(removal.output == ["removed 1 device"])
    let later = try self.witness(rig)
    try eventually("what is retained") { !later.messages.isEmpty }
    #expect(later.messages.map(\.topic) == ["homeassistant/device/other/config"])
    try device.stop()
  }

  @Test func aRestartWithOtherFieldsRemovesTheOldOnes() throws {
    let device = try Device()
    let rig = device.rig
    let witness = try witness(rig)
    let first = try rig.tool("home-assistant", "--settle", "0.3", "--fields", "load1", "load5")
    try eventually("both") { witness.messages.last?.payload.contains("load5") == true }
    try first.stop()
    let count = witness.messages.count
    let second = try rig.tool("home-assistant", "--settle", "0.3", "--fields", "load1")
    try eventually("removal and the rest") { witness.messages.count >= count + 2 }
    let removal = try configuration(witness.messages[count])["components"]?.members
    #expect(
      removal?["cyclic-sysinfo/load5"]
        == .object([JSONMember(name: "platform", value: .text("sensor"))]))
    #expect(removal?["cyclic-sysinfo/load1"]?.members?.count ?? 0 > 5)
    #expect(witness.messages.last?.payload.contains("load5") == false)
    try second.stop()
    try device.stop()
  }

  @Test func aRefusalNamesWhatTheAccessListMustAllow() throws {
    let rig = try Rig()
    let list = rig.folder.appending(path: "acl").path()
    try "topic readwrite stats/#\ntopic read homeassistant/#\n".write(
      toFile: list, atomically: true, encoding: .utf8)
    _ = try rig.broker(
      settings: "listener PORT 127.0.0.1\nallow_anonymous true\nacl_file \(list)")
    let device = try Device(rig)
    let tool = try rig.tool("home-assistant", "--settle", "0.3")
    #expect(try tool.wait() == 1)
    let complaint = try #require(tool.log.last)
    #expect(complaint.contains("Not authorized (135)"))
    #expect(complaint.contains("homeassistant/device/+/config"))
    try device.stop()
  }

  @Test func aWrongFieldNamesNearOnes() throws {
    let tool = try Rig().tool("home-assistant", "--fields", "load2")
    #expect(try tool.wait() == 64)
    #expect(tool.log.first?.contains("no field is called load2; near are load1") == true)
  }
}

extension Rig {
  /// mosquitto_pub(1).
  func publish(_ topic: String, _ payload: String, _ options: String...) throws {
    let command = try #require(Machine.command("mosquitto_pub"), "mosquitto_pub is not installed")
    let result = try run(
      [command, "-h", "127.0.0.1", "-p", "\(broker().port)", "-q", "1", "-t", topic, "-m", payload]
        + options)
    try #require(result.status == 0, "\(result.log)")
  }
}

/// The template engine of Home Assistant, Debian's python3-jinja2.
enum Jinja {
  struct Case: Encodable, CustomStringConvertible {
    let template: String
    let payload: String

    var description: String { "\(template) \(payload)" }
  }

  private static let python = "/usr/bin/python3"

  static let isThere: Bool = {
    guard let rig = try? Rig() else { return false }
    return (try? rig.run([python, "-c", "import jinja2"]).status) == 0
  }()

  static func render(_ cases: [Case], _ rig: Rig) throws -> [String] {
    let input = rig.folder.appending(path: "cases.json")
    try JSONEncoder().encode(cases).write(to: input)
    let script = Machine.packageRoot.appending(path: "Tests/Tools/render_templates.py").path()
    let process = try ChildProcess(
      [python, script], name: "jinja", in: rig.folder, input: input.path())
    #expect(try process.wait() == 0, "\(process.log)")
    return try JSONDecoder().decode([String].self, from: Data(process.output.joined().utf8))
  }
}
