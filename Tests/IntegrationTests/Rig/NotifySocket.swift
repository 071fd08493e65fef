import CLinux
import Foundation
import Testing

/// A datagram socket as NOTIFY_SOCKET names it.
final class NotifySocket {
  let path: String
  private let descriptor: Int32

  init(in folder: URL) {
    path = folder.appending(path: "notify").path()
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | O_NONBLOCK, 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    #expect(result == 0)
  }

  deinit { close(descriptor) }

  private var received: [String] = []

  /// All messages up to now.
  var messages: [String] {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count <= 0 { return received }
      received.append(String(decoding: buffer[..<count], as: UTF8.self))
    }
  }

  /// What a service manager needs in the environment of its service.
  var environment: [String: String] {
    ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "200000"]
  }

  /// Waits until a service is ready, feeds its watchdog, and stops as it should.
  func expectService(_ process: ChildProcess) throws {
    try eventually("ready", within: 20) {
      messages.contains { $0.hasPrefix("READY=1\nSTATUS=") }
    }
    try eventually("the watchdog is fed") { messages.count { $0 == "WATCHDOG=1" } >= 5 }
    #expect(messages.count { $0.hasPrefix("READY=1") } == 1)
    #expect(!messages.contains("STOPPING=1"))
    #expect(try process.stop() == 0)
    #expect(messages.contains("STOPPING=1"))
  }
}
