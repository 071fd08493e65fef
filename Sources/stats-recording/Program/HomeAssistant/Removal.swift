import Foundation

/// Takes the configurations of all devices back, whoever has published them: an empty retained
/// message deletes a device in Home Assistant.
struct Removal {
  private let settings: Announcer.Settings

  init(_ settings: Announcer.Settings) { self.settings = settings }

  func run() async throws {
    let outgoing = Outgoing()
    let topic = "\(settings.discoveryPrefix)/device/+/config"
    let subscription = Subscription(settings.broker, topics: [topic], outgoing: outgoing)
    let seen = Seen()
    let quiet = Duration.seconds(1)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for await event in subscription.events { try await take(event, seen) }
      }
      group.addTask {
        // Nothing in MQTT says which retained message is the last one: a second without any does.
        while await !seen.isQuiet(for: quiet) { try await Task.sleep(for: .milliseconds(50)) }
        let topics = await seen.topics
        for topic in topics { outgoing.put(Message(topic: topic, payload: [], isRetained: true)) }
        try await outgoing.waitUntilEmpty(seconds: 10, settings.broker)
        print("removed \(topics.count) \(topics.count == 1 ? "device" : "devices")")
      }
      try await group.next()
      group.cancelAll()
    }
  }

  private func take(_ event: SubscriptionEvent, _ seen: Seen) async throws {
    switch event {
    case .subscribed: await seen.subscribed()
    case .lost(let failure): throw failure
    case .message(let message):
      guard message.isRetained, let (id, _) = EarlierConfiguration.parse(message),
        settings.device == nil || id == settings.device
      else { return }
      await seen.add(message.topic)
    }
  }

  private actor Seen {
    private(set) var topics: [String] = []
    private var last: ContinuousClock.Instant?

    func subscribed() { last = .now }

    func add(_ topic: String) {
      topics.append(topic)
      last = .now
    }

    func isQuiet(for time: Duration) -> Bool { last.map { .now - $0 >= time } ?? false }
  }
}
