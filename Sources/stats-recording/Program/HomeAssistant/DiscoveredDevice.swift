import Records

/// What is known of a device from its messages, and its configuration for Home Assistant.
struct DiscoveredDevice: Sendable {
  let id: String
  private let choice: EntityChoice
  private let prefix: String
  private let maximumEntities: Int

  private var entities: [Entity] = []
  private var places: [String: Int] = [:]
  /// Fields that were looked at, so that this is done once for each.
  private var seenFields: Set<SeenField> = []
  private var intervals: [EntityThing: RecordInterval] = [:]
  private var thingOfEntity: [String: EntityThing] = [:]
  /// Components of an earlier run whose fields have not come again yet, by their keys.
  private var remembered: [JSONMember] = []
  /// Components of an earlier run that nobody wants any more: their keys and platforms.
  private var unwanted: [JSONMember] = []
  private var version: String?
  private var isRaspberryPi = false
  /// Found no room below the greatest number of entities.
  private(set) var leftOut: Set<String> = []
  private(set) var unknownKinds: Set<String> = []

  private struct SeenField: Hashable {
    let thing: EntityThing
    let name: String
  }

  init(_ id: String, choice: EntityChoice, prefix: String, maximumEntities: Int) {
    self.id = id
    self.choice = choice
    self.prefix = prefix
    self.maximumEntities = maximumEntities
  }

  var entityCount: Int { entities.count + remembered.count }

  // MARK: What comes

  /// The records of one message on this topic. Returns whether the configuration changes.
  mutating func learn(_ records: [PublishedRecord], on topic: RecordTopic) -> Bool {
    var changed = false
    var latest: [EntityThing: Double] = [:]
    for record in records {
      guard let thing = EntityThing(record, on: topic) else {
        unknownKinds.insert(record.kind)
        continue
      }
      latest[thing] = record.time
      if learn(record, thing) { changed = true }
    }
    for (thing, time) in latest where thing.kind.occasion != .event && thing.kind != .unitState {
      if intervals[thing, default: RecordInterval()].take(time: time),
        thingOfEntity.values.contains(thing)
      {
        changed = true
      }
    }
    return changed
  }

  private mutating func learn(_ record: PublishedRecord, _ thing: EntityThing) -> Bool {
    var changed = false
    if thing.kind == .raspberryPi && !isRaspberryPi { (isRaspberryPi, changed) = (true, true) }
    if thing.kind == .unitState, choice.patterns.isEmpty {
      guard record.fields["active_state"]?.text == "failed",
        seenFields.insert(SeenField(thing: thing, name: "failed")).inserted
      else { return changed }
      let unit = record.fields["unit"]?.text ?? thing.topic.place
      return add(Entity(failed: thing, unit: unit, prefix: prefix)) || changed
    }
    for field in record.fields
    where seenFields.insert(SeenField(thing: thing, name: field.name)).inserted {
      guard let entry = FieldCatalog.entry(kind: record.kind, field: field.name),
        choice.wants(thing.topic, entry)
      else { continue }
      let entity = Entity(thing, entry, record, prefix: prefix)
      guard add(entity) else { continue }
      if thing.kind.occasion != .event && thing.kind != .unitState {
        thingOfEntity[entity.key] = thing
      }
      changed = true
    }
    return changed
  }

  /// The status of the bridge.
  mutating func learn(status members: [JSONMember], _ topic: RecordTopic) -> Bool {
    var changed = false
    if let text = members["version"]?.text, text != version { (version, changed) = (text, true) }
    guard choice.patterns.isEmpty else { return changed }
    for field in members {
      guard let entity = StatusEntity.entity(field.name, topic, prefix: prefix),
        places[entity.key] == nil
      else { continue }
      if add(entity) { changed = true }
    }
    return changed
  }

  private mutating func add(_ entity: Entity) -> Bool {
    if let place = remembered.firstIndex(where: { $0.name == entity.key }) {
      remembered.remove(at: place)
    } else if places[entity.key] == nil, entityCount >= maximumEntities {
      leftOut.insert(entity.key)
      return false
    }
    if let place = places[entity.key] {
      guard entities[place] != entity else { return false }
      entities[place] = entity
    } else {
      places[entity.key] = entities.count
      entities.append(entity)
    }
    return true
  }

  /// The components that an earlier run has published for the device.
  mutating func remember(_ components: [JSONMember]) -> Bool {
    var changed = false
    for component in components where places[component.name] == nil {
      // The key has the whole topic, also of what comes in batches.
      let topic = RecordTopic("x/\(id)/\(component.name)", prefix: "x")
      if let topic, isWanted(component.name, topic), entityCount < maximumEntities {
        if !remembered.contains(where: { $0.name == component.name }) {
          remembered.append(component)
        }
      } else {
        let platform = component.value.members?["platform"]?.text ?? "sensor"
        unwanted.append(JSONMember(component.name, platform))
        changed = true
      }
    }
    return changed
  }

  private func isWanted(_ key: String, _ topic: RecordTopic) -> Bool {
    let field = key.split(separator: "/").last.map(String.init) ?? ""
    let topic =
      RecordTopic(
        "x/\(topic.device)/\(topic.path.dropLast(field.count + 1))", prefix: "x") ?? topic
    if topic.program == "status" || field == "failed" { return choice.patterns.isEmpty }
    return choice.wants(topic, field: field)
  }

  // MARK: What is published

  /// Letters, digits, `_` and `-`, as the topic of a discovery message allows; two ids stay two.
  var objectID: String {
    let isPlain = { (character: Character) in
      character.isASCII && (character.isLetter || character.isNumber || "_-".contains(character))
    }
    if id.allSatisfy(isPlain) { return id }
    let hash = id.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
    return String(id.map { isPlain($0) ? $0 : "_" }) + "-" + String(hash, radix: 16)
  }

  /// Home Assistant removes a component that has nothing but its platform. Returns nil if there is
  /// nothing to remove.
  var removal: JSONValue? {
    guard !unwanted.isEmpty else { return nil }
    let gone = unwanted.map {
      JSONMember($0.name, .object([JSONMember(name: "platform", value: $0.value)]))
    }
    return payload(components + gone)
  }

  mutating func forgetUnwanted() { unwanted = [] }

  var configuration: JSONValue { payload(components) }

  private func payload(_ components: [JSONMember]) -> JSONValue {
    var device = [
      JSONMember("identifiers", .array([.text("stats-recording/\(id)")])),
      JSONMember("name", id),
      JSONMember("manufacturer", "stats-recording"),
      JSONMember("model", isRaspberryPi ? "Raspberry Pi" : "Linux device"),
    ]
    if let version { device.append(JSONMember("sw_version", version)) }
    return .object([
      JSONMember("device", .object(device)),
      JSONMember("origin", .object([JSONMember("name", Self.origin)])),
      JSONMember("availability_topic", "\(prefix)/\(id)/status"),
      JSONMember("availability_template", EntityTemplate.availability),
      JSONMember("payload_available", "online"),
      JSONMember("payload_not_available", "offline"),
      JSONMember("components", .object(components)),
    ])
  }

  static let origin = "stats-recording"

  private var components: [JSONMember] {
    let names = Dictionary(grouping: entities, by: \.name).mapValues(\.count)
    return remembered
      + entities.map { entity in
        var entity = entity
        if names[entity.name, default: 0] > 1 { entity.name += " (\(entity.program))" }
        let expiry = thingOfEntity[entity.key].flatMap { intervals[$0]?.expireAfterSeconds }
        return JSONMember(
          entity.key, entity.component(device: id, expireAfterSeconds: expiry))
      }
  }
}
