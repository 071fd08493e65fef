import Foundation
import Records

/// Publishes messages, as many at a time as the broker takes, and counts what it acknowledges.
///
/// When a connection is lost, what was not acknowledged is published again on the next one, and then it
/// goes on: each message arrives, in order, and what was under way may arrive twice.
final class ReplayPublisher {
  private let broker: BrokerOptions
  private let topicPrefix: String?
  private let expirySeconds: UInt32
  private let say: (String) -> Void
  private var client: BrokerClient?
  private var failure: BrokerFailure?
  private var isConnected = false
  /// What was not acknowledged, in the order in which it was published; an id is of one connection.
  private var inFlight: [(id: Int32, message: Message)] = []
  private(set) var published = 0
  /// Refused by the broker: with the last reason.
  private(set) var refused = 0
  private(set) var refusal: Int32 = 0

  static let window = 200

  /// Connects. `topicPrefix` stands in for the recorded one. Errors: the broker is not there or
  /// refuses.
  init(
    _ broker: BrokerOptions, topicPrefix: String?, expirySeconds: UInt32,
    say: @escaping (String) -> Void
  ) throws {
    self.broker = broker
    self.topicPrefix = topicPrefix
    self.expirySeconds = expirySeconds
    self.say = say
    try connect()
  }

  /// Publishes it; waits while too many are in flight. A status is retained, as the bridge does it.
  func publish(_ message: RecordedMessage, until ended: OneWaySwitch) {
    while inFlight.count >= Self.window && !ended.isSet { turn(100, until: ended) }
    let source = message.source
    let topic =
      topicPrefix.map { "\($0)/\(source.topic.device)/\(source.topic.path)" } ?? source.text
    // What is recorded is JSON, in whatever form it came.
    let again = Message(
      topic: topic, payload: message.payload, isRetained: source.isStatus,
      contentType: "\(PayloadFormat.json.contentType)", expirySeconds: expirySeconds)
    inFlight.append((id: Self.notSent, message: again))
    attempt(until: ended) { (publisher) throws(BrokerFailure) in
      try publisher.send(from: publisher.inFlight.count - 1)
    }
    if inFlight.count.isMultiple(of: 20) { turn(0, until: ended) }
  }

  /// Keeps the connection going for so long; `turn` is called meanwhile.
  func wait(microseconds: Int64, until ended: OneWaySwitch, turn tell: () -> Void) {
    let deadline = ContinuousClock.now + .microseconds(microseconds)
    while !ended.isSet {
      let rest = deadline - .now
      guard rest > .zero else { return }
      tell()
      // libmosquitto counts in milliseconds.
      if rest < .milliseconds(1) && inFlight.isEmpty {
        usleep(UInt32(rest / .microseconds(1)))
      } else {
        turn(Int32(min(rest / .milliseconds(1), 100)), until: ended)
      }
    }
  }

  /// Waits until everything is acknowledged, and disconnects; where the end was asked for, some seconds
  /// at most, and no other connection is made.
  func finish(until ended: OneWaySwitch) {
    var endSeen: ContinuousClock.Instant?
    while !inFlight.isEmpty {
      if ended.isSet {
        let since = endSeen ?? .now
        endSeen = since
        guard isConnected && .now - since < .seconds(5) else { return }
      }
      turn(100, until: ended)
    }
    client?.disconnect()
  }

  /// Published, but not acknowledged.
  var unacknowledged: Int { inFlight.count }

  // MARK: Connections

  /// An id that no message has: MQTT 5, 2.2.1.
  private static let notSent: Int32 = 0

  private func connect() throws {
    isConnected = false
    failure = nil
    let client = try BrokerClient(broker)
    client.onConnect = { [unowned self] reason in
      if reason == 0 {
        isConnected = true
      } else {
        failure = BrokerFailure(
          description: "broker \(broker.address) refuses: \(BrokerClient.words(of: reason))")
      }
    }
    client.onPublish = { [unowned self] id, reason in
      // Brokers acknowledge in order, so that it is among the first.
      guard let index = inFlight.firstIndex(where: { $0.id == id }) else { return }
      inFlight.remove(at: index)
      if reason < 0x80 {
        published += 1
      } else {
        refused += 1
        refusal = reason
      }
    }
    try client.connect()
    self.client = client
    while !isConnected { try loop(100) }
  }

  private func send(from first: Int) throws(BrokerFailure) {
    guard let client else { return }
    for index in first..<inFlight.count {
      inFlight[index].id = try client.publish(inFlight[index].message)
    }
  }

  private func turn(_ milliseconds: Int32, until ended: OneWaySwitch) {
    attempt(until: ended) { (publisher) throws(BrokerFailure) in
      try publisher.loop(milliseconds)
    }
  }

  private func loop(_ milliseconds: Int32) throws(BrokerFailure) {
    do { try client?.loop(timeoutMilliseconds: milliseconds) } catch { throw failure ?? error }
    if let failure { throw failure }
  }

  /// Does something with the connection; if that is lost, connects again, until it works or the end is
  /// asked for.
  private func attempt(
    until ended: OneWaySwitch, _ body: (ReplayPublisher) throws(BrokerFailure) -> Void
  ) {
    do throws(BrokerFailure) { return try body(self) } catch {
      say("\(error); \(published) messages are acknowledged; trying again")
    }
    var delay = 0.5
    var last = ""
    while !ended.isSet {
      isConnected = false
      do {
        try connect()
        try send(from: 0)
        say("connected again; \(inFlight.count) messages are published again")
        return
      } catch {
        if "\(error)" != last { say("\(error); trying again") }
        last = "\(error)"
      }
      let until = Date(timeIntervalSinceNow: delay * Double.random(in: 0.75...1))
      while !ended.isSet && Date() < until { usleep(20_000) }
      delay = min(30, delay * 2)
    }
  }
}
