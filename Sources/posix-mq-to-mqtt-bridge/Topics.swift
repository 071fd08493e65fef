import Daemon
import Linux
import Records

/// The topics of this device: `<prefix>/<device>/<program>` and `<prefix>/<device>/status`.
struct Topics {
  let deviceID: Text
  let status: [CChar]
  private let device: [CChar]
  private var levels = TopicLevels()

  init(_ options: inout Options) {
    let prefix =
      options.text("topic-prefix", "TEXT", default: "stats", "what the topics begin with")
    deviceID =
      options.text("device-id", "TEXT", "this device in the topics [made from machine-id]")
      ?? defaultDeviceID()
    if !Self.isTopic(prefix.bytes, levels: true) {
      options.fail(
        "--topic-prefix \(prefix): may not be empty or hold +, # or an empty level")
    }
    if !Self.isTopic(deviceID.bytes, levels: false) {
      options.fail("--device-id \(deviceID): may not be empty or hold /, + or #")
    }
    let device = Text("\(prefix)/\(deviceID)")
    status = Self.forC("\(device)/status")
    self.device = device.bytes.map { CChar(bitPattern: $0) }
  }

  /// Makes the topic of a record, as C wants it, in `topic`.
  mutating func name(_ record: Record, of program: Program, _ topic: inout [CChar]) {
    levels.removeAll()
    levels.append(program.name)
    record.appendTopic(to: &levels)
    topic.removeAll(keepingCapacity: true)
    topic.append(contentsOf: device)
    for byte in levels.bytes { topic.append(CChar(bitPattern: byte)) }
    topic.append(0)
  }

  private static func forC(_ topic: Text) -> [CChar] {
    topic.bytes.map { CChar(bitPattern: $0) } + [0]
  }

  /// MQTT 5, 4.7: no wildcards, no NUL; some brokers treat a leading `$` specially.
  private static func isTopic(_ text: [UInt8], levels: Bool) -> Bool {
    var previous = UInt8(ascii: "/")
    for byte in text {
      if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "#") || byte < 0x20 { return false }
      if byte == UInt8(ascii: "/") && (!levels || previous == byte) { return false }
      previous = byte
    }
    return previous != UInt8(ascii: "/") && text.first != UInt8(ascii: "$") && text.count <= 200
  }
}
