import ArgumentParser

/// Where to listen: `127.0.0.1:8080`, `[::1]:8080`, `localhost:0`.
struct ListenAddress: ExpressibleByArgument, Equatable, Sendable {
  let host: String
  /// 0: one that is free.
  let port: Int

  init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// Errors: nil if it is not a host and a port.
  init?(argument: String) {
    guard let colon = argument.lastIndex(of: ":"),
      let port = Int(argument[argument.index(after: colon)...]), 0...65535 ~= port
    else { return nil }
    var host = argument[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    guard !host.isEmpty else { return nil }
    self.init(host: String(host), port: port)
  }

  /// As it is given.
  var defaultValueDescription: String {
    "\(host.contains(":") ? "[\(host)]" : host):\(port)"
  }

  var isLoopback: Bool { Self.isLoopback(host) }

  static func isLoopback(_ host: String) -> Bool {
    host == "localhost" || host == "::1"
      || host.wholeMatch(of: #/127\.\d{1,3}\.\d{1,3}\.\d{1,3}/#) != nil
  }

  var url: String { Self.url(host, port) }

  static func url(_ host: String, _ port: Int) -> String {
    "http://\(host.contains(":") ? "[\(host)]" : host):\(port)/"
  }
}
