import ArgumentParser
import Foundation

/// `stats-recording losses`: which records came, came twice, late, or not at all.
struct Losses: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Counts for each program the records that came, came twice, late, or never.",
    discussion: """
      Examples:
        stats-recording losses --host broker.example --for 1min
        stats-recording losses devices.sqlite
        stats-recording losses recording --device pi-7 --json

      Without a recording it counts what the broker sends, until Ctrl-C or for --for.

      received    different records
      duplicated  came again, as QoS 1 allows; a recording has none of them
      missing     numbers between the first and the last record that never came
      dropped     of these: found the queue full, as the program itself counts
      lost        the others: between the queue and here
      late        came after one that was taken more than --late afterwards
      restarts    the program was started again; reboots: the device was

      Of records at the end of a run that never came no number tells.
      """)

  @Argument(
    help: ArgumentHelp("An SQLite file, a CSV file, or a folder of them.", valueName: "recording"),
    completion: .file())
  var recording: String?

  @OptionGroup var broker: BrokerOptions

  @Option(name: .customLong("for"), help: ArgumentHelp("Count for so long.", valueName: "time"))
  var duration: TimeSpan?

  @Option(help: ArgumentHelp("Only this device.", valueName: "id"))
  var device: String?

  @Option(help: ArgumentHelp("Only this program, such as epoll-psi.", valueName: "name"))
  var program: String?

  @Option(help: ArgumentHelp("What is late.", valueName: "time"))
  var late = TimeSpan(seconds: 1)

  @Flag(help: "One JSON object for each program.")
  var json = false

  func validate() throws {
    if recording != nil && duration != nil {
      throw ValidationError("--for is for the broker's messages, not for a recording")
    }
    try RecordTopics.check(device: device)
  }

  func run() throws {
    let signals = EndSignals()
    var table = LossTable(lateNanoseconds: Int64(min(late.seconds, 1e9) * 1e9))
    if let recording {
      try read(recording, into: &table, signals)
    } else {
      try listen(into: &table, signals)
    }
    show(table)
  }

  private func show(_ table: LossTable) {
    if table.counts.isEmpty { complain("no record came") }
    for line in json ? table.json : table.lines { print(line) }
  }

  private func read(
    _ path: String, into table: inout LossTable, _ signals: EndSignals
  ) throws {
    let selection = RecordingSelection(device: device, program: program)
    var messages = try AnyRecording(path).messages(selection, torn: complain)
    while let message = try messages.next(), !signals.ended.isSet {
      if let record = message.record { table.add(record) }
    }
  }

  private func listen(into table: inout LossTable, _ signals: EndSignals) throws {
    let counted = CountedStream(table, prefix: broker.topicPrefix)
    let deadline = duration.map { ContinuousClock.now + .seconds($0.seconds) }
    Subscription.follow(
      broker, topics: broker.topics(device: device, program: program), until: signals.ended,
      afterTurn: {
        if let deadline, .now >= deadline { signals.ended.set() }
        if signals.takeAsked() { show(counted.table) }
      }
    ) { event in
      if let failure = counted.take(event) { signals.ended.set(); counted.failure = failure }
    }
    if let failure = counted.failure { throw failure }
    table = counted.table
    if counted.unreadable > 0 { complain("\(counted.unreadable) messages were no records") }
  }
}

/// Counts what a subscription tells.
private final class CountedStream {
  private(set) var table: LossTable
  private(set) var unreadable = 0
  var failure: BrokerFailure?
  private let prefix: String
  private var hasSubscribed = false

  init(_ table: LossTable, prefix: String) {
    self.table = table
    self.prefix = prefix
  }

  /// What ends it: the broker was never there.
  func take(_ event: SubscriptionEvent) -> BrokerFailure? {
    switch event {
    case .subscribed: hasSubscribed = true
    case .lost(let failure):
      guard hasSubscribed else { return failure }
      complain("\(failure); trying again")
    case .message(let message):
      switch MessageContent(message, prefix: prefix) {
      case .records(let records): for record in records { table.add(record) }
      case .status: break
      case .other: unreadable += 1
      }
    }
    return nil
  }
}
