import Foundation
import Testing

/// A real Mosquitto of the test's own, on a free loopback port.
final class Broker {
  private(set) var port = 0
  private let folder: URL
  private let settings: String
  private var process: ChildProcess?

  /// Starts it; `settings` are further lines of mosquitto.conf(5), with `PORT` for the port.
  init(in folder: URL, settings: String = "listener PORT 127.0.0.1\nallow_anonymous true") throws {
    self.folder = folder
    self.settings = settings
    // Somebody else may take the port between the choice and the use of it.
    for _ in 0..<20 {
      // Below those that Linux gives to clients: it is to be free again after a restart.
      port = Int.random(in: 15000..<32000)
      do {
        try start()
        return
      } catch is PortIsTaken {
        continue
      }
    }
    throw PortIsTaken()
  }

  private struct PortIsTaken: Error {}

  /// Starts it again on the same port after ``kill()``.
  func start() throws {
    let mosquitto = try #require(Machine.command("mosquitto"), "mosquitto is not installed")
    let path = folder.appending(path: "mosquitto-\(port).conf").path()
    let lines = """
      per_listener_settings true
      persistence false
      max_queued_messages 1000000
      set_tcp_nodelay true
      log_type error
      log_type warning
      log_type notice
      user root
      \(settings.replacingOccurrences(of: "PORT", with: "\(port)"))
      """
    try lines.write(toFile: path, atomically: true, encoding: .utf8)
    let process = try ChildProcess([mosquitto, "-c", path], name: "mosquitto", in: folder)
    self.process = process
    try eventually("mosquitto listens") { !process.isRunning || Self.accepts(port) }
    if !process.isRunning {
      if process.log.contains(where: { $0.contains("Address already in use") }) {
        throw PortIsTaken()
      }
      Issue.record("mosquitto: \(process.log.joined(separator: "; "))")
    }
  }

  /// Ends it with SIGKILL, as a power cut would.
  func kill() {
    process?.kill()
    process = nil
  }

  func send(_ signal: Int32) { process?.send(signal) }

  var log: [String] { process?.log ?? [] }

  private static func accepts(_ port: Int) -> Bool {
    let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}
