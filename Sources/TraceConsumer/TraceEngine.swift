/// What runs a program: each takes a language of its own, and none translates another's.
public enum TraceEngineName: String, CaseIterable, Sendable {
  /// The `bpftrace` program and its language.
  case bpftrace
  /// BPF programs that were compiled before; the program is the path of their manifest.
  case object
  /// D programs, by libdtrace.
  case d
}

/// A record and the probe that made it.
struct TracedRecord: Sendable {
  var probe: TraceProbe
  var record: TraceRecord
}

/// What every engine does; all of it may be called from any thread.
protocol TraceEngine: AnyObject, Sendable {
  func version() throws(TraceError) -> String
  func setOption(_ name: String, _ value: String) throws(TraceError)
  func compile(_ program: String) throws(TraceError)
  /// Puts the probes in place; they are when it returns.
  func go() throws(TraceError)
  /// Waits until there are records, or the engine ended, or the time is over.
  func waitForRecords(until deadline: ContinuousClock.Instant)
  /// What came since the last call; throws what the engine died of when all before has been taken.
  func takeRecords() throws(TraceError) -> [TracedRecord]
  /// Whether the program has come to its end.
  var isOver: Bool { get }
  /// What the aggregations got since the last call.
  func takeAggregates() throws(TraceError) -> [TraceAggregate]
  /// Forgets what the aggregations have.
  func clearAggregates() throws(TraceError)
  /// Takes the probes away; records and aggregates of the end can be taken afterwards.
  func stop() throws(TraceError)
  /// Ends the engine at once, and what has not been taken goes.
  func abandon()
}
