import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

private enum InstalledHomeAssistant {
  /// The interpreter of the one that is installed; none where it is not.
  static let pythons = [
    Machine.packageRoot.appending(path: ".build/homeassistant/bin/python").path()
  ]
  .filter { FileManager.default.isExecutableFile(atPath: $0) }
}

/// Home Assistant itself, once for each that is installed: Tests/Tools/home_assistant.py says how.
@Suite(.needs(command: "mosquitto"))
struct HomeAssistantItselfTests {
  private struct Picture: Decodable {
    struct Device: Decodable {
      let name: String
      let model: String?
    }
    struct Entity: Decodable {
      let category: String?
      let state: String?
      let attributes: [String: String]
    }
    let devices: [Device]
    let entities: [String: Entity]
    let warnings: [String]
  }

  @Test(arguments: InstalledHomeAssistant.pythons)
  func homeAssistantShowsTheDevice(_ python: String) throws {
    let device = try HomeAssistantTests.Device()
    let rig = device.rig
    let folder = rig.folder.appending(path: "hass")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let script = Machine.packageRoot.appending(path: "Tests/Tools/home_assistant.py").path()
    let home = try ChildProcess(
      [python, script, "\(rig.broker().port)", folder.path()],
      name: "homeassistant",
      in: rig.folder)
    func picture() -> Picture? {
      home.output.last.flatMap { try? JSONDecoder().decode(Picture.self, from: Data($0.utf8)) }
    }
    func entity(_ key: String) -> Picture.Entity? {
      picture()?.entities["stats-recording/\(rig.name)/\(key)"]
    }
    let load = "cyclic-sysinfo/load1"
    let temperature = "cyclic-file-read/temperature/cpu-thermal/thermal_zone0/temperature_celsius"
    let tool = try rig.tool("home-assistant", "--settle", "0.5", "--remove-at-exit")
    try eventually("Home Assistant has the values", within: 60) {
      Double(entity(load)?.state ?? "") != nil && entity(temperature)?.state == "52.095"
    }
    let entities = try #require(picture()).entities
    #expect(try #require(picture()).devices.map(\.name) == [rig.name])
    #expect(try #require(picture()).devices.first?.model == "Raspberry Pi")
    #expect(entities.count >= 25)
    #expect(entity(temperature)?.attributes["unit_of_measurement"] == "°C")
    #expect(entity(temperature)?.attributes["device_class"] == "temperature")
    #expect(entity("cyclic-file-read/raspberry_pi/under_voltage")?.state == "on")
    #expect(entity("cyclic-file-read/raspberry_pi/frequency_capped")?.state == "off")
    try eventually("the bookkeeping") { entity("status/records_lost")?.state == "0" }
    #expect(entity("status/records_lost")?.category == "diagnostic")
    try eventually("every value is there") {
      picture()?.entities.values.allSatisfy { $0.state != "unavailable" && $0.state != "unknown" }
        == true
    }
    // A device that goes is unavailable, and not forgotten.
    try device.stop()
    try eventually("it is unavailable") { entity(load)?.state == "unavailable" }
    #expect(picture()?.entities.count == entities.count)
    try tool.stop()
    try eventually("it is removed") { picture()?.entities.isEmpty == true }
    #expect(picture()?.devices.isEmpty == true)
    #expect(picture()?.warnings == [])
    try home.stop()
  }
}
