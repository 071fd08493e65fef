/// What went wrong, where, and how to mend it.
public enum TraceError: Error, Hashable, Sendable {
  /// The engine is not on this machine; `remedy` says how to get it.
  case notInstalled(engine: String, remedy: String)
  case notPermitted(String)
  /// tracefs, which the program's probes need, is not mounted.
  case noTracefs
  /// debugfs, in which libdtrace looks for tracefs, is not mounted.
  case noDebugfs
  case unknownOption(String, known: [String])
  case badValue(option: String, value: String, wanted: String)
  /// The program is wrong; the place counts from 1, and is nil where the engine gives none.
  case program(message: String, line: Int?, column: Int?)
  /// The probes were not in place in time; the engine was ended.
  case neverAttached(seconds: Double)
  /// The probes were refused; in the engine's words.
  case cannotAttach(String)
  /// The engine ended by itself, or was ended by others.
  case engineEnded(status: EngineStatus, words: String)
  /// The engine did not answer in time.
  case noAnswer(seconds: Double)
  /// The engine still takes its probes away; it ends by itself once it has.
  case stillDetaching(seconds: Double)
  /// A call that does not belong here, such as `go` before `compile`.
  case outOfOrder(String)
  /// A call of the engine's library failed; in its words.
  case failed(call: String, words: String)
  case system(call: String, errno: Int32)
}

/// How an engine's process ended.
public enum EngineStatus: Hashable, Sendable, CustomStringConvertible {
  case exited(Int32)
  case killed(signal: Int32)

  public var description: String {
    switch self {
    case .exited(let status): "ended with status \(status)"
    case .killed(let signal): "was ended by signal \(signal)"
    }
  }
}
