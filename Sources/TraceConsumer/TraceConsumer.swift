/// Runs a tracing program on this machine, and gives what it records and aggregates.
///
/// ```swift
/// let consumer = TraceConsumer()
/// try consumer.compile("tracepoint:syscalls:sys_enter_openat { @[comm] = count(); }")
/// try consumer.go()
/// …
/// try consumer.walkAggregations { id, key, value in print(id.name, key, value) }
/// try consumer.stop()
/// ```
///
/// All calls may come from any thread. When the consumer goes, so does the engine with its probes.
public final class TraceConsumer: Sendable {
  let engine: any TraceEngine

  /// Chooses an engine; whether it is installed shows with the first call that needs it.
  public init(_ engine: TraceEngineName = .bpftrace) {
    switch engine {
    case .bpftrace: self.engine = BpftraceEngine()
    case .object: self.engine = ObjectEngine()
    case .d: self.engine = DEngine()
    }
  }

  deinit { engine.abandon() }

  /// The engine's name and version.
  public var version: String {
    get throws(TraceError) { try engine.version() }
  }

  /// Sets an option of the engine; an unknown one is an error that lists those there are.
  public func setOption(_ name: String, _ value: String = "") throws(TraceError) {
    try engine.setOption(name, value)
  }

  /// Reads the program; throws the engine's own message, with line and column, if it is wrong.
  public func compile(_ program: String) throws(TraceError) {
    try engine.compile(program)
  }

  /// Puts the probes in place; they are when it returns.
  public func go() throws(TraceError) {
    try engine.go()
  }

  /// Whether the program has ended, by itself or by `stop`.
  public var isOver: Bool { engine.isOver }

  /// Gives every record since the last call, in the engine's order.
  ///
  /// `.end` follows the last record of each firing. What was lost is a record of its own. When the engine
  /// was killed this throws, once all that came before has been given.
  public func consume(_ body: (TraceProbe, TraceRecord) throws -> Void) throws {
    for traced in try engine.takeRecords() { try body(traced.probe, traced.record) }
  }

  /// As `consume`, but first waits until there are records, for at most this time.
  public func consume(
    within limit: Duration, _ body: (TraceProbe, TraceRecord) throws -> Void
  ) throws {
    engine.waitForRecords(until: .now + limit)
    try consume(body)
  }

  /// Takes a snapshot of all aggregations, gives what they got since the last one, and removes it.
  public func walkAggregations(
    _ body: (TraceAggregationID, [TraceKey], TraceValue) throws -> Void
  ) throws {
    for aggregate in try engine.takeAggregates() {
      try body(aggregate.id, aggregate.key, aggregate.value)
    }
  }

  /// Forgets what the aggregations have got up to now.
  public func clearAggregations() throws(TraceError) {
    try engine.clearAggregates()
  }

  /// Takes the probes away and runs the program's END; its records can be consumed afterwards.
  public func stop() throws(TraceError) {
    try engine.stop()
  }

  /// Compiles a program, runs it for a time or until it ends, gives its records as they come and the
  /// aggregations at the end.
  public func run(
    _ program: String, for duration: Duration,
    consume record: (TraceProbe, TraceRecord) throws -> Void = { _, _ in },
    walk aggregate: (TraceAggregationID, [TraceKey], TraceValue) throws -> Void = { _, _, _ in }
  ) throws {
    try compile(program)
    try go()
    let end = ContinuousClock.now + duration
    while !isOver, .now < end {
      engine.waitForRecords(until: end)
      try consume(record)
    }
    try stop()
    try consume(record)
    try walkAggregations(aggregate)
  }
}
