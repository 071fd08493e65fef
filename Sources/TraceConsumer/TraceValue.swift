/// What an aggregation has for one key.
public enum TraceValue: Hashable, Sendable {
  case count(Int64)
  case sum(Int64)
  case min(Int64)
  case max(Int64)
  case average(Double)
  /// D's `stddev`.
  case standardDeviation(Double)
  /// Powers of two; without the empty ones.
  case quantize([TraceRange])
  /// Steps of one size; without the empty ones.
  case lquantize([TraceRange])
  /// Steps that grow with each magnitude; without the empty ones.
  case llquantize([TraceRange])
  /// bpftrace's `stats`: how many and their sum; the average is `sum / count`.
  case statistics(count: Int64, sum: Int64)
  /// A variable that is no aggregation.
  case integer(Int64)
  case text(String)
}

/// A range of a distribution and how many values fell into it.
public struct TraceRange: Hashable, Sendable {
  /// The lowest value; nil if the range is open below.
  public var low: Int64?
  /// The highest value, which belongs to it; nil if the range is open above.
  public var high: Int64?
  public var count: Int64

  public init(_ low: Int64?, _ high: Int64?, _ count: Int64) {
    self.low = low
    self.high = high
    self.count = count
  }
}

/// One part of an aggregation's key.
public enum TraceKey: Hashable, Sendable, CustomStringConvertible {
  case integer(Int64)
  case text(String)

  public var description: String {
    switch self {
    case .integer(let number): "\(number)"
    case .text(let text): text
    }
  }
}

/// Which aggregation of the program a value belongs to.
public struct TraceAggregationID: Hashable, Sendable {
  /// In the order of the program, from 1 on.
  public var number: Int
  /// As the program has it, with the `@`.
  public var name: String

  public init(number: Int, name: String) {
    self.number = number
    self.name = name
  }
}

/// One aggregation's value for one key.
public struct TraceAggregate: Hashable, Sendable {
  public var id: TraceAggregationID
  public var key: [TraceKey]
  public var value: TraceValue

  public init(id: TraceAggregationID, key: [TraceKey], value: TraceValue) {
    self.id = id
    self.key = key
    self.value = value
  }
}
