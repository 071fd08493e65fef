import CMosquitto
import Foundation

/// A session that the broker keeps: what was not acknowledged comes again.
struct SessionSettings: Sendable {
  let broker: BrokerOptions
  /// With the shared group before it, if there is one.
  let topics: [String]
  /// The client id, by which the broker knows the session.
  let session: String
  /// How long the broker shall keep it; a week.
  var sessionExpirySeconds: UInt32 = 7 * 86400
  /// Messages that are stored at once.
  let batchSize: Int
  /// How long the first of them waits for the others.
  let batchTime: Duration

  /// How many messages the broker may send before the first of them is acknowledged: those of the
  /// batch that is being stored, and those of the next one, which wait in the socket.
  var receiveMaximum: Int { min(65535, 2 * batchSize) }
}

/// From the broker to where messages are kept: each is acknowledged when it is there.
///
/// The broker keeps what was not acknowledged and sends it again, to this client or, after a crash, to
/// the next one of the same session. libmosquitto makes the PUBACK before it tells of a message, but
/// in its threaded mode it only queues it, and nothing leaves but in `mosquitto_loop_write`. So that
/// is called only while nothing is held. Everything that is written waits for the storing with it,
/// PINGREQ too, and therefore there is no keep-alive: TCP's own finds a peer that has gone.
final class SessionReader {
  private let settings: SessionSettings
  private let ended: OneWaySwitch
  private let uses: Uses
  /// Messages since the last acknowledgement.
  private var messagesHeld = 0
  private var batchDue = ContinuousClock.now

  /// What becomes of messages; all of it is called on the thread of ``run()``.
  struct Uses {
    /// Holds a message.
    let take: (Message) -> Void
    /// Whether what is held is enough to be stored, however few messages it came in.
    var isFull: () -> Bool = { false }
    /// Stores what is held. False: the end was asked for before that could be done.
    let store: () -> Bool
    /// Called between messages, and when none comes.
    var afterTurn: () -> Void = {}
    let subscribed: () -> Void
    let say: (String) -> Void
  }

  init(_ settings: SessionSettings, until ended: OneWaySwitch, _ uses: Uses) {
    self.settings = settings
    self.ended = ended
    self.uses = uses
  }

  /// A connection that holds less than this is no good one: the next waits longer.
  private static let goodConnection = Duration.seconds(5)

  /// Runs until the end is asked for.
  func run() {
    var delay = 0.25
    var lastFailure: String?
    var losses = 0
    while !ended.isSet {
      var connected: ContinuousClock.Instant?
      do {
        try connection {
          connected = .now
          self.uses.subscribed()
        }
      } catch {
        // A broker that is away is told once, not at every attempt.
        if "\(error)" != lastFailure || connected != nil { uses.say("\(error); trying again") }
        lastFailure = "\(error)"
      }
      // What the broker has sent, it may have forgotten, if it was killed: here it is not lost. If it
      // has not, it sends it again, and that is known to be the same.
      store()
      let isGood = connected.map { .now - $0 >= Self.goodConnection } ?? false
      // Mosquitto 2.0 does not say why it closes the older of two connections.
      losses = isGood ? 0 : losses + (connected == nil ? 0 : 1)
      if losses == 3 {
        uses.say(
          "connections are lost as soon as they are made: if another client has the session "
            + "\(settings.session), each needs a --session of its own")
      }
      delay = isGood ? 0.5 : min(30, delay * 2)
      let until = Date(timeIntervalSinceNow: delay * Double.random(in: 0.75...1))
      while !ended.isSet && Date() < until {
        usleep(20_000)
        uses.afterTurn()
      }
    }
  }

  /// One connection, until it is lost or the end is asked for.
  private func connection(subscribed: @escaping () -> Void) throws {
    let connection = try SessionConnection(settings, subscribed: subscribed) { [unowned self] in
      if messagesHeld == 0 { batchDue = .now + settings.batchTime }
      messagesHeld += 1
      uses.take($0)
    } lostSession: { [unowned self] in
      uses.say(
        "the broker \(settings.broker.address) does not know the session \(settings.session): "
          + "from now on it keeps what comes while nobody reads; what came before, it has not kept")
    }
    while !ended.isSet {
      let now = ContinuousClock.now
      if messagesHeld > 0 && (isFull || now >= batchDue) {
        guard try storeAndAcknowledge(connection) else { break }
      }
      let untilDue = messagesHeld > 0 ? batchDue - now : .milliseconds(200)
      let wait = min(max(untilDue, .zero), .milliseconds(200))
      try connection.step(
        timeoutMilliseconds: Int32(wait / .milliseconds(1)) + 1, mayWrite: messagesHeld == 0)
      uses.afterTurn()
    }
    if try storeAndAcknowledge(connection) {
      connection.disconnect()
    } else {
      uses.say("\(messagesHeld) messages stay with the broker: they could not be stored yet")
      messagesHeld = 0
    }
  }

  private var isFull: Bool { messagesHeld >= settings.batchSize || uses.isFull() }

  /// A write that fails makes libmosquitto forget what it has not read yet, and a broker that was killed
  /// has forgotten it, too. So nothing should stand in the socket when PUBACKs are written: what has
  /// come meanwhile is stored, too, and what has come during that, each time less. What comes in the
  /// milliseconds of the PUBACKs themselves stays at that risk.
  /// False: the end was asked for before it could be stored.
  private func storeAndAcknowledge(_ connection: SessionConnection) throws -> Bool {
    guard store() else { return false }
    for _ in 0..<3 {
      while !isFull, try connection.step(timeoutMilliseconds: 0, mayWrite: false) {}
      if messagesHeld == 0 { break }
      guard store() else { return false }
    }
    try connection.acknowledge()
    return true
  }

  /// False: the end was asked for before that could be done.
  @discardableResult
  private func store() -> Bool {
    guard uses.store() else { return false }
    messagesHeld = 0
    return true
  }
}
