import CMosquitto
import Foundation

/// What the broker side of the ingest goes by.
struct IngestSettings: Sendable {
  let broker: BrokerOptions
  /// With the shared group before it, if there is one.
  let topics: [String]
  /// The client id, by which the broker knows the session.
  let session: String
  let sessionExpirySeconds: UInt32
  /// Points that are written at once.
  let batchSize: Int
  /// How long the first of them waits for the others.
  let batchTime: Duration

  /// How many messages the broker may send before the first of them is acknowledged: those of the
  /// batch that is being written, and those of the next one, which wait in the socket.
  var receiveMaximum: Int { min(65535, 2 * batchSize) }
}

/// From the broker into the database: a message is acknowledged when the database has its points.
///
/// The broker keeps what was not acknowledged and sends it again, to this client or, after a crash, to
/// the next one of the same session. libmosquitto makes the PUBACK before it tells of a message, but
/// in its threaded mode it only queues it, and nothing leaves but in `mosquitto_loop_write`. So that
/// is called only while no point is held. Everything that is written waits for the database with
/// them, PINGREQ too, and therefore there is no keep-alive: TCP's own finds a peer that has gone.
final class Ingest {
  private let settings: IngestSettings
  private let writer: BatchWriter
  private let ended: OneWaySwitch
  private let say: (String) -> Void
  private var counts = IngestCounts()
  private var batch = LineBatch()
  /// Messages since the last acknowledgement, also those without a point.
  private var messagesHeld = 0
  private var batchDue = ContinuousClock.now
  private var misfits = RareComplaint()
  private var leftOut = RareComplaint()
  private var told = IngestCounts()
  private var toldAt = ContinuousClock.now

  init(
    _ settings: IngestSettings, _ database: TimeSeriesDatabase, ended: OneWaySwitch,
    say: @escaping (String) -> Void
  ) {
    self.settings = settings
    self.ended = ended
    self.say = say
    writer = BatchWriter(database, ended: ended, say: say)
  }

  /// A connection that holds less than this is no good one: the next waits longer.
  private static let goodConnection = Duration.seconds(5)

  /// Runs until the end is asked for; returns what has become of the messages.
  func run() -> IngestCounts {
    var delay = 0.25
    var lastFailure: String?
    var losses = 0
    while !ended.isSet {
      var connected: ContinuousClock.Instant?
      do {
        try connection {
          connected = .now
          self.say("connected to \(self.settings.broker.address)")
        }
      } catch {
        // A broker that is away is told once, not at every attempt.
        if "\(error)" != lastFailure || connected != nil { say("\(error); trying again") }
        lastFailure = "\(error)"
      }
      // What the broker has sent, it may have forgotten, if it was killed: here it is not lost. If it
      // has not, it sends it again, and that makes the same points.
      store()
      let isGood = connected.map { .now - $0 >= Self.goodConnection } ?? false
      // Mosquitto 2.0 does not say why it closes the older of two connections.
      losses = isGood ? 0 : losses + (connected == nil ? 0 : 1)
      if losses == 3 {
        say(
          "connections are lost as soon as they are made: if another client has the session "
            + "\(settings.session), each needs a --session of its own")
      }
      delay = isGood ? 0.5 : min(30, delay * 2)
      let until = Date(timeIntervalSinceNow: delay * Double.random(in: 0.75...1))
      while !ended.isSet && Date() < until { usleep(20_000) }
    }
    return currentCounts
  }

  private var currentCounts: IngestCounts {
    var counts = counts
    counts.pointsStored = writer.stored
    counts.pointsRefused = writer.refused
    counts.retries = writer.retries
    return counts
  }

  /// One connection, until it is lost or the end is asked for.
  private func connection(subscribed: @escaping () -> Void) throws {
    let connection = try IngestConnection(settings, subscribed: subscribed) { [unowned self] in
      take($0)
    } lostSession: { [unowned self] in
      say(
        "the broker \(settings.broker.address) does not know the session \(settings.session): "
          + "from now on it keeps what comes while nobody reads; what came before, it has not kept")
    }
    while !ended.isSet {
      let now = ContinuousClock.now
      if messagesHeld > 0 && (isFull || now >= batchDue) {
        guard try storeAndAcknowledge(connection) else { break }
        report()
      }
      let untilDue = messagesHeld > 0 ? batchDue - now : .milliseconds(200)
      let wait = min(max(untilDue, .zero), .milliseconds(200))
      try connection.step(
        timeoutMilliseconds: Int32(wait / .milliseconds(1)) + 1, mayWrite: messagesHeld == 0)
    }
    if try storeAndAcknowledge(connection) {
      connection.disconnect()
    } else {
      say("\(messagesHeld) messages stay with the broker: the database has not taken them")
      messagesHeld = 0
      batch.removeAll()
    }
  }

  private var isFull: Bool {
    batch.count >= settings.batchSize || messagesHeld >= settings.batchSize
  }

  /// A write that fails makes libmosquitto forget what it has not read yet, and a broker that was killed
  /// has forgotten it, too. So nothing should stand in the socket when PUBACKs are written: what has
  /// come while the database wrote is stored, too, and what has come during that, each time less. What
  /// comes in the milliseconds of the PUBACKs themselves stays at that risk.
  /// False: the end was asked for before the database took it.
  private func storeAndAcknowledge(_ connection: IngestConnection) throws -> Bool {
    guard store() else { return false }
    for _ in 0..<3 {
      while messagesHeld < settings.batchSize,
        try connection.step(timeoutMilliseconds: 0, mayWrite: false)
      {}
      if messagesHeld == 0 { break }
      guard store() else { return false }
    }
    try connection.acknowledge()
    return true
  }

  /// Writes what is held; false: the end was asked for before the database took it.
  @discardableResult
  private func store() -> Bool {
    guard writer.write(batch) else { return false }
    batch.removeAll()
    messagesHeld = 0
    return true
  }

  private func take(_ message: Message) {
    if messagesHeld == 0 { batchDue = .now + settings.batchTime }
    messagesHeld += 1
    counts.messages += 1
    switch MessageContent(message, prefix: settings.broker.topicPrefix) {
    case .records(let records):
      counts.records += UInt64(records.count)
      for record in records { append(RecordPoint(record), message.topic) }
    case .status(let topic, let members):
      counts.statuses += 1
      if let point = RecordPoint(status: members, topic) {
        append(point, message.topic)
      } else {
        counts.statusesWithoutTime += 1
      }
    case .other(let words):
      counts.notUnderstood += 1
      if let line = misfits.tell({ "\($0) messages are no records: \(words)" }) { say(line) }
    }
  }

  private func append(_ point: RecordPoint, _ topic: String) {
    batch.append(point.line)
    guard point.valuesLeftOut > 0 else { return }
    counts.valuesLeftOut += UInt64(point.valuesLeftOut)
    let line = leftOut.tell(count: UInt64(point.valuesLeftOut)) {
      "\($0) values are left out, the last in \(topic): arrays, objects, or of another type than they should be"
    }
    if let line { say(line) }
  }

  /// Once a minute, if anything has come.
  private func report() {
    guard ContinuousClock.now - toldAt >= RareComplaint.pause else { return }
    let now = currentCounts
    if now != told { say(now.readable) }
    told = now
    toldAt = .now
  }
}
