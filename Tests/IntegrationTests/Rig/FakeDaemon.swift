import CLinux
import Foundation
import Testing

/// A TCP server that says to its client what a test wants, as a dlt-daemon might.
final class FakeDaemon {
  let port: Int
  private let listener: Int32

  /// A client that is never taken, so that there is no room for another.
  private var stopper: Int32 = -1

  /// Listens on a loopback address, at a free port or at one that was free before; `isFull` is one
  /// that answers to nobody.
  init(isIPv6: Bool = false, port wanted: Int = 0, isFull: Bool = false) throws {
    let listener = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var yes: Int32 = 1
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
    var storage = sockaddr_storage()
    let size = isIPv6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
    // sin_port and sin6_port stand at the same place.
    let found = withUnsafeMutablePointer(to: &storage) { pointer in
      if isIPv6 {
        pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
          $0.pointee.sin6_family = sa_family_t(AF_INET6)
          $0.pointee.sin6_port = in_port_t(wanted).bigEndian
          $0.pointee.sin6_addr = in6addr_loopback
        }
      } else {
        pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
          $0.pointee.sin_family = sa_family_t(AF_INET)
          $0.pointee.sin_port = in_port_t(wanted).bigEndian
          $0.pointee.sin_addr.s_addr = inet_addr("127.0.0.1")
        }
      }
      return pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Int in
        var length = socklen_t(size)
        guard bind(listener, address, length) == 0, listen(listener, isFull ? 0 : 8) == 0,
          getsockname(listener, address, &length) == 0
        else { return 0 }
        return pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
          Int(in_port_t(bigEndian: $0.pointee.sin_port))
        }
      }
    }
    self.listener = listener
    port = found
    try #require(found > 0, "bind: \(String(cString: strerror(errno)))")
    guard isFull else { return }
    stopper = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(found).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(stopper, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(result == 0, "connect: \(String(cString: strerror(errno)))")
  }

  deinit {
    close(listener)
    if stopper >= 0 { close(stopper) }
  }

  /// The next client, that connects within 15 s.
  func client() throws -> Client {
    var waiting = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
    try #require(poll(&waiting, 1, 15_000) == 1, "nobody connects")
    return Client(accept(listener, nil, nil))
  }

  struct CannotSend: Error {
    let errno: Int32
  }

  final class Client {
    private let descriptor: Int32

    fileprivate init(_ descriptor: Int32) {
      self.descriptor = descriptor
      var limit = timeval(tv_sec: 10, tv_usec: 0)
      setsockopt(
        descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
      var yes: Int32 = 1
      setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, 4)
    }

    deinit { close(descriptor) }

    /// Sends all, in chunks of this size.
    func send(_ bytes: [UInt8], chunk: Int = .max) throws {
      var rest = bytes[...]
      while !rest.isEmpty {
        let part = Array(rest.prefix(chunk))
        let count = Foundation.send(descriptor, part, part.count, Int32(MSG_NOSIGNAL))
        guard count > 0 else { throw CannotSend(errno: errno) }
        rest = rest.dropFirst(count)
      }
    }

    /// What the client has sent up to now.
    func received() -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: 100)
      let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
      return Array(bytes.prefix(max(0, count)))
    }

    /// Whether the client has closed the connection.
    var isClosed: Bool {
      var byte: UInt8 = 0
      let count = recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT) | Int32(MSG_PEEK))
      return count == 0 || (count < 0 && errno == ECONNRESET)
    }
  }
}
