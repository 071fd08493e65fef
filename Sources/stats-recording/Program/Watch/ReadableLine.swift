import Foundation

/// `21:45:01.123  pi-7  cyclic-sysinfo  load1=0.15 uptime_seconds=1338`
struct ReadableLine {
  let text: String

  init(_ record: PublishedRecord, _ fields: [JSONMember]) {
    text = Self.line(record.time, record.topic, fields)
  }

  /// Of a status; the last will has no time of its own.
  init(_ topic: RecordTopic, _ members: [JSONMember]) {
    let time = members["time"]?.double ?? Date().timeIntervalSince1970
    text = Self.line(
      time, topic, members.filter { !["v", "time", "boot_id", "clock_synced"].contains($0.name) })
  }

  private static func line(_ time: Double, _ topic: RecordTopic, _ fields: [JSONMember]) -> String {
    let pairs = fields.map { "\($0.name)=\($0.value.readable)" }.joined(separator: " ")
    return "\(clock(time))  \(topic.device)  \(topic.path)  \(pairs)"
  }

  /// The time of day where this is run, to the millisecond.
  static func clock(_ time: Double) -> String {
    let milliseconds = (time * 1000).rounded(.down)
    var seconds = time_t(milliseconds / 1000)
    var parts = tm()
    localtime_r(&seconds, &parts)
    let rest = Int(milliseconds) - Int(seconds) * 1000
    return [Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec)].map { padded($0, 2) }
      .joined(separator: ":") + "." + padded(rest, 3)
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

extension JSONValue {
  /// Texts without quotes unless they need them.
  var readable: String {
    switch self {
    case .null: "null"
    case .boolean(let value): value ? "true" : "false"
    case .number(let digits): digits
    case .text(let text):
      text.isEmpty || text.contains { " \"\t\n=".contains($0) || $0.isNewline }
        ? "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n"))\""
        : text
    case .array(let values): "[" + values.map(\.readable).joined(separator: ",") + "]"
    case .object(let members):
      "{" + members.map { "\($0.name)=\($0.value.readable)" }.joined(separator: ",") + "}"
    }
  }
}
