import Foundation

/// The way to the broker, step by step: name, TCP, TLS, login, and the right to publish.
struct BrokerCheck {
  let options: BrokerOptions
  let deviceID: String?

  static let timeoutSeconds = 5.0

  func findings() -> [Finding] {
    do throws(ConnectFailure) {
      try TCPConnection.attempt(options.host, options.portNumber, within: Self.timeoutSeconds)
    } catch {
      return [Finding("broker", .problem, error.words, mend: error.remedy)]
    }
    let reached = Finding("broker", .ok, "\(options.address) takes connections")
    return [reached] + session()
  }

  // MARK: MQTT

  private func session() -> [Finding] {
    var errors: [String] = []
    do {
      let client = try BrokerClient(options)
      client.onError = { errors.append($0) }
      var answer: Int32?
      client.onConnect = { answer = $0 }
      try client.connect()
      do {
        try drive(client, until: { answer != nil })
      } catch {
        // A refusal ends the loop with an error too.
        if answer == nil { throw error }
      }
      guard let answer else {
        return [
          Finding(
            "login", .problem,
            "\(options.address) does not answer within \(Int(Self.timeoutSeconds)) s: no broker of MQTT, or TLS is missing",
            mend: options.usesTLS
              ? "port = in \(Self.file)" : "tls = yes, or port =, in \(Self.file)")
        ]
      }
      guard answer == 0 else { return [refusedLogin(answer)] }
      var findings = options.usesTLS ? [Finding("TLS", .ok, "its certificate is good")] : []
      let who = options.username ?? "nobody in particular"
      findings.append(Finding("login", .ok, "as \(who), with MQTT 5"))
      findings.append(try publish(client))
      client.disconnect()
      // What says goodbye has to leave the machine.
      try? client.loop(timeoutMilliseconds: 100)
      return findings
    } catch {
      return [failedSession("\(error)", errors)]
    }
  }

  private func drive(_ client: BrokerClient, until isDone: () -> Bool) throws(BrokerFailure) {
    let end = Date(timeIntervalSinceNow: Self.timeoutSeconds)
    while !isDone() && Date() < end { try client.loop(timeoutMilliseconds: 50) }
  }

  private static let file = "/etc/stats-recording/posix-mq-to-mqtt-bridge.conf"

  private func failedSession(_ words: String, _ errors: [String]) -> Finding {
    // OpenSSL's words, `error:0A000086:SSL routines::certificate verify failed`.
    let reason = errors.last { $0.contains("SSL") }
      .flatMap { $0.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } }
    guard options.usesTLS, let reason else {
      return Finding(
        "login", .problem, words,
        mend: options.usesTLS
          ? "look into the broker's log" : "tls = yes, or port =, in \(Self.file)")
    }
    let isUnknown = reason.contains("certificate verify failed")
    return Finding(
      "TLS", .problem, "\(options.address): \(reason)",
      mend: isUnknown
        ? "ca-file = the authority that signed the broker's certificate for \(options.host), in \(Self.file)"
        : "look into the broker's log; certificate-file and key-file in \(Self.file)")
  }

  private func refusedLogin(_ reason: Int32) -> Finding {
    let who = options.username.map { "as \($0)" } ?? "without a username"
    // 132: not MQTT 5.
    let remedy =
      switch reason {
      case 1, 132: "a broker of MQTT 5, such as Mosquitto 2"
      default:
        "username = in \(Self.file), the password in /etc/credstore/stats-recording.mqtt-password"
      }
    return Finding(
      "login", .problem,
      "\(options.address) refuses it \(who): \(BrokerClient.words(of: reason))", mend: remedy)
  }

  /// PUBACK of MQTT 5 says whether the broker's access list allows the topic.
  private func publish(_ client: BrokerClient) throws(BrokerFailure) -> Finding {
    guard let deviceID else {
      return Finding(
        "access", .warning, "the device's id is not known, so publishing was not tried",
        mend: "stats-recording doctor --device-id ID")
    }
    let topic = "\(options.topicPrefix)/\(deviceID)/doctor"
    var answer: Int32?
    client.onPublish = { answer = $1 }
    try client.publish(Message(topic: topic, payload: Array(#"{"v":1,"doctor":true}"#.utf8)))
    try drive(client, until: { answer != nil })
    guard let answer else {
      return Finding(
        "access", .problem, "\(topic) is not acknowledged", mend: "look into the broker's log")
    }
    if answer < 0x80 { return Finding("access", .ok, "may publish on \(topic)") }
    let user = options.username ?? "user"
    return Finding(
      "access", .problem, "may not publish on \(topic): \(BrokerClient.words(of: answer))",
      mend:
        "in the broker's access list: user \(user), topic write \(options.topicPrefix)/\(deviceID)/#"
    )
  }
}
