import Foundation
import Testing

@testable import DeviceRig

/// A reader of server-sent events over a socket of its own, which reads only when it is told to.
final class EventReader {
  private let socket: Int32
  private var text = ""

  /// Asks for a path of the server. With a small buffer for what it receives, a reader that does not
  /// read is felt soon.
  init(_ url: String, _ path: String, lastEventID: String? = nil, bufferBytes: Int32? = nil) throws
  {
    let port = try #require(UInt16(url.split(separator: ":").last?.dropLast() ?? ""))
    socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    if let bufferBytes { take(bufferBytes) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(result == 0, "connect: \(String(cString: strerror(errno)))")
    let header = lastEventID.map { "Last-Event-ID: \($0)\r\n" } ?? ""
    let request = "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\n\(header)\r\n"
    #expect(write(socket, request, request.utf8.count) == request.utf8.count)
  }

  deinit { close(socket) }

  /// Lets so many bytes wait to be read.
  func take(_ bufferBytes: Int32) {
    var size = bufferBytes
    setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
  }

  /// What has come up to now, without waiting for more.
  func read() -> String {
    var buffer = [UInt8](repeating: 0, count: 65536)
    while case let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT)),
      count > 0
    {
      text += String(decoding: buffer[..<count], as: UTF8.self)
    }
    return text
  }

  /// The complete events up to now: id, name, data. Chunks of HTTP lie between lines only.
  func events() -> [(id: String, name: String, data: [String: Any])] {
    var events: [(String, String, [String: Any])] = []
    var (id, name) = ("", "")
    for line in read().split(whereSeparator: \.isNewline) {
      if line.hasPrefix("id: ") { id = String(line.dropFirst(4)) }
      if line.hasPrefix("event: ") { name = String(line.dropFirst(7)) }
      if line.hasPrefix("data: "),
        let object = try? JSONSerialization.jsonObject(with: Data(line.dropFirst(6).utf8))
      {
        events.append((id, name, object as? [String: Any] ?? [:]))
      }
    }
    return events
  }
}
