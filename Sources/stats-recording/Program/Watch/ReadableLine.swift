import Foundation

/// `21:45:01.123  pi-7  cyclic-sysinfo  load1=0.15 uptime_seconds=1338`
struct ReadableLine {
  private let clock: String
  private let device: String
  private let path: String
  private let fields: [JSONMember]
  private let emphasis: TextStyle

  init(_ record: PublishedRecord, _ fields: [JSONMember], _ event: RecordEvent? = nil) {
    clock = Self.clock(record.time)
    device = record.topic.device
    path = record.topic.path
    self.fields = fields
    emphasis =
      switch event?.weight {
      case .failure: .failure
      case .notice: .notice
      case nil: .strong
      }
  }

  /// Of a status; the last will has no time of its own.
  init(_ topic: RecordTopic, _ members: [JSONMember]) {
    clock = Self.clock(members["time"]?.double ?? Date().timeIntervalSince1970)
    device = topic.device
    path = topic.path
    fields = members.filter { !["v", "time", "boot_id", "clock_synced"].contains($0.name) }
    emphasis = members["state"]?.text == "online" ? .notice : .failure
  }

  /// As one line, whatever the names in it hold.
  func text(_ color: TerminalKind.Color = .none) -> String {
    let pairs = fields.map {
      TextStyle.dim.paint("\($0.name.printable)=", color) + $0.value.readable.printable
    }
    return [
      TextStyle.dim.paint(clock, color), device.printable,
      emphasis.paint(path.printable, color), pairs.joined(separator: " "),
    ].joined(separator: "  ")
  }

  /// The time of day where this is run, to the millisecond.
  static func clock(_ time: Double) -> String {
    let milliseconds = (time * 1000).rounded(.down)
    let rest = milliseconds - (milliseconds / 1000).rounded(.down) * 1000
    return TimeAxis.localTime(time, "%H:%M:%S.") + String(format: "%03d", Int(rest))
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
