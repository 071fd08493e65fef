/// Makes lines of text of messages, and says between them what is missing and what began anew.
struct WatchLines: Sendable {
  struct Line: Equatable, Sendable {
    let text: String
    /// Not a remark between messages.
    var isMessage = true
  }

  private let patterns: [FieldPattern]
  private let isJSON: Bool
  private let onlyEvents: Bool
  private let prefix: String
  private let color: TerminalKind.Color
  private var continuity = Continuity()
  private var gaps: [Gap] = []

  /// Records that were passed over; they may still come, from the disk of a bridge.
  private struct Gap {
    let topic: RecordTopic
    let run: Int
    let numbers: Range<UInt64>
    let seenAt: Double
  }

  /// How long a record may be late before it is told as missing.
  static let patienceSeconds = 1.0
  private static let gapCapacity = 1024

  init(_ options: Watch, prefix: String, color: TerminalKind.Color) {
    patterns = options.fields.map(FieldPattern.init)
    isJSON = options.json
    onlyEvents = options.events
    self.prefix = prefix
    self.color = color
  }

  /// The lines that a message brings; `now` is the time of reception, on any clock.
  mutating func take(_ message: Message, now: Double) -> [Line] {
    switch MessageContent(message, prefix: prefix) {
    case .records(let records):
      return records.flatMap { record in
        let remarks = follow(record, now: now)
        let line = text(record).map { Line(text: $0) }
        return (isJSON ? [] : remarks) + [line].compactMap(\.self)
      }
    case .status(let topic, let members):
      guard patterns.isEmpty && !onlyEvents else { return [] }
      if isJSON { return [Line(text: json(message.topic, members))] }
      return [Line(text: ReadableLine(topic, members).text(color))]
    case .other(let words):
      complain(words.printable)
      return []
    }
  }

  private func text(_ record: PublishedRecord) -> String? {
    let event = RecordEvent(record)
    if onlyEvents && event == nil { return nil }
    let shown = record.fields.filter { field in
      patterns.isEmpty || patterns.contains { $0.matches(record.topic, field: field.name) }
    }
    guard !shown.isEmpty else { return nil }
    if isJSON {
      // A batch goes to the program's topic: this is the one that the record would have alone.
      return json("\(prefix)/\(record.topic.device)/\(record.topic.path)", record.members)
    }
    return ReadableLine(record, shown, event).text(color)
  }

  private func json(_ topic: String, _ members: [JSONMember]) -> String {
    var bytes: [UInt8] = []
    bytes.append(json: [JSONMember(name: "topic", value: .text(topic))] + members)
    return String(decoding: bytes, as: UTF8.self)
  }

  private mutating func follow(_ record: PublishedRecord, now: Double) -> [Line] {
    let arrival = continuity.take(record)
    var remarks: [String] = []
    for gap in gaps.prefix(while: { now - $0.seenAt >= Self.patienceSeconds }) {
      let missing = continuity.missing(of: gap.topic, run: gap.run)
        .map { $0.clamped(to: gap.numbers) }.reduce(0) { $0 &+ ($1.upperBound - $1.lowerBound) }
      if missing > 0 {
        let records = missing == 1 ? "1 record is" : "\(missing) records are"
        remarks.append("\(gap.topic.device)  \(gap.topic.program): \(records) missing")
      }
    }
    gaps.removeFirst(gaps.prefix { now - $0.seenAt >= Self.patienceSeconds }.count)
    switch arrival.beginning {
    case .reboot: remarks.append("\(record.topic.device) was started again")
    case .restart:
      remarks.append("\(record.topic.device)  \(record.topic.program) was started again")
    case nil: break
    }
    if arrival.missing > 0 && gaps.count < Self.gapCapacity {
      gaps.append(
        Gap(
          topic: record.topic, run: arrival.run,
          numbers: record.sequence - arrival.missing..<record.sequence, seenAt: now))
    }
    return remarks.map {
      Line(text: TextStyle.notice.paint("-- \($0)".printable, color), isMessage: false)
    }
  }
}
