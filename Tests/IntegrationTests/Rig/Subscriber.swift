import Foundation
import Testing

/// A message as mosquitto_sub(1) received it.
struct Message {
  let topic: String
  let isRetained: Bool
  let payload: String
  /// The payload's members, if it is JSON.
  let members: [String: Any]

  func integer(_ name: String) -> Int? { (members[name] as? NSNumber)?.intValue }
  func number(_ name: String) -> Double? { (members[name] as? NSNumber)?.doubleValue }
  func text(_ name: String) -> String? { members[name] as? String }
  func flag(_ name: String) -> Bool? { (members[name] as? NSNumber)?.boolValue }
}

/// mosquitto_sub(1): a witness of what arrives that is not ours.
final class Subscriber {
  private let process: ChildProcess

  convenience init(port: Int, topic: String, in folder: URL, options: [String] = []) throws {
    _ = try #require(Machine.command("mosquitto_sub"), "mosquitto_sub is not installed")
    try self.init(
      ChildProcess(
        Self.command(port: port, topic: topic) + options, name: "mosquitto_sub", in: folder))
  }

  static func command(port: Int, topic: String) -> [String] {
    [
      // Line by line, also what -d says.
      "/usr/bin/stdbuf", "-oL", "/usr/bin/mosquitto_sub", "-h", "127.0.0.1", "-p", "\(port)", "-V",
      "5", "-q", "1", "-t", topic, "-d", "-F", "message %r %t %p",
    ]
  }

  /// Of such a command that was started, wherever it runs.
  init(_ process: ChildProcess) throws {
    self.process = process
    // -d prints SUBACK on standard output: from here on nothing is missed.
    try eventually("mosquitto_sub has subscribed") {
      process.output.contains { $0.hasPrefix("Subscribed") }
    }
  }

  private var seen: [Message] = []
  private var linesSeen = 0

  /// All messages up to now.
  var messages: [Message] {
    let lines = process.output
    seen += lines[linesSeen...].compactMap { line in
      let parts = line.split(separator: " ", maxSplits: 3)
      // An empty payload leaves three.
      guard parts.count >= 3, parts[0] == "message" else { return nil }
      let payload = parts.count > 3 ? String(parts[3]) : ""
      let object = try? JSONSerialization.jsonObject(with: Data(payload.utf8))
      return Message(
        topic: String(parts[2]), isRetained: parts[1] == "1", payload: payload,
        members: object as? [String: Any] ?? [:])
    }
    linesSeen = lines.count
    return seen
  }

  /// The messages of a topic that ends with this.
  func messages(of suffix: String) -> [Message] {
    messages.filter { $0.topic.hasSuffix(suffix) }
  }

}
