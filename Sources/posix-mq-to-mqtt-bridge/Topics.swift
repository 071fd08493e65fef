import Daemon
import Linux
import Records

/// The topics of this device: `<prefix>/<device>/<program>` and `<prefix>/<device>/status`.
struct Topics {
  let deviceID: Text
  /// With a NUL behind it, as all that C is given.
  let status: [UInt8]
  private let device: [UInt8]

  init(_ options: inout Options) {
    let prefix =
      options.text("topic-prefix", "TEXT", default: "stats", "what the topics begin with")
    deviceID =
      options.text("device-id", "TEXT", "this device in the topics [made from machine-id]")
      ?? defaultDeviceID()
    if !Self.isTopic(prefix.bytes, levels: true) {
      options.fail(
        "--topic-prefix \(prefix): UTF-8 without +, #, control characters or empty levels")
    }
    if !Self.isTopic(deviceID.bytes, levels: false) {
      options.fail("--device-id \(deviceID): UTF-8 without /, +, # or control characters")
    }
    let device = Text("\(prefix)/\(deviceID)")
    status = Text("\(device)/status").bytes + [0]
    self.device = device.bytes
  }

  /// Makes the topic of a record, or of batches of its program where there is none, in `topic`.
  func name(_ record: Record?, of program: Program, _ topic: inout TopicLevels) {
    topic.begin(with: device)
    topic.append(program.name)
    record?.appendTopic(to: &topic)
    topic.terminate()
  }

  /// MQTT 5, 4.7: no wildcards, no NUL; some brokers treat a leading `$` specially.
  private static func isTopic(_ text: [UInt8], levels: Bool) -> Bool {
    let slash = UInt8(ascii: "/")
    let bytes = text.span
    var (index, previous) = (0, slash)
    while index < bytes.count {
      let byte = bytes[index]
      if byte == slash {
        if !levels || previous == slash { return false }
        index += 1
      } else {
        let length = bytes.topicCharacterLength(at: index)
        if length == 0 { return false }
        index += length
      }
      previous = byte
    }
    return previous != slash && text.first != UInt8(ascii: "$") && text.count <= 200
  }
}
