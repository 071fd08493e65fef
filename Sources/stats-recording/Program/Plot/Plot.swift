import ArgumentParser
import Foundation

/// `stats-recording plot`: fields as lines in the terminal, or as columns.
struct Plot: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draws fields in the terminal as they come.",
    discussion: """
      Counters are drawn as rates, counters of seconds as ratios. Where records are missing the line \
      has a gap; restarts (↻), failures (✖) and other events (◆) are marked on the time axis. Keys: \
      space pauses, + and - change the window, q quits.

      Without a terminal it prints columns with tabs between, a row for each record: the time, then \
      each field.

      Examples:
        stats-recording plot load1 load5 --host broker.example --device pi-7
        stats-recording plot 'cyclic-file-read/*/temperature_celsius' --window 1h
        stats-recording plot --process mosquitto
        stats-recording plot receive_bytes transmit_bytes --for 1min > traffic.tsv
      """)

  @OptionGroup var broker: BrokerOptions

  @Option(help: ArgumentHelp("Only this device.", valueName: "id"))
  var device: String?

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "CPU use and memory of this process, by name or id; may be repeated.", valueName: "name"))
  var process: [String] = []

  @Option(help: ArgumentHelp("How much time is shown: 30s, 5min, 2h.", valueName: "time"))
  var window = TimeSpan(seconds: 300)

  @Option(
    help: ArgumentHelp(
      "The bottom of the scale, in the field's unit; else by the values.", valueName: "value"))
  var min: Double?

  @Option(help: ArgumentHelp("The top of the scale.", valueName: "value"))
  var max: Double?

  @Option(name: .customLong("for"), help: ArgumentHelp("End after this time.", valueName: "time"))
  var duration: TimeSpan?

  @Option(help: ArgumentHelp("End after so many rows.", valueName: "n"))
  var count: Int?

  @Flag(help: "Print columns also on a terminal.")
  var columns = false

  @Flag(inversion: .prefixedNo, help: "Mark core dumps, failed units and other events.")
  var events = true

  @Argument(
    help: ArgumentHelp(
      "A name or a glob, alone or behind program and place: load1, 'memory_*', 'cyclic-file-read/*/temperature_celsius'.",
      valueName: "field"),
    completion: .custom { _, _, prefix in FieldCatalog.completions(of: prefix, numbersOnly: true) })
  var fields: [String] = []

  func validate() throws {
    do throws(PlotSelection.Mistake) {
      let units = try PlotSelection(fields: fields, processes: process).units
      if (min != nil || max != nil) && units.count > 1 {
        let words = units.map(\.word).sorted().joined(separator: ", ")
        throw PlotSelection.Mistake(
          description: "--min and --max are for one unit, and these fields have \(words)")
      }
    } catch { throw ValidationError(error.description) }
    if let min, let max, min >= max {
      throw ValidationError("--min \(min) is not below --max \(max)")
    }
    if let count, count < 1 { throw ValidationError("--count \(count): 1 or more") }
    if window.seconds < 1 { throw ValidationError("--window \(window): 1s or more") }
    try RecordTopics.check(device: device)
  }

  func run() async throws {
    let kind = TerminalKind.current()
    let selection = try PlotSelection(fields: fields, processes: process)
    if !columns, count == nil, kind.hasCursor, let terminal = Terminal() {
      try await draw(selection, terminal, kind)
    } else {
      try await printColumns(selection)
    }
  }

  private func subscription(_ selection: PlotSelection, events: Bool) -> Subscription {
    let topics = RecordTopics.of(
      selection.programs(events: events), device: device, prefix: broker.topicPrefix)
    return Subscription(broker, topics: topics)
  }

  private func draw(
    _ selection: PlotSelection, _ terminal: Terminal, _ kind: TerminalKind
  ) async throws {
    let title = (fields + process.map { "process \($0)" }).joined(separator: "  ")
    let view = PlotView(
      windowSeconds: window.seconds, edge: 0, minimum: min, maximum: max,
      connectsTo: broker.address,
      title: [title, device ?? ""].filter { !$0.isEmpty }.joined(separator: "  "))
    let plot = LivePlot(PlotModel(selection, showsEvents: events), view)
    let subscription = subscription(selection, events: events)
    let prefix = broker.topicPrefix
    let receiving = Task {
      for await event in subscription.events {
        switch event {
        case .subscribed: plot.subscribed()
        case .lost(let failure): plot.lost(failure)
        case .message(let message):
          switch MessageContent(message, prefix: prefix) {
          case .records(let records): plot.take(records)
          case .status: break
          case .other(let words): plot.takeUnreadable(words)
          }
        }
      }
    }
    let ending = duration.map { duration in
      Task {
        try await Task.sleep(for: .seconds(duration.seconds))
        plot.end()
      }
    }
    defer {
      receiving.cancel()
      ending?.cancel()
    }
    let result: Result<Int32?, any Error> = await withCheckedContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(returning: Result { try plot.run(terminal, kind) })
      }
    }
    terminal.close()
    if let signal = try result.get() { endProcess(bySignal: signal) }
  }

  private func printColumns(_ selection: PlotSelection) async throws {
    StandardOutput.endWithReader()
    let printer = ColumnPrinter(PlotModel(selection, showsEvents: false), count: count)
    let events = subscription(selection, events: false).events
    let prefix = broker.topicPrefix
    let receiving = Task { try await printer.run(events, prefix: prefix) }
    let signals = EndSignals { receiving.cancel() }
    let ending = Task { [duration] in
      guard let duration else { return }
      try await Task.sleep(for: .seconds(duration.seconds))
      receiving.cancel()
    }
    defer { ending.cancel() }
    try await receiving.value
    await printer.finish()
    signals.finish()
  }
}
