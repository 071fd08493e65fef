import CLinux
import Linux

/// Why there is no connection, in words for the log and the state.
struct ConnectionError: Error {
  let reason: Text
}

/// An address of the dlt-daemon, IPv4 or IPv6.
struct DaemonAddress {
  private var address: sockaddr_storage
  private let length: socklen_t

  /// The addresses of a host, getaddrinfo(3). Waits for the name server, so only while there is no
  /// connection; a numeric address waits for nothing.
  static func resolve(_ host: Text, _ port: Int) throws(ConnectionError) -> [DaemonAddress] {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let result = getaddrinfo(host.c, Text("\(port)").c, &hints, &list)
    guard result == 0 else {
      throw ConnectionError(
        reason: "cannot resolve \(host): \(Text(cString: gai_strerror(result)))")
    }
    defer { freeaddrinfo(list) }
    var addresses: [DaemonAddress] = []
    var next = list
    while let entry = next {
      var storage = sockaddr_storage()
      let size = min(Int(entry.pointee.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
      memcpy(&storage, entry.pointee.ai_addr, size)
      addresses.append(DaemonAddress(address: storage, length: socklen_t(size)))
      next = entry.pointee.ai_next
    }
    return addresses
  }

  /// Begins to connect, without waiting: the socket is ready for writing when it is decided.
  ///
  /// Errors: those of socket(2) and connect(2).
  func connect() throws(SystemError) -> FileDescriptor {
    let flags = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
    let raw = CLinux.socket(Int32(address.ss_family), Int32(flags), 0)
    guard raw >= 0 else { throw SystemError("socket") }
    let socket = FileDescriptor(owning: raw)
    // A daemon that is gone without a word would otherwise be waited for without end.
    for (level, option, value) in [
      (SOL_SOCKET, SO_KEEPALIVE, 1), (Int32(IPPROTO_TCP), TCP_KEEPIDLE, 10),
      (Int32(IPPROTO_TCP), TCP_KEEPINTVL, 10), (Int32(IPPROTO_TCP), TCP_KEEPCNT, 3),
    ] as [(Int32, Int32, Int32)] {
      var value = value
      _ = setsockopt(raw, level, option, &value, 4)
    }
    var address = address
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { CLinux.connect(raw, $0, length) }
    }
    if result < 0 {
      let errno = clinux_errno()
      if errno != EINPROGRESS && errno != EINTR { throw SystemError("connect", errno: errno) }
    }
    return socket
  }

  /// How connecting ended: 0 or an errno, SO_ERROR of socket(7).
  static func outcome(_ socket: borrowing FileDescriptor) -> Int32 {
    var error: Int32 = 0
    var size = socklen_t(4)
    return getsockopt(socket.raw, SOL_SOCKET, SO_ERROR, &error, &size) == 0
      ? error : clinux_errno()
  }
}
