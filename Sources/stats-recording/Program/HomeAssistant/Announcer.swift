import Foundation

/// Watches what devices publish and keeps their configurations for Home Assistant up to date.
actor Announcer {
  struct Settings: Sendable {
    let broker: BrokerOptions
    let discoveryPrefix: String
    let birthTopic: String
    let device: String?
    let choice: EntityChoice
    let maximumEntities: Int
    let settle: Duration
    let prints: Bool
  }

  private let settings: Settings
  private let outgoing: Outgoing
  private var devices: [String: DiscoveredDevice] = [:]
  private var changes: [String: (first: ContinuousClock.Instant, last: ContinuousClock.Instant)] =
    [:]
  private var published: [String: String] = [:]
  private var complained: Set<String> = []
  private var wasLost = false
  private var hasSubscribed = false

  init(_ settings: Settings, _ outgoing: Outgoing) {
    self.settings = settings
    self.outgoing = outgoing
  }

  static func topics(_ settings: Settings) -> [String] {
    let stream = "\(settings.broker.topicPrefix)/\(settings.device ?? "+")/#"
    return [stream, "\(settings.discoveryPrefix)/device/+/config", settings.birthTopic]
  }

  // MARK: What comes

  /// Errors: the broker could not be reached at all.
  func take(_ event: SubscriptionEvent) throws {
    switch event {
    case .subscribed:
      hasSubscribed = true
      // The broker may have lost what it had retained.
      if wasLost { publishAllAgain() }
      wasLost = false
    case .lost(let failure):
      guard hasSubscribed else { throw failure }
      complain("\(failure); trying again")
      wasLost = true
    case .message(let message): take(message)
    }
  }

  private func take(_ message: Message) {
    if message.topic == settings.birthTopic {
      // Home Assistant has started: what it knew may be gone.
      if message.payload == Array("online".utf8) { publishAllAgain() }
      return
    }
    if message.topic.hasPrefix(settings.discoveryPrefix + "/") {
      if message.isRetained { takeRetained(message) }
      return
    }
    switch MessageContent(message, prefix: settings.broker.topicPrefix) {
    case .records(let records):
      guard let topic = RecordTopic(message.topic, prefix: settings.broker.topicPrefix) else {
        return
      }
      let id = topic.device
      if with(id, { $0.learn(records, on: topic) }) { hasChanged(id) }
      for kind in devices[id]?.unknownKinds ?? [] where complained.insert(kind).inserted {
        complain(
          "\(id): records of the kind \(kind), which this version does not know, are left out")
      }
    case .status(let topic, let members):
      if with(topic.device, { $0.learn(status: members, topic) }) { hasChanged(topic.device) }
    case .other(let words):
      if complained.insert(message.topic).inserted { complain(words) }
    }
  }

  /// A configuration that was there when we came.
  private func takeRetained(_ message: Message) {
    guard let (id, members) = EarlierConfiguration.parse(message),
      settings.device == nil || id == settings.device
    else { return }
    let components = members["components"]?.members ?? []
    if published[id] == nil, with(id, { $0.remember(components) }) { hasChanged(id) }
  }

  private func with(_ id: String, _ change: (inout DiscoveredDevice) -> Bool) -> Bool {
    change(
      &devices[
        id,
        default: DiscoveredDevice(
          id, choice: settings.choice, prefix: settings.broker.topicPrefix,
          maximumEntities: settings.maximumEntities)])
  }

  private func hasChanged(_ id: String) {
    let now = ContinuousClock.now
    changes[id] = (changes[id]?.first ?? now, now)
  }

  private func publishAllAgain() {
    for id in published.keys {
      published[id] = nil
      hasChanged(id)
    }
  }

  // MARK: What goes out

  /// Publishes what has not changed for a while, or has for long. Errors: the broker refuses it.
  func tick() throws {
    if let refusal = outgoing.refusal {
      throw BrokerFailure(
        description: "broker \(settings.broker.address) refuses \(refusal.topic): "
          + BrokerClient.words(of: refusal.reason)
          + "; its access list must allow this user to write "
          + "\(settings.discoveryPrefix)/device/+/config")
    }
    let now = ContinuousClock.now
    for (id, change) in changes
    where now - change.last >= settings.settle || now - change.first >= settings.settle * 4 {
      changes[id] = nil
      publish(id)
    }
  }

  private func publish(_ id: String) {
    guard let device = devices[id], device.entityCount > 0 else { return }
    if let removal = device.removal { put(removal.jsonText, device) }
    devices[id]?.forgetUnwanted()
    let text = device.configuration.jsonText
    guard published[id] != text else { return }
    put(text, device)
    published[id] = text
    var words = "\(id): \(device.entityCount) entities"
    if !device.leftOut.isEmpty {
      words += "; \(device.leftOut.count) more are left out: --max-entities, --fields"
    }
    complain(words)
  }

  private func put(_ text: String, _ device: DiscoveredDevice) {
    if settings.prints {
      print(text)
      fflush(nil)
    } else {
      outgoing.put(message(text, device))
    }
  }

  private func message(_ text: String, _ device: DiscoveredDevice) -> Message {
    Message(
      topic: "\(settings.discoveryPrefix)/device/\(device.objectID)/config",
      payload: Array(text.utf8), isRetained: true)
  }

  /// Takes back what was published. Returns of how many devices.
  func removeAll() -> Int {
    let known = devices.values.filter { published[$0.id] != nil }
    for device in known { outgoing.put(message("", device)) }
    return settings.prints ? 0 : known.count
  }
}

/// The retained configuration that some run of this program has published.
enum EarlierConfiguration {
  /// nil: it is another program's, or no configuration.
  static func parse(_ message: Message) -> (device: String, members: [JSONMember])? {
    guard let members = try? JSONValue(parsing: message.payload).members,
      members["origin"]?.members?["name"]?.text == DiscoveredDevice.origin,
      let id = members["device"]?.members?["name"]?.text
    else { return nil }
    return (id, members)
  }
}
