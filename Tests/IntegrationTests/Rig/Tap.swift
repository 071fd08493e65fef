import CLinux
import Foundation
import Testing

/// Stands between the bridge and its broker: sees each PUBLISH and PUBACK pass, and makes trouble.
///
/// A record has arrived when the broker has acknowledged it: so a broker may be killed without its
/// subscribers being part of the question.
final class Tap: @unchecked Sendable {
  let port: Int
  /// What was acknowledged.
  let arrivals = Arrivals()
  /// What was sent to the broker, acknowledged or not.
  let sent = Arrivals()
  private let listener: Int32
  private let brokerPort: Int
  private let lock = NSLock()
  private let ended = DispatchSemaphore(value: 0)
  private var mode = Mode.open
  private var isEnding = false
  private var connections: [TapConnection] = []
  private var seen = Seen()

  enum Mode: Equatable {
    case open
    /// Connections are cut, and whoever comes is turned away.
    case closed
    /// Nothing passes any more, and nobody is told: a black hole behind TCP.
    case silent
    /// Cut at each such PUBLISH, before the broker sees it.
    case cutsEvery(Int)
    /// PUBACKs do not pass.
    case withoutAcknowledgements
  }

  /// What has passed.
  struct Seen {
    var connections = 0
    var publishes = 0
    var acknowledgements = 0
    /// The most PUBLISHes that were not acknowledged at one time.
    var window = 0
    /// The last status that was published.
    var status = ""
  }

  /// On loopback, or at the server's end of a link.
  init(to broker: Broker, over link: NetworkLink? = nil) throws {
    brokerPort = broker.port
    let (listener, port) =
      try link?.onServer { try TapConnection.listen(isOnLoopback: false) } ?? TapConnection.listen()
    self.listener = listener
    self.port = port
    Thread.detachNewThread { [self] in
      run()
      ended.signal()
    }
  }

  func set(_ mode: Mode) { lock.withLock { self.mode = mode } }
  var passed: Seen { lock.withLock { seen } }

  /// A number and a text of the last status.
  func status(_ name: String) -> Int? { (statusMember(name) as? NSNumber)?.intValue }
  func statusText(_ name: String) -> String? { statusMember(name) as? String }

  private func statusMember(_ name: String) -> Any? {
    let text = lock.withLock { seen.status }
    return try? (JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])?[name]
  }

  func end() {
    let isFirst = lock.withLock {
      defer { isEnding = true }
      return !isEnding
    }
    if isFirst { ended.wait() }
  }

  private func run() {
    while !lock.withLock({ isEnding }) {
      let mode = lock.withLock { self.mode }
      if mode == .closed { connections.removeAll() }
      var waiting = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
      for connection in connections {
        for descriptor in [connection.client, connection.broker] {
          waiting.append(
            pollfd(fd: descriptor, events: mode == .silent ? 0 : Int16(POLLIN), revents: 0))
        }
      }
      _ = poll(&waiting, nfds_t(waiting.count), 20)
      if waiting[0].revents != 0 { take(mode) }
      if mode == .silent { continue }
      connections.removeAll { connection in
        guard
          let index = waiting.firstIndex(where: { $0.fd == connection.client })
        else { return false }
        return !connection.pass(
          waiting[index].revents != 0, waiting[index + 1].revents != 0, { see($0, $1) })
      }
    }
    connections.removeAll()
    close(listener)
  }

  private func take(_ mode: Mode) {
    let client = accept(listener, nil, nil)
    // Nobody else shall hold it open.
    if client >= 0 { clinux_close_on_exec(client) }
    guard client >= 0, mode != .closed, let broker = TapConnection.connect(brokerPort) else {
      close(client)
      return
    }
    connections.append(TapConnection(client: client, broker: broker))
    lock.withLock { seen.connections += 1 }
  }

  /// Whether the packet may pass; nil: the connection is to be cut.
  private func see(_ packet: Packet, _ connection: TapConnection) -> Bool? {
    lock.withLock {
      switch packet {
      case .publish(let message, let content):
        seen.publishes += 1
        if case .cutsEvery(let number) = mode, seen.publishes % number == 0 { return nil }
        switch content {
        case .record(let identity):
          connection.inFlight[message] = .some(identity)
          sent.count(identity)
        case .status(let text):
          connection.inFlight[message] = .some(nil)
          seen.status = text
        }
        seen.window = max(seen.window, connection.inFlight.count)
      case .acknowledgement(let message, let reason):
        if mode == .withoutAcknowledgements { return false }
        if let entry = connection.inFlight.removeValue(forKey: message), let record = entry,
          reason < 0x80
        {
          seen.acknowledgements += 1
          arrivals.count(record)
        }
      case .other: break
      }
      return true
    }
  }
}
