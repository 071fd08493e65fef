import Foundation

/// Why no connection came to be, and what to look at.
struct ConnectFailure: Error, Equatable {
  let words: String
  let remedy: String
}

/// A connection that is made to see whether it can be, and closed again.
enum TCPConnection {
  /// Tries all addresses of the host. Errors: none of them answers; the reason of the last.
  static func attempt(_ host: String, _ port: Int, within seconds: Double) throws(ConnectFailure) {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let result = getaddrinfo(host, "\(port)", &hints, &list)
    guard result == 0 else {
      throw ConnectFailure(
        words: "\(host): \(String(cString: gai_strerror(result)))",
        remedy: "host = in /etc/stats-recording/posix-mq-to-mqtt-bridge.conf, or the name server")
    }
    defer { freeaddrinfo(list) }
    var reason: Int32 = 0
    var next = list
    while let address = next?.pointee {
      reason = connect(address, within: seconds)
      if reason == 0 { return }
      next = address.ai_next
    }
    throw ConnectFailure(
      words: "\(host):\(port): \(String(cString: strerror(reason)))",
      remedy: reason == ECONNREFUSED
        ? "systemctl status mosquitto, there; port = in the bridge's configuration"
        : "the network, and firewalls on the way; ping \(host)")
  }

  /// Returns 0, or errno.
  private static func connect(_ address: addrinfo, within seconds: Double) -> Int32 {
    let descriptor = socket(
      address.ai_family, address.ai_socktype | Int32(SOCK_NONBLOCK.rawValue), address.ai_protocol)
    guard descriptor >= 0 else { return errno }
    defer { close(descriptor) }
    if Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return 0 }
    guard errno == EINPROGRESS else { return errno }
    var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    guard poll(&entry, 1, Int32(seconds * 1000)) == 1 else { return ETIMEDOUT }
    var reason: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &reason, &length)
    return reason
  }
}
