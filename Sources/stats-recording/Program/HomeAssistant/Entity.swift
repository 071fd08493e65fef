import Records

/// What a record is about: one thing on a topic, told by one kind of record.
struct EntityThing: Hashable, Sendable {
  /// Where the record stands, or would stand if it had not come in a batch.
  let topic: RecordTopic
  /// Where its messages come.
  let messageTopic: RecordTopic
  let kind: RecordKind
  /// What tells it from others on the same topic: members of the object and their values.
  let distinctions: [Distinction]

  struct Distinction: Hashable, Sendable {
    let name: String
    let value: String
  }

  /// Errors: nil if the kind is not known.
  init?(_ record: PublishedRecord, on messageTopic: RecordTopic) {
    guard let kind = RecordKind(named: record.kind) else { return nil }
    self.kind = kind
    self.messageTopic = messageTopic
    var distinctions: [Distinction] = []
    // In a batch each record tells the rest of its topic.
    let levels =
      record.fields["topic"]?.text
      ?? (record.topic == messageTopic ? nil : record.topic.place)
    if let levels {
      topic =
        RecordTopic("x/\(messageTopic.device)/\(messageTopic.program)/\(levels)", prefix: "x")
        ?? record.topic
      distinctions.append(Distinction(name: "topic", value: levels))
    } else {
      topic = record.topic
    }
    // Zones of one type share a topic.
    if kind == .thermalZone, let zone = record.fields["zone"]?.text {
      distinctions.append(Distinction(name: "zone", value: zone))
    }
    self.distinctions = distinctions
  }

  /// The name of the zone, where the topic does not have it.
  var zone: String? { distinctions.first { $0.name == "zone" }?.value }
}

/// An entity of Home Assistant: a component in the configuration of its device.
struct Entity: Equatable, Sendable {
  /// Unique on its device, and the same after every restart: `cyclic-file-read/memory/swap_free_bytes`.
  let key: String
  var name: String
  let program: String
  let form: EntityForm
  let stateTopic: String
  let template: String

  /// A field of a record.
  init(_ thing: EntityThing, _ entry: FieldCatalog.Entry, _ record: PublishedRecord, prefix: String)
  {
    form = EntityForm(entry, quantity: record.fields["quantity"]?.text)
    key = Self.key([thing.topic.path, thing.zone, entry.name])
    name = EntityName.of(entry, thing, record)
    program = thing.topic.program
    stateTopic = "\(prefix)/\(thing.topic.device)/\(thing.messageTopic.path)"
    template = EntityTemplate.field(entry.name, of: thing, form)
  }

  /// That a unit has failed.
  init(failed thing: EntityThing, unit: String, prefix: String) {
    form = EntityForm(.binarySensor, deviceClass: "problem")
    key = Self.key([thing.topic.path, "failed"])
    name = "\(unit) failed"
    program = thing.topic.program
    stateTopic = "\(prefix)/\(thing.topic.device)/\(thing.messageTopic.path)"
    template = EntityTemplate.hasFailed(thing)
  }

  /// What the bridge says of itself.
  init(
    status field: String, name: String, _ form: EntityForm, template: String, _ topic: RecordTopic,
    prefix: String
  ) {
    self.form = form
    key = Self.key(["status", field])
    self.name = name
    program = "status"
    stateTopic = "\(prefix)/\(topic.device)/status"
    self.template = template
  }

  /// Home Assistant splits what it makes of it at spaces.
  private static func key(_ parts: [String?]) -> String {
    parts.compactMap(\.self).joined(separator: "/").replacing(" ", with: "_")
  }

  /// The component; `expireAfterSeconds` is left out where nobody knows when the next message comes.
  func component(device: String, expireAfterSeconds: Int?) -> JSONValue {
    var members = [
      JSONMember("platform", form.platform.rawValue),
      JSONMember("unique_id", "stats-recording/\(device)/\(key)"),
      JSONMember("name", name),
      JSONMember("state_topic", stateTopic),
      JSONMember("value_template", template),
    ]
    func add(_ name: String, _ text: String?) {
      if let text { members.append(JSONMember(name, text)) }
    }
    add("device_class", form.deviceClass)
    add("unit_of_measurement", form.unit)
    add("state_class", form.stateClass)
    add("entity_category", form.isDiagnostic ? "diagnostic" : nil)
    if form.isRatio {
      members.append(JSONMember("suggested_display_precision", .number("1")))
    }
    if let expireAfterSeconds {
      members.append(JSONMember("expire_after", .number("\(expireAfterSeconds)")))
    }
    return .object(members)
  }
}

extension EntityForm {
  init(_ platform: Platform, deviceClass: String? = nil, stateClass: String? = nil) {
    self.platform = platform
    self.deviceClass = deviceClass
    self.stateClass = stateClass
  }

  static func diagnostic(
    _ platform: Platform, deviceClass: String? = nil, stateClass: String? = nil
  )
    -> EntityForm
  {
    var form = EntityForm(platform, deviceClass: deviceClass, stateClass: stateClass)
    form.isDiagnostic = true
    return form
  }
}
