import CLinux
import CMosquitto
import Daemon
import Linux
import Records

/// Why there is no connection, in words that say what to do.
struct BrokerError: Error {
  let description: Text

  init(_ description: Text) {
    self.description = description
  }
}

/// One attempt to connect, and the connection if it succeeds.
///
/// Made anew for each attempt: nothing of a broken session is left, and certificates that were
/// renewed meanwhile are read again. libmosquitto is driven from our own loop: it neither blocks
/// nor has a thread, but for the look-up of a host name, which is getaddrinfo(3).
///
/// A class because libmosquitto's callbacks are given its address.
final class BrokerConnection {
  struct Acknowledgement {
    let message: Int32
    /// MQTT 5, 2.4: 0x80 and above is a refusal.
    let reason: Int32
  }

  /// What the broker has answered to CONNECT; nil as long as it has not.
  private(set) var isConnected = false
  /// Messages that the broker takes before it has acknowledged one: MQTT 5, 3.2.2.3.3.
  private(set) var receiveMaximum = 65535
  /// PUBACKs that have come and were not taken yet.
  private(set) var acknowledgements: [Acknowledgement] = []

  /// How many bytes of payload fit into what the broker takes: MQTT 5, 3.2.2.3.6.
  var largestPayload = Int.max
  /// What the messages are sent with; the first are those of records.
  private(set) var recordProperties: OpaquePointer?
  let statusProperties: OpaquePointer?

  private let client: OpaquePointer
  private let options: BrokerOptions
  private let contentType: StaticString
  private let messageExpirySeconds: UInt32
  /// What ``recordProperties`` say of boot and clock.
  private var described: (boot: [UInt8], offset: Int64, synchronized: Bool)?
  /// The last reason that libmosquitto or the broker gave for what went wrong.
  private var reason = Text()
  private var failed = false
  /// Of the X509_V_ERR_ numbers: why the broker's certificate was not accepted.
  private var certificateError = X509_V_OK

