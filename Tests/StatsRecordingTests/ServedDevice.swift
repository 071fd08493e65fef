import Foundation
import Testing

@testable import DeviceRig

/// A device with real programs, a broker, and the page of `serve` on it.
final class ServedDevice {
  let rig: Rig
  let bridge: ChildProcess
  let server: ChildProcess
  let url: String
  private(set) var collectors: [ChildProcess] = []

  convenience init(_ options: String...) throws { try self.init(Rig(), options) }

  /// Of a rig on which a bridge may run already.
  init(_ rig: Rig, _ options: [String], bridge: ChildProcess? = nil) throws {
    self.rig = rig
    server = try rig.tool("serve", options + ["--listen", "127.0.0.1:0"])
    let server = server
    try eventually("the page is there", within: 20) { Self.url(server) != nil || !server.isRunning }
    url = try #require(Self.url(server), "\(server.log)")
    self.bridge = try bridge ?? rig.bridge("--status-interval", "1s")
  }

  private static func url(_ server: ChildProcess) -> String? {
    server.log.compactMap { $0.firstMatch(of: #/the page is at (http:\S+)/#)?.1 }.first
      .map(String.init)
  }

  func collect(_ program: String, _ options: String...) throws {
    collectors.append(try rig.program(program, options))
  }

  func add(_ collector: ChildProcess) { collectors.append(collector) }

  func get(_ path: String, headers: [String: String] = [:]) throws -> WebAnswer {
    try WebAnswer(url + path, headers: headers)
  }

  /// This device of `/api/devices`.
  func summary() throws -> [String: Any]? {
    let devices = try get("api/devices").object["devices"] as? [[String: Any]]
    return devices?.first { $0["id"] as? String == rig.name }
  }

  /// The lines of `/api/series`.
  func series(_ query: String = "") throws -> [[String: Any]] {
    try get("api/series?device=\(rig.name)\(query)").object["series"] as? [[String: Any]] ?? []
  }

  /// Publishes as a device of another make would, with mosquitto_pub(1).
  func publish(_ topic: String, _ payload: String, _ options: String...) throws {
    let command = try #require(
      Machine.command("mosquitto_pub"), "mosquitto-clients is not installed")
    let result = try rig.run(
      [
        command, "-h", "127.0.0.1", "-p", "\(rig.broker().port)", "-q", "1", "-t", topic, "-m",
        payload,
      ]
        + options)
    #expect(result.status == 0, "\(result.log)")
  }

  func stop() throws {
    for collector in collectors { try collector.stop() }
    try bridge.stop()
    #expect(try server.stop() == 0, "\(server.log)")
  }
}
