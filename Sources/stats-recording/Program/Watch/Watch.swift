import ArgumentParser
import Foundation

/// `stats-recording watch`: messages as they come.
struct Watch: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows messages as they come.",
    discussion: """
      Between them stand lines that begin with --: a program or a device was started again, records \
      are missing.

      Examples:
        stats-recording watch --device pi-7
        stats-recording watch --program epoll-psi --json | jq .some_avg10
        stats-recording watch --events
        stats-recording watch load1 'cyclic-file-read/*/temperature_celsius'
      """)

  @OptionGroup var broker: BrokerOptions

  @Option(help: ArgumentHelp("Only this device.", valueName: "id"))
  var device: String?

  @Option(help: ArgumentHelp("Only this program, such as epoll-psi.", valueName: "name"))
  var program: String?

  @Flag(help: "JSON, one object on a line for each record, with the topic as its first key.")
  var json = false

  @Flag(help: "Only what happened: core dumps, failed units, stalls, processes that failed.")
  var events = false

  @Option(help: ArgumentHelp("End after so many messages.", valueName: "n"))
  var count: Int?

  @Option(name: .customLong("for"), help: ArgumentHelp("End after this time.", valueName: "time"))
  var duration: TimeSpan?

  @Argument(
    help: "Only these fields; a glob, alone or behind program and place.",
    completion: .custom { _, _, prefix in FieldCatalog.completions(of: prefix, numbersOnly: false) }
  )
  var fields: [String] = []

  func validate() throws {
    for field in fields { try FieldCatalog.check(field) }
    if let count, count < 1 { throw ValidationError("--count \(count): 1 or more") }
    try RecordTopics.check(device: device)
    try RecordTopics.check(program: program)
  }

  func run() async throws {
    StandardOutput.endWithReader()
    let messages = Subscription(
      broker, topics: broker.topics(device: device, program: program)
    ).events
    let kind = TerminalKind.current()
    let lines = WatchLines(
      self, prefix: broker.topicPrefix, color: isatty(STDOUT_FILENO) == 1 ? kind.color : .none)
    let receiving = Task { try await show(messages, lines) }
    let ending = Task { [duration] in
      guard let duration else { return }
      try await Task.sleep(for: .seconds(duration.seconds))
      receiving.cancel()
    }
    defer { ending.cancel() }
    try await receiving.value
  }

  private func show(_ events: AsyncStream<SubscriptionEvent>, _ lines: WatchLines) async throws {
    var lines = lines
    var shown = 0
    var hasSubscribed = false
    for await event in events {
      switch event {
      case .subscribed:
        if hasSubscribed { complain("\(broker.address) is there again") }
        hasSubscribed = true
      case .lost(let failure):
        guard hasSubscribed else { throw failure }
        complain("\(failure); trying again")
      case .message(let message):
        for line in lines.take(message, now: MonotonicClock.seconds) {
          StandardOutput.put(line.text)
          if line.isMessage { shown += 1 }
          if let count, shown >= count { return }
        }
      }
    }
  }
}

/// One line on standard error: standard output is for what was asked.
func complain(_ words: String) {
  FileHandle.standardError.write(Data("stats-recording: \(words)\n".utf8))
}
