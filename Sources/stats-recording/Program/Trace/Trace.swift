import ArgumentParser
import Foundation
import TraceConsumer

/// `stats-recording trace`: runs a tracing program on this machine.
struct Trace: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs a tracing program here and shows what it prints and aggregates.",
    discussion: """
      Needs root and the engine: bpftrace, libdtrace2 for d, nothing for object.
      Distributions are drawn as bars.
      Examples:
        stats-recording trace -e 'tracepoint:syscalls:sys_enter_openat { @[comm] = count(); }' --for 10s
        stats-recording trace --plot latency.bt
        stats-recording trace --engine object --for 10s block-io.manifest
        stats-recording trace --engine d -e 'syscall::read:entry { @[execname] = count(); }' --for 10s
      """)

  @Option(name: .customShort("e"), help: ArgumentHelp("The program.", valueName: "program"))
  var text: String?

  @Argument(help: ArgumentHelp("A file with the program.", valueName: "file"))
  var file: String?

  @Option(
    help: ArgumentHelp(
      "What runs it: bpftrace, d for programs of DTrace, object for BPF programs that were compiled before.",
      valueName: "name"))
  var engine = TraceEngineName.bpftrace

  @Option(name: .customLong("for"), help: ArgumentHelp("End after this time.", valueName: "time"))
  var duration: TimeSpan?

  @Flag(help: "Draw the aggregations while it runs.")
  var plot = false

  @Option(help: ArgumentHelp("How often to draw them.", valueName: "time"))
  var interval = TimeSpan(seconds: 1)

  @Option(
    name: .customLong("option"),
    help: ArgumentHelp("An option of the engine, such as map_keys=10000.", valueName: "name=value"))
  var options: [String] = []

  func validate() throws {
    guard (text == nil) != (file == nil) else {
      throw ValidationError("give a program, either with -e or as a file")
    }
    guard engine != .object || text == nil else {
      throw ValidationError("the engine object takes the file of a manifest, not -e")
    }
  }

  func run() async throws {
    let consumer = TraceConsumer(engine)
    for option in options {
      let parts = option.split(separator: "=", maxSplits: 1).map(String.init)
      try consumer.setOption(parts.first ?? "", parts.count > 1 ? parts[1] : "")
    }
    try consumer.compile(try program())
    let signals = EndSignals()
    try consumer.go()
    var board = TraceBoard()
    var failure: (any Error)?
    do {
      try follow(consumer, until: signals, &board)
      try consumer.stop()
    } catch { failure = error }
    try take(consumer, &board, isLast: true)
    if let failure { throw failure }
    signals.finish()
  }

  private func program() throws -> String {
    if let text { return text }
    let file = file ?? ""
    if engine == .object { return file }
    guard let bytes = FileManager.default.contents(atPath: file) else {
      throw ValidationError("cannot read \(file)")
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func follow(
    _ consumer: TraceConsumer, until signals: EndSignals, _ board: inout TraceBoard
  ) throws {
    let end = duration.map { ContinuousClock.now + .seconds($0.seconds) }
    var next = ContinuousClock.now + .seconds(interval.seconds)
    while !consumer.isOver, !signals.ended.isSet, end.map({ .now < $0 }) ?? true {
      // Short, so that Ctrl-C does not wait.
      try consumer.consume(within: .milliseconds(50)) { TraceBoard.show($1) }
      guard plot, .now >= next else { continue }
      try take(consumer, &board, isLast: false)
      next += .seconds(interval.seconds)
    }
  }

  private func take(
    _ consumer: TraceConsumer, _ board: inout TraceBoard, isLast: Bool
  ) throws {
    if isLast { try consumer.consume { TraceBoard.show($1) } }
    try consumer.walkAggregations { board.add($0, $1, $2) }
    let isDrawn = plot && isatty(1) == 1
    // The screen from its beginning, and nothing below.
    if isDrawn { print("\u{1B}[H\u{1B}[J", terminator: "") }
    if isLast || plot {
      for line in board.lines(width: TraceBoard.width) { print(line) }
      if plot, !isDrawn, !isLast { print("") }
    }
    fflush(nil)
  }
}

extension TraceEngineName: ExpressibleByArgument {}
