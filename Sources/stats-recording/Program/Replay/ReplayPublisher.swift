import CMosquitto
import Foundation

/// Publishes messages, as many at a time as the broker takes, and counts what it acknowledges.
final class ReplayPublisher {
  private let client: BrokerClient
  private let broker: BrokerOptions
  private let topicPrefix: String?
  private var failure: BrokerFailure?
  private var isConnected = false
  private var inFlight: Set<Int32> = []
  private(set) var published = 0
  /// Refused by the broker: with the last reason.
  private(set) var refused = 0
  private(set) var refusal: Int32 = 0

  static let window = 200

  /// Connects. `topicPrefix` stands in for the recorded one. Errors: the broker is not there or
  /// refuses.
  init(_ broker: BrokerOptions, topicPrefix: String?) throws {
    self.broker = broker
    self.topicPrefix = topicPrefix
    client = try BrokerClient(broker)
    client.onConnect = { [unowned self] reason in
      if reason == 0 {
        isConnected = true
      } else {
        failure = BrokerFailure(
          description: "broker \(broker.address) refuses: \(BrokerClient.words(of: reason))")
      }
    }
    client.onPublish = { [unowned self] message, reason in
      guard inFlight.remove(message) != nil else { return }
      if reason < 0x80 {
        published += 1
      } else {
        refused += 1
        refusal = reason
      }
    }
    try client.connect()
    while !isConnected { try turn(100) }
  }

  /// Publishes it; waits while too many are in flight. A status is retained, as the bridge does it.
  func publish(_ message: RecordedMessage, until ended: OneWaySwitch) throws(BrokerFailure) {
    while inFlight.count >= Self.window && !ended.isSet { try turn(100) }
    let source = message.source
    let topic =
      topicPrefix.map { "\($0)/\(source.topic.device)/\(source.topic.path)" } ?? source.text
    let id = try client.publish(
      Message(topic: topic, payload: message.payload, isRetained: source.isStatus))
    inFlight.insert(id)
    if inFlight.count.isMultiple(of: 20) { try turn(0) }
  }

  /// Keeps the connection going for so long.
  func wait(microseconds: Int64, until ended: OneWaySwitch) throws(BrokerFailure) {
    let deadline = ContinuousClock.now + .microseconds(microseconds)
    while !ended.isSet {
      let rest = deadline - .now
      guard rest > .zero else { return }
      // libmosquitto counts in milliseconds.
      if rest < .milliseconds(1) && inFlight.isEmpty {
        usleep(UInt32(rest / .microseconds(1)))
      } else {
        try turn(Int32(min(rest / .milliseconds(1), 100)))
      }
    }
  }

  /// Waits until everything is acknowledged, and disconnects.
  func finish() throws(BrokerFailure) {
    while !inFlight.isEmpty { try turn(100) }
    client.disconnect()
  }

  private func turn(_ milliseconds: Int32) throws(BrokerFailure) {
    try client.loop(timeoutMilliseconds: milliseconds)
    if let failure { throw failure }
  }
}
