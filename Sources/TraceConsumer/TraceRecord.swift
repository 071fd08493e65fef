/// What a probe recorded.
public enum TraceRecord: Hashable, Sendable {
  /// What the program printed.
  case printed(String)
  /// Values that the program recorded as such: bpftrace's `print(x)`, D's `trace(x)`.
  case values([TraceKey])
  /// What the program printed of an aggregation, such as bpftrace's `print(@x)`.
  case aggregate(TraceAggregate)
  case lost(TraceLoss)
  /// The records of this firing of the probe are complete.
  case end
}

/// Something that was traced and is not there.
public struct TraceLoss: Hashable, Sendable, CustomStringConvertible {
  public enum Reason: Hashable, Sendable {
    /// The engine's buffers were full.
    case buffer
    /// An aggregation has as many keys as it may have; where in the program.
    case fullMap(line: Int, column: Int)
    /// An aggregation has no room for more keys.
    case fullAggregation
    /// Two keys of this aggregation look the same, and their values are added up.
    case ambiguousKeys(map: String)
    /// `consume` was not called for too long.
    case notConsumed
    /// The engine could not do something; in its own words.
    case failure(String)
  }

  public var reason: Reason
  /// How many events, or keys, it concerns.
  public var count: Int64

  public init(_ reason: Reason, count: Int64) {
    self.reason = reason
    self.count = count
  }

  public var description: String {
    switch reason {
    case .buffer: "\(count) events lost: the engine's buffers were full"
    case .fullMap(let line, let column):
      "\(count) events lost: a map is full (line \(line), column \(column)); option map_keys"
    case .fullAggregation: "\(count) events lost: an aggregation is full; option aggsize"
    case .ambiguousKeys(let map):
      "\(count) keys of \(map) look like others, and were added to them"
    case .notConsumed: "\(count) records lost: nobody consumed them"
    case .failure(let words): "\(count) failures: \(words)"
    }
  }
}
