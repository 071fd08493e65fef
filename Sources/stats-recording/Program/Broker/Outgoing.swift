import Foundation

/// Messages that go out on the connection of a ``Subscription``.
///
/// One connection does both, because brokers that take the user's name for the client's id close one
/// when the same user opens another. A message is kept until the broker acknowledges it, and sent
/// again on the next connection until then.
final class Outgoing: @unchecked Sendable {
  /// What the broker would not take, and its reason.
  struct Refusal: Sendable {
    let topic: String
    let reason: Int32
  }

  private let lock = NSLock()
  private var waiting: [Message] = []
  private var inFlight: [Int32: Message] = [:]
  private var firstRefusal: Refusal?

  func put(_ message: Message) { lock.withLock { waiting.append(message) } }

  /// The broker has acknowledged all there was.
  var isEmpty: Bool { lock.withLock { waiting.isEmpty && inFlight.isEmpty } }

  var refusal: Refusal? { lock.withLock { firstRefusal } }

  /// A new connection: what the last one did not bring to its end waits again.
  func begin() {
    lock.withLock {
      waiting = inFlight.sorted { $0.key < $1.key }.map(\.value) + waiting
      inFlight = [:]
    }
  }

  /// From the thread that drives `client`.
  func publish(on client: BrokerClient) throws(BrokerFailure) {
    while let message = lock.withLock({ waiting.first }) {
      // The acknowledgement comes in a later call of this thread: it cannot overtake this.
      let id = try client.publish(message)
      lock.withLock {
        waiting.removeFirst()
        inFlight[id] = message
      }
    }
  }

  func acknowledge(_ id: Int32, _ reason: Int32) {
    lock.withLock {
      guard let message = inFlight.removeValue(forKey: id) else { return }
      if reason >= 0x80 && firstRefusal == nil {
        firstRefusal = Refusal(topic: message.topic, reason: reason)
      }
    }
  }
}
