import Foundation

/// What a subscription tells.
enum SubscriptionEvent: Equatable, Sendable {
  /// The broker has accepted the topics.
  case subscribed
  case message(Message)
  /// The connection is gone, or none came to be; it is tried again.
  case lost(BrokerFailure)
}

/// Messages from the broker as they come, for as long as somebody reads them.
///
/// A thread of its own drives libmosquitto. It connects again by itself, after 0.5 s, doubled up to
/// 30 s. A reader that is slow makes the thread wait, and so the broker: nothing piles up here.
struct Subscription {
  let events: AsyncStream<SubscriptionEvent>

  /// How many events may wait for the reader.
  static let capacity = 4096

  /// What is put into `outgoing` is published on the same connection.
  init(_ options: BrokerOptions, topics: [String], qos: Int32 = 1, outgoing: Outgoing? = nil) {
    let (events, continuation) = AsyncStream.makeStream(
      of: SubscriptionEvent.self, bufferingPolicy: .bufferingOldest(Self.capacity))
    self.events = events
    let ended = OneWaySwitch()
    continuation.onTermination = { _ in ended.set() }
    let output = Output(continuation: continuation, ended: ended)
    Thread.detachNewThread {
      Self.follow(options, topics: topics, qos: qos, outgoing: outgoing, until: ended) {
        output.put($0)
      }
    }
  }

  /// The same on the calling thread, until `ended`; `afterTurn` is called between messages and when
  /// none comes. See ``SessionReader`` for a session that the broker keeps.
  static func follow(
    _ options: BrokerOptions, topics: [String], qos: Int32 = 1, outgoing: Outgoing? = nil,
    until ended: OneWaySwitch, afterTurn: () -> Void = {},
    _ handle: @escaping (SubscriptionEvent) -> Void
  ) {
    var delay = 0.5
    while !ended.isSet {
      var wasSubscribed = false
      do {
        try run(options, topics, qos, outgoing, ended, afterTurn) { event in
          if case .subscribed = event { wasSubscribed = true }
          handle(event)
        }
      } catch {
        handle(.lost(error as? BrokerFailure ?? BrokerFailure(description: "\(error)")))
      }
      delay = wasSubscribed ? 0.5 : min(30, delay * 2)
      let until = Date(timeIntervalSinceNow: delay * Double.random(in: 0.75...1))
      while !ended.isSet && Date() < until {
        usleep(50_000)
        afterTurn()
      }
    }
  }

  /// One connection, until it is lost or nobody reads any more.
  private static func run(
    _ options: BrokerOptions, _ topics: [String], _ qos: Int32, _ outgoing: Outgoing?,
    _ ended: OneWaySwitch, _ afterTurn: () -> Void,
    _ handle: @escaping (SubscriptionEvent) -> Void
  ) throws {
    let client = try BrokerClient(options)
    var failure: BrokerFailure?
    var isConnected = false
    client.onConnect = { [unowned client] reason in
      guard reason == 0 else {
        failure = BrokerFailure(
          description: "broker \(options.address) refuses: \(BrokerClient.words(of: reason))")
        return
      }
      isConnected = true
      do throws(BrokerFailure) {
        for topic in topics { try client.subscribe(topic, qos: qos) }
      } catch { failure = error }
    }
    client.onSubscribe = { reasons in
      if let refusal = reasons.first(where: { $0 >= 0x80 }) {
        failure = BrokerFailure(
          description:
            "broker \(options.address) refuses to send \(topics.joined(separator: ", ")): "
            + BrokerClient.words(of: refusal))
      } else {
        handle(.subscribed)
      }
    }
    client.onMessage = { handle(.message($0)) }
    outgoing?.begin()
    client.onPublish = { outgoing?.acknowledge($0, $1) }
    try client.connect()
    while !ended.isSet {
      if isConnected { try outgoing?.publish(on: client) }
      // A refused login ends the loop with an error of the protocol: the broker's reason is better.
      do { try client.loop(timeoutMilliseconds: 100) } catch { throw failure ?? error }
      if let failure { throw failure }
      afterTurn()
    }
    client.disconnect()
  }

  private struct Output {
    let continuation: AsyncStream<SubscriptionEvent>.Continuation
    let ended: OneWaySwitch

    /// Waits for a slow reader.
    func put(_ event: SubscriptionEvent) {
      while case .dropped = continuation.yield(event), !ended.isSet { usleep(1000) }
    }
  }
}

/// Set once, from any thread.
final class OneWaySwitch: @unchecked Sendable {
  private let lock = NSLock()
  private var value = false

  func set() { lock.withLock { value = true } }
  var isSet: Bool { lock.withLock { value } }
}
