import ArgumentParser
import Foundation

/// `stats-recording watch`: messages as they come.
struct Watch: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows messages as they come.",
    discussion: """
      Examples:
        stats-recording watch --device pi-7
        stats-recording watch --program epoll-psi --json
        stats-recording watch load1 'cyclic-file-read/*/temperature_celsius'
      """)

  @OptionGroup var broker: BrokerOptions

  @Option(help: ArgumentHelp("Only this device.", valueName: "id"))
  var device: String?

  @Option(help: ArgumentHelp("Only this program, such as epoll-psi.", valueName: "name"))
  var program: String?

  @Flag(help: "The messages' own JSON, one on a line, with device and topic before it.")
  var json = false

  @Option(help: ArgumentHelp("End after so many messages.", valueName: "n"))
  var count: Int?

  @Argument(help: "Only these fields; a glob, alone or behind program and place.")
  var fields: [String] = []

  func validate() throws {
    for field in fields { try FieldCatalog.check(field) }
  }

  func run() async throws {
    let patterns = fields.map(FieldPattern.init)
    let topics = broker.topics(device: device, program: program)
    var shown = 0
    var hasSubscribed = false
    for await event in Subscription(broker, topics: topics).events {
      switch event {
      case .subscribed: hasSubscribed = true
      case .lost(let failure):
        guard hasSubscribed else { throw failure }
        complain("\(failure); trying again")
      case .message(let message):
        for line in lines(message, patterns) {
          print(line)
          shown += 1
          if let count, shown >= count { return }
        }
      }
    }
  }

  private func lines(_ message: Message, _ patterns: [FieldPattern]) -> [String] {
    switch MessageContent(message, prefix: broker.topicPrefix) {
    case .records(let records):
      return records.compactMap { record in
        let shown = record.fields.filter { field in
          patterns.isEmpty || patterns.contains { $0.matches(record.topic, field: field.name) }
        }
        guard !shown.isEmpty else { return nil }
        if json { return "\(message.topic) \(String(decoding: message.payload, as: UTF8.self))" }
        return ReadableLine(record, shown).text
      }
    case .status(let topic, let members):
      guard patterns.isEmpty else { return [] }
      if json { return ["\(message.topic) \(String(decoding: message.payload, as: UTF8.self))"] }
      return [ReadableLine(topic, members).text]
    case .other(let words):
      complain(words)
      return []
    }
  }
}

/// One line on standard error: standard output is for what was asked.
func complain(_ words: String) {
  FileHandle.standardError.write(Data("stats-recording: \(words)\n".utf8))
}
