import CLinux
import Foundation
import Testing

/// A control packet of MQTT 5, as far as a ``Tap`` looks into it.
enum Packet {
  enum Content {
    case record(Arrivals.Identity)
    case status(String)
  }

  case publish(message: Int, Content)
  case acknowledgement(message: Int, reason: Int)
  case other
}

/// A connection of the bridge, and the one to the broker that stands for it.
final class TapConnection {
  let client: Int32
  let broker: Int32
  /// What was published and not acknowledged, by message id; nil is the status.
  var inFlight: [Int: Arrivals.Identity?] = [:]
  private var fromClient: [UInt8] = []
  private var fromBroker: [UInt8] = []

  init(client: Int32, broker: Int32) {
    self.client = client
    self.broker = broker
    for descriptor in [client, broker] {
      var yes: Int32 = 1
      setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, 4)
      var limit = timeval(tv_sec: 5, tv_usec: 0)
      setsockopt(
        descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }
  }

  deinit {
    close(client)
    close(broker)
  }

  typealias See = (Packet, TapConnection) -> Bool?

  /// Passes on what has come; false: one of both has gone.
  func pass(_ client: Bool, _ broker: Bool, _ see: See) -> Bool {
    (!client || pass(self.client, self.broker, &fromClient, see))
      && (!broker || pass(self.broker, self.client, &fromBroker, see))
  }

  private func pass(_ source: Int32, _ target: Int32, _ bytes: inout [UInt8], _ see: See) -> Bool {
    var chunk = [UInt8](repeating: 0, count: 65536)
    let count = recv(source, &chunk, chunk.count, Int32(MSG_DONTWAIT))
    if count < 0 && errno == EAGAIN { return true }
    guard count > 0 else { return false }
    bytes += chunk[..<count]
    var start = 0
    var passing: [UInt8] = []
    defer { bytes.removeFirst(start) }
    while let end = Self.end(bytes, start) {
      guard let mayPass = see(Self.parse(bytes, start, end), self) else {
        _ = Self.send(target, passing)
        return false
      }
      if mayPass { passing += bytes[start..<end] }
      start = end
    }
    return Self.send(target, passing)
  }

  private static func send(_ target: Int32, _ bytes: [UInt8]) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        Foundation.send(target, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }

  // MARK: MQTT 5, 2.1 and 3.3

  /// Where the packet that begins at `start` ends; nil if it is not all there.
  private static func end(_ bytes: [UInt8], _ start: Int) -> Int? {
    guard let (length, body) = number(bytes, start + 1), body + length <= bytes.count else {
      return nil
    }
    return body + length
  }

  /// A variable byte integer, and what stands behind it.
  private static func number(_ bytes: [UInt8], _ start: Int) -> (Int, Int)? {
    var (value, index) = (0, start)
    while index < bytes.count && index < start + 4 {
      value |= Int(bytes[index] & 0x7F) << (7 * (index - start))
      index += 1
      if bytes[index - 1] < 0x80 { return (value, index) }
    }
    return nil
  }

  private static func parse(_ bytes: [UInt8], _ start: Int, _ end: Int) -> Packet {
    guard let (_, body) = number(bytes, start + 1) else { return .other }
    switch bytes[start] >> 4 {
    case 3:
      let topicEnd = body + 2 + Int(bytes[body]) << 8 + Int(bytes[body + 1])
      let message = Int(bytes[topicEnd]) << 8 + Int(bytes[topicEnd + 1])
      guard let (length, properties) = number(bytes, topicEnd + 2) else { return .other }
      let payload = bytes[(properties + length)..<end].map { CChar(bitPattern: $0) } + [0]
      if let identity = Arrivals.Identity(payload) {
        return .publish(message: message, .record(identity))
      }
      return .publish(
        message: message,
        .status(String(decoding: bytes[(properties + length)..<end], as: UTF8.self)))
    case 4:
      return .acknowledgement(
        message: Int(bytes[body]) << 8 + Int(bytes[body + 1]),
        reason: end - body > 2 ? Int(bytes[body + 2]) : 0)
    default: return .other
    }
  }

  // MARK: Sockets

  /// A listening socket on a free port.
  static func listen(isOnLoopback: Bool = true) throws -> (Int32, Int) {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var (address, length) = (loopback(0), socklen_t(MemoryLayout<sockaddr_in>.size))
    address.sin_addr.s_addr = isOnLoopback ? address.sin_addr.s_addr : 0
    let result = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) + Foundation.listen(listener, 8)
          + getsockname(listener, $0, &length)
      }
    }
    try #require(result == 0, "bind: \(String(cString: strerror(errno)))")
    return (listener, Int(in_port_t(bigEndian: address.sin_port)))
  }

  static func connect(_ port: Int) -> Int32? {
    let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = loopback(port)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Foundation.connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    if result == 0 { return client }
    close(client)
    return nil
  }

  private static func loopback(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return address
  }
}
