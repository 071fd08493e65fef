import ArgumentParser
import Foundation

/// `stats-recording home-assistant`: devices as Home Assistant's MQTT integration discovers them.
struct HomeAssistant: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "home-assistant",
    abstract: "Makes devices known to Home Assistant.",
    discussion: """
      Watches the messages, and publishes for each device one retained message on \
      <discovery-prefix>/device/<id>/config: a sensor for each value that goes up and down, a binary \
      sensor for each alarm and for units that have failed, and what the bridge says of itself as \
      diagnostics. Left out unless --fields names them: counters, processes, and what happens once \
      (core dumps, ended processes, stalls, jobs).

      The broker must allow this user to read <topic-prefix>/#, <discovery-prefix>/device/+/config \
      and the birth topic, and to write <discovery-prefix>/device/+/config.

      Examples:
        stats-recording home-assistant --host broker.example
        stats-recording home-assistant --fields 'temperature_celsius' 'load*' 'cyclic-file-read/cpu/total/*_seconds'
        stats-recording home-assistant --remove
      """)

  @OptionGroup var broker: BrokerOptions

  @Option(help: ArgumentHelp("What the topics of discovery begin with.", valueName: "text"))
  var discoveryPrefix = "homeassistant"

  @Option(
    help: ArgumentHelp(
      "Where Home Assistant says that it is online. (default: <discovery-prefix>/status)",
      valueName: "topic"))
  var birthTopic: String?

  @Option(help: ArgumentHelp("Only this device.", valueName: "id"))
  var device: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Only these fields; globs, alone or behind program and place.", valueName: "pattern"))
  var fields: [String] = []

  @Option(help: ArgumentHelp("The most entities that a device may have.", valueName: "n"))
  var maxEntities = 200

  @Option(
    help: ArgumentHelp(
      "Publish when a device has not changed for so many seconds.", valueName: "seconds"))
  var settle = 10.0

  @Flag(help: "Show the messages instead of publishing them.")
  var dryRun = false

  @Flag(help: "Take back what was published, also by earlier runs, and exit.")
  var remove = false

  @Flag(help: "Take it back at the end.")
  var removeAtExit = false

  func validate() throws {
    for field in fields { try FieldCatalog.check(field) }
    guard maxEntities > 0 else {
      throw ValidationError("--max-entities \(maxEntities): at least 1")
    }
    guard 0.1...3600 ~= settle else { throw ValidationError("--settle \(settle): 0.1 to 3600") }
    for topic in [discoveryPrefix, birthTopic ?? "x"] {
      guard !topic.isEmpty, !topic.contains("+"), !topic.contains("#"), !topic.hasSuffix("/") else {
        throw ValidationError("\(topic): a topic without +, # and / at its end")
      }
    }
    if discoveryPrefix == broker.topicPrefix {
      throw ValidationError("--discovery-prefix and --topic-prefix must differ")
    }
  }

  func run() async throws {
    let settings = Announcer.Settings(
      broker: broker, discoveryPrefix: discoveryPrefix,
      birthTopic: birthTopic ?? "\(discoveryPrefix)/status", device: device,
      choice: EntityChoice(patterns: fields.map(FieldPattern.init)), maximumEntities: maxEntities,
      settle: .seconds(settle), prints: dryRun)
    if remove { return try await Removal(settings).run() }
    let outgoing = Outgoing()
    let announcer = Announcer(settings, outgoing)
    let subscription = Subscription(
      broker, topics: Announcer.topics(settings), outgoing: outgoing)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for await event in subscription.events { try await announcer.take(event) }
      }
      group.addTask {
        while true {
          try await Task.sleep(for: .milliseconds(100))
          try await announcer.tick()
        }
      }
      group.addTask {
        await EndSignals.wait()
        guard removeAtExit else { return }
        let count = await announcer.removeAll()
        try await outgoing.waitUntilEmpty(seconds: 10, broker)
        complain("removed \(count) \(count == 1 ? "device" : "devices")")
      }
      try await group.next()
      group.cancelAll()
    }
  }
}

extension Outgoing {
  /// Errors: the broker has refused something, or not acknowledged it in time.
  func waitUntilEmpty(seconds: Int, _ broker: BrokerOptions) async throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while !isEmpty {
      guard ContinuousClock.now < end else {
        throw BrokerFailure(
          description: "broker \(broker.address) does not acknowledge within \(seconds) s")
      }
      try await Task.sleep(for: .milliseconds(20))
    }
    if let refusal {
      throw BrokerFailure(
        description: "broker \(broker.address) refuses \(refusal.topic): "
          + BrokerClient.words(of: refusal.reason))
    }
  }
}