  /// Begins to connect; ``process(_:)`` goes on whenever the socket is ready.
  ///
  /// `attempt` counts from 0: a name may have addresses of which the first does not answer, so every
  /// other attempt keeps to IPv4.
  init(
    _ options: BrokerOptions, clientID: Text, will: (topic: [UInt8], payload: [UInt8]),
    contentType: StaticString, messageExpirySeconds: UInt32, attempt: Int
  ) throws(BrokerError) {
    guard let client = mosquitto_new(clientID.c, true, nil) else {
      throw BrokerError("mosquitto_new: \(Text(cString: strerror(clinux_errno())))")
    }
    self.client = client
    self.options = options
    self.contentType = contentType
    self.messageExpirySeconds = messageExpirySeconds
    recordProperties = Self.properties(contentType, messageExpirySeconds)
    statusProperties = Self.properties(PayloadFormat.json.contentType, messageExpirySeconds)
    acknowledgements.reserveCapacity(256)

    mosquitto_user_data_set(client, Unmanaged.passUnretained(self).toOpaque())
    setCallbacks()
    mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5)
    mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1)
    // The window is ours to keep: libmosquitto would hold back what goes beyond its own.
    mosquitto_int_option(client, MOSQ_OPT_SEND_MAXIMUM, 65535)
    try check(
      will.topic.asCharacters {
        mosquitto_will_set(client, $0, Int32(will.payload.count), will.payload, 1, true)
      }, "last will")
    if let username = options.username {
      try check(mosquitto_username_pw_set(client, username.c, options.password?.c), "--username")
    }
    try secure()
    let result = mosquitto_connect_bind_async(
      client, options.host.c, Int32(options.port),
      Int32(options.keepAlive.nanoseconds / 1_000_000_000),
      attempt % 2 == 0 ? nil : Text("0.0.0.0").c)
    if result != 0 { throw BrokerError(explanation(result)) }
  }

  deinit {
    mosquitto_destroy(client)
    for var list in [recordProperties, statusProperties] { mosquitto_property_free_all(&list) }
  }

  private static func properties(
    _ contentType: StaticString, _ messageExpirySeconds: UInt32
  ) -> OpaquePointer? {
    var list: OpaquePointer?
    mosquitto_property_add_string(
      &list, Int32(MQTT_PROP_CONTENT_TYPE.rawValue), Text(contentType).c)
    mosquitto_property_add_int32(
      &list, Int32(MQTT_PROP_MESSAGE_EXPIRY_INTERVAL.rawValue), messageExpirySeconds)
    return list
  }

  /// Whether ``recordProperties`` say this of boot and clock.
  func describes(_ envelope: Envelope) -> Bool {
    guard let described else { return false }
    let clock = envelope.clock
    // Two clocks are not read at once: what differs by less is the same.
    return described.synchronized == clock.synchronized
      && (clock.offsetNanoseconds &- described.offset).magnitude < 1_000_000
      && described.boot == envelope.bootID
  }

  /// From now on records are published with what their bytes do not tell, as user properties: `boot_id`;
  /// `time_offset_ns`, what the wall clock is ahead of the time since boot; `clock_synced`.
  func describe(_ envelope: Envelope) {
    if describes(envelope) { return }
    let (offset, isSynchronized) = (envelope.clock.offsetNanoseconds, envelope.clock.synchronized)
    described = (boot: envelope.bootID, offset: offset, synchronized: isSynchronized)
    var list = Self.properties(contentType, messageExpirySeconds)
    let pairs: [(name: Text, value: Text)] = [
      (name: "boot_id", value: Text(envelope.bootID)),
      (name: "time_offset_ns", value: Text("\(offset)")),
      (name: "clock_synced", value: isSynchronized ? "true" : "false"),
    ]
    for pair in pairs {
      mosquitto_property_add_string_pair(
        &list, Int32(MQTT_PROP_USER_PROPERTY.rawValue), pair.name.c, pair.value.c)
    }
    mosquitto_property_free_all(&recordProperties)
    recordProperties = list
  }

  /// The socket to wait on; nil once the connection is gone.
  var socket: Int32? {
    let socket = mosquitto_socket(client)
    return socket >= 0 ? socket : nil
  }

  /// What the socket is to be waited for now.
  var interest: Readiness {
    // Before CONNACK, TLS asks for either direction in turn.
    mosquitto_want_write(client) ? [.reading, .writing] : .reading
  }

  /// Reads and writes what the socket is ready for. Errors: why the connection is gone.
  func process(_ readiness: Readiness) throws(BrokerError) {
    guard isConnected else { return try shakeHands() }
    if readiness != .writing { try proceed(mosquitto_loop_read(client, 1)) }
    if readiness.contains(.writing) { try proceed(mosquitto_loop_write(client, 1)) }
  }

  /// Sends a PINGREQ when it is due, and notices that the last one was not answered.
  func keepAlive() throws(BrokerError) {
    try proceed(mosquitto_loop_misc(client))
  }

  enum PublishError: Error {
    /// This message will never be taken: it is too large for the broker.
    case notTaken(Text)
    case connectionLost(BrokerError)
  }

  /// Publishes at QoS 1 and returns the message's id; the topic ends with a NUL.
  func publish(
    _ topic: [UInt8], _ payload: [UInt8], _ properties: OpaquePointer?, retain: Bool
  ) throws(PublishError) -> Int32 {
    var message: Int32 = 0
    let result = topic.asCharacters {
      mosquitto_publish_v5(
        client, &message, $0, Int32(payload.count), payload, 1, retain, properties)
    }
    switch mosq_err_t(rawValue: result) {
    case MOSQ_ERR_SUCCESS: return message
    case MOSQ_ERR_OVERSIZE_PACKET, MOSQ_ERR_PAYLOAD_SIZE, MOSQ_ERR_INVAL, MOSQ_ERR_MALFORMED_UTF8:
      throw .notTaken(Text(cString: mosquitto_strerror(result)))
    default: throw .connectionLost(BrokerError(explanation(result)))
    }
  }

  func forgetAcknowledgements() {
    acknowledgements.removeAll(keepingCapacity: true)
  }

  /// A reason code of MQTT 5 in words.
  static func words(of reason: Int32) -> Text {
    Text(cString: mosquitto_reason_string(reason))
  }

  /// Says goodbye: the broker does not publish the last will.
  func disconnect() {
    mosquitto_disconnect_v5(client, 0, nil)
  }

  // MARK: What libmosquitto says

  private func setCallbacks() {
    mosquitto_connect_v5_callback_set(client) { _, object, reason, _, properties in
      BrokerConnection.from(object).connected(reason, properties)
    }
    mosquitto_publish_v5_callback_set(client) { _, object, message, reason, _ in
      BrokerConnection.from(object).acknowledgements.append(
        Acknowledgement(message: message, reason: reason))
    }
    mosquitto_disconnect_v5_callback_set(client) { _, object, reason, _ in
      BrokerConnection.from(object).disconnected(reason)
    }
    mosquitto_log_callback_set(client) { _, object, level, text in
      guard level & MOSQ_LOG_ERR != 0, let text else { return }
      BrokerConnection.from(object).note(Text(cString: text))
    }
  }

  private static func from(_ object: UnsafeMutableRawPointer?) -> BrokerConnection {
    Unmanaged.fromOpaque(object!).takeUnretainedValue()
  }

  private func connected(_ reason: Int32, _ properties: OpaquePointer?) {
    guard reason == 0 else {
      failed = true
      self.reason = Text("refused: \(Self.words(of: reason)) (\(reason))")
      if reason == 0x86 || reason == 0x87 { self.reason += Self.loginHint }
      return
    }
    isConnected = true
    // libmosquitto formats every line that it could log, if anybody listens: 5 % of its work.
    mosquitto_log_callback_set(client, nil)
    var maximum: UInt16 = 0
    if mosquitto_property_read_int16(
      properties, Int32(MQTT_PROP_RECEIVE_MAXIMUM.rawValue), &maximum, false) != nil, maximum > 0
    {
      receiveMaximum = Int(maximum)
    }
    var size: UInt32 = 0
    if mosquitto_property_read_int32(
      properties, Int32(MQTT_PROP_MAXIMUM_PACKET_SIZE.rawValue), &size, false) != nil
    {
      largestPayload = max(0, Int(size) - Self.roomBesidePayload)
    }
  }

  /// What a packet has beside its payload, at most: the topic of a batch and the properties.
  private static let roomBesidePayload = 768

  private static let loginHint: Text =
    ": see --username, --password-file and the broker's access list"

  private func disconnected(_ reason: Int32) {
    failed = true
    // Below 128 it is libmosquitto's own number, which `proceed` knows better.
    guard reason >= 0x80 else { return }
    self.reason = Text("broker says: \(Self.words(of: reason)) (\(reason))")
    if reason == 0x8E { self.reason += ": another client has this device's id, see --device-id" }
  }

  /// `OpenSSL Error[0]: error:0A00045C:SSL routines::tlsv13 alert certificate required` and the like:
  /// what stands behind the last colon, and who says so.
  private func note(_ line: Text) {
    // The handshake's own error is "certificate verify failed" whatever was wrong with it.
    if let ssl = mosquitto_ssl_get(client) {
      certificateError = Int32(SSL_get_verify_result(OpaquePointer(ssl)))
    }
    // The first error is the cause; what follows it are consequences.
    guard reason.isEmpty else { return }
    let text = line.bytes
    guard line.starts(with: "OpenSSL"), let colon = text.lastIndex(of: UInt8(ascii: ":"))
    else {
      reason = line
      return
    }
    let words = text[(colon + 1)...]
    // "tlsv13 alert certificate required": what stands behind "alert" was said by the broker.
    let alert = Text(" alert ").bytes
    for index in words.indices where words[index...].starts(with: alert) {
      let said = Text(words[(index + alert.count)...])
      reason = Text("TLS: the broker says: \(said)")
      return
    }
    reason = Text("TLS: \(Text(words))")
  }

  private func proceed(_ result: Int32) throws(BrokerError) {
    if result != 0 { throw BrokerError(explanation(result)) }
    if failed || socket == nil {
      throw BrokerError(reason.isEmpty ? "the broker closed the connection" : reason)
    }
  }

  private func explanation(_ result: Int32) -> Text {
    let errno = clinux_errno()
    if let certificateRefusal { return certificateRefusal }
    if !reason.isEmpty { return reason }
    if !isConnected, isSecured, result != Int32(MOSQ_ERR_EAI.rawValue), errno == EPROTO {
      return "TLS: the broker broke off the handshake; does it know this client's certificate?"
    }
    switch mosq_err_t(rawValue: result) {
    case MOSQ_ERR_ERRNO: return Text(cString: strerror(errno))
    case MOSQ_ERR_EAI: return "the name \(options.host) cannot be resolved"
    case MOSQ_ERR_CONN_LOST: return "the broker closed the connection"
    case MOSQ_ERR_KEEPALIVE: return "no answer for \(options.keepAlive.description)"
    default: return Text(cString: mosquitto_strerror(result))
    }
  }

  // MARK: TLS

  private func secure() throws(BrokerError) {
    switch options.security {
    case .none: return
    case .preSharedKey(let identity, let key):
      try check(
        mosquitto_tls_psk_set(client, key.c, identity.c, nil), "--psk-file: hexadecimal digits")
    case .certificates(let authorities, let certificate, let key):
      if authorities == nil {
        mosquitto_int_option(client, MOSQ_OPT_TLS_USE_OS_CERTS, 1)
      }
      // Nobody is there to type the password of an encrypted key: the answer is none.
      try check(
        mosquitto_tls_set(
          client, authorities?.c, authorities == nil ? Text("/etc/ssl/certs").c : nil,
          certificate?.c, key?.c,
          { _, _, _, _ in 0 }), "TLS files")
    }
  }

  private var isSecured: Bool {
    if case .none = options.security { false } else { true }
  }

  private var certificateRefusal: Text? {
    switch certificateError {
    case X509_V_OK: return nil
    // What libmosquitto's own check of the name leaves behind.
    case X509_V_ERR_UNSPECIFIED:
      return "TLS: the broker's certificate is not for the host \(options.host)"
    default:
      let words = Text(cString: X509_verify_cert_error_string(Int(certificateError)))
      return "TLS: the broker's certificate: \(words)"
    }
  }

  /// Goes on with TLS and CONNECT until the broker has answered.
  ///
  /// Reads as long as there is something: what a broker says before it hangs up is the reason, and
  /// it would be lost if writing failed first. In the TLS handshake libmosquitto only reads, and
  /// takes an error of the socket for "not yet": it would be called again at once without end.
  private func shakeHands() throws(BrokerError) {
    var waiting = bytesToRead
    repeat {
      try proceed(mosquitto_loop_read(client, 1))
      waiting = bytesToRead
    } while waiting > 0 && !isConnected
    if isConnected { return }
    if waiting < 0 { try proceed(mosquitto_loop_write(client, 1)) }
    var error: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    if let socket, getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0, error != 0 {
      throw BrokerError(Text(cString: strerror(error)))
    }
    if waiting == 0 { throw BrokerError("the broker closed the connection before it answered") }
  }

  /// More than 0 if there is something, 0 if the broker has closed, -1 if nothing has come.
  private var bytesToRead: Int {
    guard let socket else { return -1 }
    var byte: UInt8 = 0
    return recv(socket, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
  }

  private func check(_ result: Int32, _ what: StaticString) throws(BrokerError) {
    if result != 0 {
      throw BrokerError("\(what): \(Text(cString: mosquitto_strerror(result)))")
    }
  }
}

extension [UInt8] {
  /// As C has texts.
  @inline(__always)
  fileprivate func asCharacters<Result>(_ body: (UnsafePointer<CChar>?) -> Result) -> Result {
    withUnsafeBytes { body($0.baseAddress?.assumingMemoryBound(to: CChar.self)) }
  }
}
