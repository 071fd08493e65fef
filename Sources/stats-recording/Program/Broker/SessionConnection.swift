import CMosquitto
import Foundation

/// A connection of a session that writes only when it is told that it may.
final class SessionConnection {
  private let client: BrokerClient
  private let broker: BrokerOptions
  private var failure: BrokerFailure?
  private var disconnectReason: Int32 = 0
  /// The broker has closed its side: what it has sent is still read, but nothing is written, since
  /// libmosquitto throws away what it has not read when a write fails.
  private var isClosing = false

  /// POLLRDHUP of poll(2), which glibc shows with _GNU_SOURCE alone.
  private static let peerHasClosed: Int32 = 0x2000

  /// MQTT 5, 3.14.2.1: somebody else has connected with the same client id.
  private static let sessionTakenOver: Int32 = 142

  init(
    _ settings: SessionSettings, subscribed: @escaping () -> Void,
    take: @escaping (Message) -> Void, lostSession: @escaping () -> Void
  ) throws {
    broker = settings.broker
    client = try BrokerClient(settings.broker, id: settings.session, keepsSession: true)
    // Packets are queued, and leave in mosquitto_loop_write alone.
    mosquitto_threaded_set(client.client, true)
    mosquitto_int_option(
      client.client, MOSQ_OPT_RECEIVE_MAXIMUM, Int32(settings.receiveMaximum))
    client.onMessage = {
      take($0)
      // mosquitto_loop_read goes on until TLS has nothing decrypted left, or errno is EAGAIN, whoever
      // has set it.
      errno = 0
    }
    client.onDisconnect = { [unowned self] in
      disconnectReason = $0
      guard $0 == Self.sessionTakenOver else { return }
      failure = BrokerFailure(
        description: "another client has taken the session \(settings.session): "
          + "each instance needs a --session of its own")
    }
    client.onConnect = { [unowned self] reason in
      guard reason == 0 else {
        failure = BrokerFailure(
          description: "broker \(broker.address) refuses: \(BrokerClient.words(of: reason))")
        return
      }
      // A session has its topics already; the answer to the question below may have to wait for the
      // database.
      if client.hadSession { subscribed() } else { lostSession() }
      do throws(BrokerFailure) {
        for topic in settings.topics { try client.subscribe(topic) }
      } catch { failure = error }
    }
    client.onSubscribe = { [unowned self] reasons in
      if let refusal = reasons.first(where: { $0 >= 0x80 }) {
        failure = BrokerFailure(
          description: "broker \(broker.address) refuses to send "
            + "\(settings.topics.joined(separator: ", ")): \(BrokerClient.words(of: refusal))")
      } else if !client.hadSession {
        subscribed()
      }
    }
    var properties: OpaquePointer?
    defer { mosquitto_property_free_all(&properties) }
    mosquitto_property_add_int32(
      &properties, Int32(MQTT_PROP_SESSION_EXPIRY_INTERVAL.rawValue),
      settings.sessionExpirySeconds)
    try client.connect(properties: properties, keepAliveSeconds: 0)
    keepAliveByTCP()
  }

  /// After 30 s without a word TCP asks the peer, and gives up after 30 s more. Bytes that nobody
  /// takes are given up after 60 s.
  private func keepAliveByTCP() {
    func set(_ level: Int, _ option: Int32, _ value: Int32) {
      var value = value
      setsockopt(mosquitto_socket(client.client), Int32(level), option, &value, 4)
    }
    set(Int(SOL_SOCKET), SO_KEEPALIVE, 1)
    set(Int(IPPROTO_TCP), TCP_KEEPIDLE, 30)
    set(Int(IPPROTO_TCP), TCP_KEEPINTVL, 10)
    set(Int(IPPROTO_TCP), TCP_KEEPCNT, 3)
    set(Int(IPPROTO_TCP), TCP_USER_TIMEOUT, 60_000)
  }

  /// Waits for the broker, at most so long; reads what has come, and writes what stands in the queue
  /// if it may. Returns whether anything had come. Errors: the connection is gone, and why.
  @discardableResult
  func step(timeoutMilliseconds: Int32, mayWrite: Bool) throws(BrokerFailure) -> Bool {
    let writes = mayWrite && !isClosing && mosquitto_want_write(client.client)
    let events = try wait(timeoutMilliseconds, forWriting: writes)
    let reads = events & POLLIN != 0 || isClosing
    if reads { try check(mosquitto_loop_read(client.client, 1)) }
    guard mayWrite && !isClosing else { return reads }
    // What was read above is held already; it is written at the next call then.
    if events & POLLOUT != 0 && !reads { try check(mosquitto_loop_write(client.client, 1)) }
    // A server may insist on a keep-alive.
    try check(mosquitto_loop_misc(client.client))
    return reads
  }

  /// Sends all that stands in the queue: the PUBACKs of everything that was read.
  func acknowledge() throws(BrokerFailure) {
    let deadline = ContinuousClock.now + .seconds(60)
    while mosquitto_want_write(client.client) && !isClosing {
      let events = try wait(100, forWriting: true)
      if events & POLLOUT != 0 && !isClosing {
        try check(mosquitto_loop_write(client.client, 1))
      }
      if ContinuousClock.now > deadline {
        throw BrokerFailure(description: "broker \(broker.address) takes nothing any more")
      }
    }
  }

  /// Says goodbye; the session stays.
  func disconnect() {
    client.disconnect()
    mosquitto_loop_write(client.client, 1)
  }

  private func wait(_ timeoutMilliseconds: Int32, forWriting: Bool) throws(BrokerFailure) -> Int32 {
    let socket = mosquitto_socket(client.client)
    guard socket >= 0 else {
      try check(MOSQ_ERR_NO_CONN.rawValue)
      return 0
    }
    var entry = pollfd(
      fd: socket, events: Int16(POLLIN | Self.peerHasClosed | (forWriting ? POLLOUT : 0)),
      revents: 0)
    guard poll(&entry, 1, timeoutMilliseconds) > 0 else { return 0 }
    let events = Int32(entry.revents)
    if events & (Self.peerHasClosed | POLLHUP | POLLERR) != 0 { isClosing = true }
    return events
  }

  private func check(_ result: Int32) throws(BrokerFailure) {
    if let failure { throw failure }
    guard result == MOSQ_ERR_SUCCESS.rawValue else {
      if disconnectReason >= 0x80 {
        throw BrokerFailure(
          description: "broker \(broker.address) closes the connection: "
            + BrokerClient.words(of: disconnectReason))
      }
      return try client.check(result, "broker \(broker.address)")
    }
  }
}
