import Daemon
import Linux
import Records

extension Bridge {
  // MARK: The connection

  /// Begins to connect; first has the host's name looked up, where it is one.
  mutating func connect(_ now: UInt64) throws(SystemError) {
    connectDue = .max
    connectTimeoutDue = now + options.connectTimeout.nanoseconds
    guard NameLookup.isNeeded(options.broker.host) else { return try connectToKnownHost() }
    // One that has not answered yet is waited for again.
    guard isNotLookingUp else { return }
    let lookup = try NameLookup(options.broker.host)
    try loop.events.add(lookup.descriptor, .nameLookup)
    nameLookup = consume lookup
  }

  private var isNotLookingUp: Bool {
    switch nameLookup {
    case .some: false
    case .none: true
    }
  }

  mutating func takeNameLookup() throws(SystemError) {
    let isFound: Bool? =
      switch nameLookup {
      case .some(let lookup): lookup.isFound
      case .none: nil
      }
    guard let isFound else { return }
    nameLookup = nil
    // Given up meanwhile: the next attempt asks again.
    guard connectTimeoutDue != .max, connection == nil else { return }
    if isFound {
      try connectToKnownHost()
    } else {
      lose(BrokerError("the name \(options.broker.host) cannot be resolved"))
    }
  }

  private mutating func connectToKnownHost() throws(SystemError) {
    do throws(BrokerError) {
      let connection = try BrokerConnection(
        options.broker, clientID: "stats-recording-\(options.topics.deviceID)",
        will: (topic: options.topics.status, payload: BridgeStatus.will),
        contentType: options.payload.contentType,
        messageExpirySeconds: UInt32(options.messageExpiry.nanoseconds / 1_000_000_000),
        attempt: backoff.attempts)
      self.connection = connection
    } catch {
      return lose(error)
    }
    guard let connection, let socket = connection.socket else { return }
    interest = connection.interest
    try loop.events.add(socket, .broker, interest)
  }

  /// Notices that the broker has answered, once.
  mutating func welcome() {
    guard let connection, connection.isConnected, connectTimeoutDue != .max else { return }
    (connectTimeoutDue, spillDue) = (.max, .max)
    (spillTrouble, spillFails, spilledSinceConnected) = (Text(), false, false)
    status.connections += 1
    let attempts = backoff.attempts
    backoff.succeeded()
    lastFailure = ""
    let now = monotonicNanoseconds()
    keepAliveDue = now + options.broker.keepAlive.nanoseconds / 4
    statusDue = now
    log.information(
      "connected to \(options.broker.address) as \(options.topics.deviceID)"
        + (attempts == 0 ? "" : " after \(attempts + 1) attempts")
        + (outbox.count == 0 ? "" : ", \(outbox.count) records wait"))
    loop.notifier.status("connected to \(options.broker.address)")
  }

  /// Keeps the connection alive, and gives one up on which nothing is acknowledged any more: TCP alone
  /// takes a quarter of an hour to find that out.
  mutating func keepAlive(_ now: UInt64) {
    let patience = options.broker.keepAlive
    keepAliveDue = now + patience.nanoseconds / 4
    do throws(BrokerError) {
      if !isDisconnected { try connection?.process(.reading) }
      takeAcknowledgements()
      if !inFlight.isEmpty && now >= acknowledgedAt + patience.nanoseconds {
        throw BrokerError("nothing was acknowledged for \(patience.description)")
      }
      try connection?.keepAlive()
    } catch {
      lose(error)
    }
  }

  mutating func loseForSilence() {
    let who: Text = isNotLookingUp ? "" : " to the question for its address"
    lose(BrokerError("no answer\(who) for \(options.connectTimeout.description)"))
  }

  /// The connection is gone, or none came to be: everything in flight waits again.
  mutating func lose(_ error: BrokerError) {
    connection = nil
    forgetBatches()
    (connectTimeoutDue, keepAliveDue, statusDue) = (.max, .max, .max)
    if spillDue == .max { spillDue = monotonicNanoseconds() + options.spillAfter.nanoseconds }
    let delay = backoff.next()
    connectDue = monotonicNanoseconds() + delay
    // The same reason again is not news, until it has lasted.
    if lastFailure != error.description || backoff.attempts % 20 == 0 {
      lastFailure = error.description
      log.warning(
        "broker \(options.broker.address): \(error.description); trying again, "
          + "first in \(Interval(nanoseconds: delay / 1_000_000 * 1_000_000).description)")
    }
    loop.notifier.status("no connection to \(options.broker.address): \(error.description)")
  }

  // MARK: The status

  mutating func publishStatus(_ state: StaticString) {
    guard let connection, connection.isConnected else { return }
    envelope.clock = clock.read()
    noteSpill()
    status.write(state, queues: queues, outbox: outbox, envelope, into: &json)
    do throws(BrokerConnection.PublishError) {
      let message = try connection.publish(
        options.topics.status, json.bytes, connection.statusProperties, retain: true)
      bytesInFlight += json.bytes.count
      inFlight.append(InFlight(message: message, program: nil, byteCount: json.bytes.count))
    } catch {
      switch error {
      case .notTaken(let words):
        if !statusIsRefused { log.error("the status cannot be published: \(words)") }
        statusIsRefused = true
      case .connectionLost(let error): lose(error)
      }
    }
  }

  /// Something was lost: the status says so within a second.
  mutating func hurryStatus() {
    guard statusDue != .max else { return }
    statusDue = min(statusDue, monotonicNanoseconds() + 1_000_000_000)
  }
}
