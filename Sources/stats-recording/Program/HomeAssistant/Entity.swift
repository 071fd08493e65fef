import Records

/// What a record is about: one thing on a topic, told by one kind of record.
struct EntityThing: Hashable, Sendable {
  let topic: RecordTopic
  let kind: RecordKind
  /// The field that tells it from others on the same topic, and its value.
  let distinguishing: JSONMemberText?

  var distinction: (name: String, value: String)? {
    distinguishing.map { ($0.name, $0.value) }
  }

  init?(_ record: PublishedRecord) {
    guard let kind = RecordKind(named: record.kind) else { return nil }
    topic = record.topic
    self.kind = kind
    // Zones of one type share a topic.
    distinguishing =
      kind == .thermalZone
      ? record.fields["zone"]?.text.map { JSONMemberText(name: "zone", value: $0) } : nil
  }
}

struct JSONMemberText: Hashable, Sendable {
  let name: String
  let value: String
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
    key = Self.key([thing.topic.path, thing.distinguishing?.value, entry.name])
    name = EntityName.of(entry, thing, record)
    program = thing.topic.program
    stateTopic = "\(prefix)/\(thing.topic.device)/\(thing.topic.path)"
    template = EntityTemplate.field(entry.name, of: thing, form)
  }

  /// That a unit has failed.
  init(failed thing: EntityThing, unit: String, prefix: String) {
    form = EntityForm(.binarySensor, deviceClass: "problem")
    key = Self.key([thing.topic.path, "failed"])
    name = "\(unit) failed"
    program = thing.topic.program
    stateTopic = "\(prefix)/\(thing.topic.device)/\(thing.topic.path)"
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
