/// What an aggregating function of D has for one key, as libdtrace keeps it.
struct DAggregation: Hashable, Sendable {
  /// By libdtrace's numbers.
  enum Function: UInt16, Sendable {
    case average = 0x700
    case count, llquantize, lquantize, max, min, quantize, standardDeviation, sum
  }

  var id: TraceAggregationID
  var key: [TraceKey]
  var function: Function
  /// How often the program cleared it.
  var generation: UInt64
  /// How many and their sum for averages, also the sum of their squares, low half first, for standard
  /// deviations; the counts of distributions; else one number.
  var words: [Int64]
  /// The arguments of lquantize and llquantize.
  var signature: UInt64 = 0
  /// What `normalize` divides by.
  var normal: Int64 = 1

  /// What came since `earlier`; nil if nothing did.
  ///
  /// Of `min` and `max` there is no difference: they come as they are when they changed.
  func since(_ earlier: DAggregation?) -> DAggregation? {
    let earlier = earlier?.generation == generation ? earlier : nil
    var new = self
    if let earlier {
      guard earlier.words != words else { return nil }
      if ![.min, .max].contains(function) { new.words = difference(earlier.words) }
    }
    return new.isEmpty ? nil : new
  }

  private func difference(_ earlier: [Int64]) -> [Int64] {
    var new = zip(words, earlier).map { $0 &- $1 }
    if function == .standardDeviation, new.count == 4,
      UInt64(bitPattern: words[2]) < UInt64(bitPattern: earlier[2])
    {
      new[3] &-= 1  // borrowed from the high half
    }
    return new
  }

  /// Nothing was added to it since it was made or cleared.
  private var isEmpty: Bool {
    switch function {
    case .count: (words.first ?? 0) == 0
    case .average: words.count < 2 || words[0] == 0
    case .standardDeviation: words.count < 4 || words[0] == 0
    case .min: words.first == .max
    case .max: words.first == .min
    case .sum: generation > 1 && words.first == 0
    case .quantize, .lquantize, .llquantize: words.allSatisfy { $0 == 0 }
    }
  }

  var value: TraceValue {
    let first = (words.first ?? 0) / normal
    let counts = normal == 1 ? words : words.map { $0 / normal }
    switch function {
    case .count: return .count(first)
    case .sum: return .sum(first)
    case .min: return .min(first)
    case .max: return .max(first)
    case .average: return .average(Double(words[1]) / Double(words[0]) / Double(normal))
    case .standardDeviation: return .standardDeviation(deviation / Double(normal))
    case .quantize: return .quantize(DQuantize.ranges(counts))
    case .lquantize:
      return .lquantize(DLinearQuantize(signature: signature).ranges(counts))
    case .llquantize:
      return .llquantize(DLogLinearQuantize(signature: signature).ranges(counts))
    }
  }

  private var deviation: Double {
    let (count, sum) = (Double(words[0]), Double(words[1]))
    let squares = Double(words[3]) * 0x1p64 + Double(UInt64(bitPattern: words[2]))
    // Rounding can make the variance of equal numbers a little less than nothing.
    return max(0, squares / count - (sum / count) * (sum / count)).squareRoot()
  }
}

/// The last snapshot of all aggregations, and what of it was not told.
///
/// libdtrace can remove what it reported, but what is added between its snapshot and the removal would
/// be lost. So its aggregations grow, and the difference is taken here.
struct DSnapshots: Sendable {
  private struct Place: Hashable {
    var number: Int
    var key: [TraceKey]
  }

  private var told: [Place: DAggregation] = [:]
  private var last: [DAggregation] = []

  mutating func take(_ snapshot: [DAggregation]) { last = snapshot }

  /// In the order of the program.
  mutating func difference() -> [TraceAggregate] {
    var now: [Place: DAggregation] = [:]
    var new: [TraceAggregate] = []
    for aggregation in last {
      let place = Place(number: aggregation.id.number, key: aggregation.key)
      // Told only with its count: its sum may have been seen before its count.
      now[place] = told[place]
      guard let difference = aggregation.since(told[place]) else { continue }
      now[place] = aggregation
      new.append(
        TraceAggregate(id: difference.id, key: difference.key, value: difference.value))
    }
    told = now
    return new.enumerated().sorted {
      ($0.element.id.number, $0.offset) < ($1.element.id.number, $1.offset)
    }.map(\.element)
  }
}
