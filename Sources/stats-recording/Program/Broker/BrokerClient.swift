import CMosquitto
import Foundation

/// What went wrong with the broker, in words that say what to do.
struct BrokerFailure: Error, Equatable, CustomStringConvertible {
  let description: String
}

/// A client of libmosquitto with its callbacks as Swift closures; whoever owns it drives it.
///
/// Not Sendable: one thread makes it, runs it and lets it go. libmosquitto calls back from within
/// ``loop(timeoutMilliseconds:)`` and the other calls.
final class BrokerClient {
  var onConnect: (Int32) -> Void = { _ in }
  /// With the reason code; without one, the connection simply broke.
  var onDisconnect: (Int32) -> Void = { _ in }
  /// Whether the broker still had the session that was asked for; known when it has answered.
  private(set) var hadSession = false
  var onMessage: (Message) -> Void = { _ in }
  /// The reason code for each topic that was asked for: 0x80 and above is a refusal.
  var onSubscribe: ([Int32]) -> Void = { _ in }
  /// A message of ours was acknowledged, with the reason code.
  var onPublish: (_ message: Int32, _ reason: Int32) -> Void = { _, _ in }
  /// What libmosquitto says of errors, among them what OpenSSL finds wrong with a certificate.
  var onError: (String) -> Void = { _ in }

  let client: OpaquePointer
  private let options: BrokerOptions

  private static let library: Void = { _ = mosquitto_lib_init() }()

  /// `id` nil lets the broker choose; `keepsSession` asks it to keep what comes while we are away.
  init(_ options: BrokerOptions, id: String? = nil, keepsSession: Bool = false) throws {
    _ = Self.library
    guard let client = mosquitto_new(id, !keepsSession, nil) else {
      throw BrokerFailure(description: "mosquitto_new: \(String(cString: strerror(errno)))")
    }
    self.client = client
    self.options = options
    mosquitto_user_data_set(client, Unmanaged.passUnretained(self).toOpaque())
    mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5)
    mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1)
    setCallbacks()
    if let username = options.username {
      try check(mosquitto_username_pw_set(client, username, try options.password()), "--username")
    }
    if options.usesTLS {
      let login = options.login
      if login.caFile == nil { mosquitto_int_option(client, MOSQ_OPT_TLS_USE_OS_CERTS, 1) }
      try check(
        mosquitto_tls_set(
          client, login.caFile, login.caFile == nil ? "/etc/ssl/certs" : nil,
          login.certificateFile, login.keyFile, { _, _, _, _ in 0 }), "TLS files")
    }
  }

  deinit { mosquitto_destroy(client) }

  /// Connects; blocks for the look-up of the name and until TCP is connected.
  func connect(properties: OpaquePointer? = nil, keepAliveSeconds: Int32 = 30) throws(BrokerFailure)
  {
    let result = mosquitto_connect_bind_v5(
      client, options.host, Int32(options.portNumber), keepAliveSeconds, nil, properties)
    try check(result, "connect to \(options.address)")
  }

  /// Reads, writes and keeps alive for at most so long. Errors: the connection is gone, and why.
  func loop(timeoutMilliseconds: Int32) throws(BrokerFailure) {
    try check(mosquitto_loop(client, timeoutMilliseconds, 1), "broker \(options.address)")
  }

  func subscribe(_ topic: String, qos: Int32 = 1) throws(BrokerFailure) {
    try check(mosquitto_subscribe_v5(client, nil, topic, qos, 0, nil), "subscribe to \(topic)")
  }

  /// Returns the message's id.
  @discardableResult
  func publish(_ message: Message, qos: Int32 = 1) throws(BrokerFailure) -> Int32 {
    var id: Int32 = 0
    var properties: OpaquePointer?
    defer { mosquitto_property_free_all(&properties) }
    if !message.contentType.isEmpty {
      mosquitto_property_add_string(
        &properties, Int32(MQTT_PROP_CONTENT_TYPE.rawValue), message.contentType)
    }
    if let seconds = message.expirySeconds {
      mosquitto_property_add_int32(
        &properties, Int32(MQTT_PROP_MESSAGE_EXPIRY_INTERVAL.rawValue), seconds)
    }
    try check(
      mosquitto_publish_v5(
        client, &id, message.topic, Int32(message.payload.count), message.payload, qos,
        message.isRetained, properties), "publish to \(message.topic)")
    return id
  }

  func disconnect() { mosquitto_disconnect_v5(client, 0, nil) }

  func check(_ result: Int32, _ what: String) throws(BrokerFailure) {
    guard result != 0 else { return }
    let reason =
      result == MOSQ_ERR_ERRNO.rawValue
      ? String(cString: strerror(errno)) : String(cString: mosquitto_strerror(result))
    throw BrokerFailure(description: "\(what): \(reason)")
  }

  /// What a reason code of MQTT 5 says.
  static func words(of reason: Int32) -> String {
    "\(String(cString: mosquitto_reason_string(reason))) (\(reason))"
  }

  private func setCallbacks() {
    mosquitto_connect_v5_callback_set(client) { _, object, reason, flags, _ in
      let client = BrokerClient.from(object)
      // MQTT 5, 3.2.2.1: the lowest bit says that a session is present.
      client.hadSession = flags & 1 != 0
      client.onConnect(reason)
    }
    mosquitto_disconnect_v5_callback_set(client) { _, object, reason, _ in
      BrokerClient.from(object).onDisconnect(reason)
    }
    mosquitto_subscribe_v5_callback_set(client) { _, object, _, count, granted, _ in
      BrokerClient.from(object).onSubscribe((0..<Int(count)).map { granted?[$0] ?? 0x80 })
    }
    mosquitto_publish_v5_callback_set(client) { _, object, message, reason, _ in
      BrokerClient.from(object).onPublish(message, reason)
    }
    mosquitto_log_callback_set(client) { _, object, level, text in
      guard level == MOSQ_LOG_ERR, let text else { return }
      BrokerClient.from(object).onError(String(cString: text))
    }
    mosquitto_message_v5_callback_set(client) { _, object, message, properties in
      guard let message = message?.pointee, let topic = message.topic else { return }
      let payload = UnsafeRawBufferPointer(start: message.payload, count: Int(message.payloadlen))
      BrokerClient.from(object).onMessage(
        Message(
          topic: String(cString: topic), payload: Array(payload), isRetained: message.retain,
          contentType: BrokerClient.contentType(properties),
          userProperties: BrokerClient.userProperties(properties)))
    }
  }

  private static func contentType(_ properties: OpaquePointer?) -> String {
    var value: UnsafeMutablePointer<CChar>?
    mosquitto_property_read_string(
      properties, Int32(MQTT_PROP_CONTENT_TYPE.rawValue), &value, false)
    defer { free(value) }
    return value.map { String(cString: $0) } ?? ""
  }

  private static func userProperties(_ properties: OpaquePointer?) -> [String: String] {
    var found: [String: String] = [:]
    var (place, isNext) = (properties, false)
    while true {
      var (name, value): (UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<CChar>?) = (nil, nil)
      place = mosquitto_property_read_string_pair(
        place, Int32(MQTT_PROP_USER_PROPERTY.rawValue), &name, &value, isNext)
      guard place != nil, let name, let value else { return found }
      found[String(cString: name)] = String(cString: value)
      free(name)
      free(value)
      isNext = true
    }
  }

  private static func from(_ object: UnsafeMutableRawPointer?) -> BrokerClient {
    Unmanaged.fromOpaque(object!).takeUnretainedValue()
  }
}
