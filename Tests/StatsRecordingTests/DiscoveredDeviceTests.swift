import Foundation
import Records
import Testing

@testable import DeviceRig
@testable import stats_recording

/// What becomes an entity of Home Assistant, for each kind of record there is.
struct DiscoveredDeviceTests {
  private static func device(_ patterns: [String] = [], maximum: Int = 1000) -> DiscoveredDevice {
    DiscoveredDevice(
      "pi-7", choice: EntityChoice(patterns: patterns.map(FieldPattern.init)), prefix: "stats",
      maximumEntities: maximum)
  }

  private func components(_ device: DiscoveredDevice) throws -> [JSONMember] {
    try #require(device.configuration.members?["components"]?.members)
  }

  private func learn(_ device: inout DiscoveredDevice, _ records: [PublishedRecord]) -> Bool {
    records.first.map { device.learn(records, on: $0.topic) } ?? false
  }

  @Test(arguments: RecordKind.allCases)
  func everyUnitGoesWithItsDeviceClassAndStateClass(_ kind: RecordKind) throws {
    // All fields of all kinds, counters too.
    var device = Self.device(["*"])
    _ = try learn(&device, GoldenMessage(kind).records())
    let components = try components(device)
    let wanted = kind.fields.filter {
      $0.field.nature != .identity && !$0.isOptional && $0.form != .buckets
    }
    #expect(components.count >= wanted.count)
    let documented = try DocumentedKeys()
    for component in components { try documented.expect(component) }
  }

  @Test func countersOnlyGrowInHomeAssistantToo() throws {
    var device = Self.device(["read_bytes", "in_progress_count"])
    _ = try learn(&device, GoldenMessage(.disk).records())
    let classes = Dictionary(
      uniqueKeysWithValues: try components(device).map {
        (
          $0.name.split(separator: "/").last.map(String.init) ?? "",
          $0.value.members?["state_class"]?.text
        )
      })
    #expect(classes == ["read_bytes": "total_increasing", "in_progress_count": "measurement"])
  }

  @Test(arguments: [
    RecordKind.process, .processLoad, .coreDump, .processExit, .processSummary, .pressureStall,
    .processLifecycle, .dltLoss, .jobResult, .managerEvent, .sourceState, .accountingState,
    .traceValue, .traceHistogram, .traceEvent, .traceLoss,
  ])
  func processesAndWhatHappensOnceAreLeftOut(_ kind: RecordKind) throws {
    var device = Self.device()
    #expect(try !learn(&device, GoldenMessage(kind).records()))
    #expect(device.entityCount == 0)
  }

