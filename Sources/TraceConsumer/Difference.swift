// What a value grew by since an earlier snapshot of it, and the sum of two.

extension TraceValue {
  /// What came since `earlier`; nil if nothing did.
  ///
  /// Of `min`, `max` and variables there is no difference: they come as they are when they changed.
  func since(_ earlier: TraceValue?) -> TraceValue? {
    guard let earlier else { return isEmpty ? nil : self }
    switch (self, earlier) {
    case (.count(let now), .count(let then)): return now == then ? nil : .count(now - then)
    case (.sum(let now), .sum(let then)): return now == then ? nil : .sum(now &- then)
    case (.statistics(let count, let sum), .statistics(let oldCount, let oldSum)):
      return count == oldCount ? nil : .statistics(count: count - oldCount, sum: sum &- oldSum)
    case (.quantize(let now), .quantize(let then)):
      let ranges = Self.difference(now, then)
      return ranges.isEmpty ? nil : .quantize(ranges)
    case (.lquantize(let now), .lquantize(let then)):
      let ranges = Self.difference(now, then)
      return ranges.isEmpty ? nil : .lquantize(ranges)
    default: return self == earlier ? nil : self
    }
  }

  /// The value of an aggregation that nothing was added to.
  private var isEmpty: Bool {
    switch self {
    case .count(let count): count == 0
    case .statistics(let count, _): count == 0
    case .quantize(let ranges), .lquantize(let ranges): ranges.isEmpty
    default: false
    }
  }

  /// Both together; what cannot be added, such as an average, is the other's.
  public func adding(_ other: TraceValue) -> TraceValue {
    switch (self, other) {
    case (.count(let left), .count(let right)): .count(left + right)
    case (.sum(let left), .sum(let right)): .sum(left &+ right)
    case (.min(let left), .min(let right)): .min(Swift.min(left, right))
    case (.max(let left), .max(let right)): .max(Swift.max(left, right))
    case (.statistics(let count, let sum), .statistics(let otherCount, let otherSum)):
      .statistics(count: count + otherCount, sum: sum &+ otherSum)
    case (.quantize(let left), .quantize(let right)): .quantize(Self.sum(left, right))
    case (.lquantize(let left), .lquantize(let right)): .lquantize(Self.sum(left, right))
    case (.llquantize(let left), .llquantize(let right)): .llquantize(Self.sum(left, right))
    default: other
    }
  }

  private static func difference(_ now: [TraceRange], _ then: [TraceRange]) -> [TraceRange] {
    now.compactMap { range in
      let old = then.first { $0.low == range.low && $0.high == range.high }?.count ?? 0
      return range.count == old ? nil : TraceRange(range.low, range.high, range.count - old)
    }
  }

  private static func sum(_ left: [TraceRange], _ right: [TraceRange]) -> [TraceRange] {
    var sum = left
    for range in right {
      if let index = sum.firstIndex(where: { $0.low == range.low && $0.high == range.high }) {
        sum[index].count += range.count
      } else {
        sum.append(range)
      }
    }
    return sum.sorted { ($0.low ?? .min) < ($1.low ?? .min) }
  }
}