  @Test func aUnitBecomesAProblemOnceItHasFailed() throws {
    var device = Self.device()
    let message = try GoldenMessage(.unitState)
    let active = { (text: String) in
      text.replacing(/"active_state":"[a-z]+"/, with: #""active_state":"active""#)
    }
    let failed = { (text: String) in
      text.replacing(/"active_state":"[a-z]+"/, with: #""active_state":"failed""#)
    }
    #expect(try !learn(&device, message.records(active)))
    #expect(try learn(&device, message.records(failed)))
    #expect(try !learn(&device, message.records(failed)))
    let component = try #require(try components(device).first?.value.members)
    #expect(component["platform"]?.text == "binary_sensor")
    #expect(component["device_class"]?.text == "problem")
    // The next message comes when something happens, not at an interval.
    #expect(component["expire_after"] == nil)
  }

  @Test func zonesThatShareATopicAreTwoSensors() throws {
    var device = Self.device()
    let message = try GoldenMessage(.thermalZone)
    _ = try learn(&device, message.records())
    _ = try learn(&device, message.records { $0.replacing("thermal_zone0", with: "thermal_zone1") })
    let components = try components(device)
    #expect(Set(components.map(\.name)).count == 2)
    #expect(Set(components.map { $0.value.members?["state_topic"]?.text }).count == 1)
    #expect(Set(components.map { $0.value.members?["value_template"]?.text }).count == 2)
    #expect(Set(components.map { $0.value.members?["name"]?.text }).count == 2)
  }

  @Test func aValueExpiresAfterThreeIntervals() throws {
    var interval = RecordInterval()
    let isKnown = [1000, 1030].map { interval.take(time: $0) }
    #expect(isKnown == [false, true])
    #expect(interval.expireAfterSeconds == 90)
    // A record that comes twice, one that is late, a pause: none of it changes what was told.
    for time in [1030, 1029, 1062, 1090, 1120.4, 1150, 1180, 1500, 1530] {
      let changes = interval.take(time: time)
      #expect(!changes, "\(time)")
    }
    // Another interval does, once it is the usual one.
    let changes = (1...5).map { interval.take(time: 1530 + Double($0) * 5) }
    #expect(changes.filter { $0 }.count == 1)
    #expect(interval.expireAfterSeconds == 15)
    var fast = RecordInterval()
    _ = fast.take(time: 1)
    _ = fast.take(time: 1.1)
    #expect(fast.expireAfterSeconds == 10)
  }

  @Test func whatFindsNoRoomIsCounted() throws {
    var device = Self.device(maximum: 5)
    let records = try GoldenMessage(.memory).records()
    _ = learn(&device, records)
    #expect(device.entityCount == 5)
    #expect(device.leftOut.count == records[0].fields.count - 5)
  }

  @Test func anEarlierRunsEntitiesStayUntilTheyAreNotWanted() throws {
    var earlier = Self.device()
    _ = try learn(&earlier, GoldenMessage(.flashWear).records())
    _ = try learn(&earlier, GoldenMessage(.memory).records())
    let before = try components(earlier)
    var later = Self.device()
    let changesNothing = !later.remember(before)
    #expect(changesNothing)
    #expect(try components(later) == before)
    #expect(later.removal == nil)
    _ = try learn(&later, GoldenMessage(.memory).records())
    #expect(try Set(components(later).map(\.name)) == Set(before.map(\.name)))

    var other = Self.device(["life_used_a_ratio"])
    let removes = other.remember(before)
    #expect(removes)
    #expect(
      try components(other).map(\.name) == ["cyclic-file-read/flash_wear/mmcblk0/life_used_a_ratio"]
    )
    let removal = try #require(other.removal?.members?["components"]?.members)
    let gone = removal.filter { $0.value.members?.count == 1 }
    #expect(removal.count == before.count && gone.count == before.count - 1)
    other.forgetUnwanted()
    #expect(other.removal == nil)
  }

  @Test(arguments: ["pi-7", "pi 7", "pi.7", "Wohnzimmer", "küche"])
  func everyDeviceHasATopicThatHomeAssistantTakes(_ id: String) throws {
    let objectID = DiscoveredDevice(
      id, choice: EntityChoice(patterns: []), prefix: "stats", maximumEntities: 1
    ).objectID
    #expect(objectID.wholeMatch(of: /[a-zA-Z0-9_-]+/) != nil)
    #expect(id != "pi-7" || objectID == id)
    #expect(
      ["pi 7", "pi.7"].contains(id) == false || objectID != "pi_7", "two ids must not become one")
  }
}

/// Home Assistant's own lists, see Tests/Fixtures/home-assistant/README.md.
struct DocumentedKeys {
  private let lists: [JSONMember]

  init() throws {
    let path = Machine.packageRoot.appending(path: "Tests/Fixtures/home-assistant/2025.4.4.json")
    lists = try #require(try JSONValue(parsing: Array(Data(contentsOf: path))).members)
  }

  func list(_ name: String, in members: [JSONMember]? = nil) throws -> Set<String> {
    guard case .array(let values) = (members ?? lists)[name] else {
      throw MissingList(name: name)
    }
    return Set(values.compactMap(\.text))
  }

  private struct MissingList: Error { let name: String }

  /// A component has only keys that are documented, and a unit that its device class may have.
  func expect(_ component: JSONMember) throws {
    let members = try #require(component.value.members)
    let platform = try #require(members["platform"]?.text)
    let keys = try list(platform).union(["platform"])
    #expect(Set(members.map(\.name)).subtracting(keys) == [], "\(component.name)")
    for required in ["unique_id", "name", "state_topic", "value_template"] {
      #expect(members[required]?.text?.isEmpty == false, "\(component.name) \(required)")
    }
    if let category = members["entity_category"]?.text {
      #expect(try list("entity_categories").contains(category))
    }
    let deviceClass = members["device_class"]?.text
    if platform == "binary_sensor" {
      if let deviceClass {
        #expect(try list("binary_sensor_device_classes").contains(deviceClass))
      }
      return
    }
    let stateClass = members["state_class"]?.text
    if let stateClass { #expect(try list("state_classes").contains(stateClass)) }
    guard let deviceClass else { return }
    let units = try list(deviceClass, in: lists["sensor_units"]?.members)
    #expect(
      units.contains(members["unit_of_measurement"]?.text ?? ""),
      "\(component.name): \(deviceClass)")
    let classes = try list(deviceClass, in: lists["sensor_state_classes"]?.members)
    #expect(
      classes.contains(stateClass ?? "none"),
      "\(component.name): \(deviceClass) \(stateClass ?? "")")
  }
}
