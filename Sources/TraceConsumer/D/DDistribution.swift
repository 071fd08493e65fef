// The ranges of D's distributions, without the empty ones; counts in the order of their buckets.

/// Powers of two, from -2^62 over 0, in the middle, to 2^62.
enum DQuantize {
  private static let zero = 63
  private static let buckets = 127

  static func ranges(_ counts: [Int64]) -> [TraceRange] {
    counts.prefix(buckets).indices.compactMap { bucket in
      guard counts[bucket] != 0 else { return nil }
      let (low, high) = range(bucket)
      return TraceRange(low, high, counts[bucket])
    }
  }

  private static func range(_ bucket: Int) -> (low: Int64?, high: Int64?) {
    // A bucket is called by the end of it that is nearer to 0.
    func end(_ distance: Int) -> Int64 { 1 << Int64(distance - 1) }
    let distance = abs(bucket - zero)
    switch bucket {
    case zero: return (0, 0)
    case ..<zero: return (distance == zero ? nil : 1 - end(distance + 1), -end(distance))
    default: return (end(distance), distance == zero ? nil : end(distance + 1) - 1)
    }
  }
}

/// Steps of one size: what is below, the steps, what is above.
struct DLinearQuantize {
  let base: Int64
  let step: Int64
  let levels: Int

  /// `signature` has the step in its upper 16 bits, then the number of steps, then the base.
  init(signature: UInt64) {
    base = Int64(Int32(truncatingIfNeeded: signature))
    step = Int64(signature >> 48)
    levels = Int(signature >> 32 & 0xFFFF)
  }

  func ranges(_ counts: [Int64]) -> [TraceRange] {
    counts.indices.compactMap { bucket in
      guard counts[bucket] != 0, bucket <= levels + 1 else { return nil }
      let low = bucket == 0 ? nil : base + Int64(bucket - 1) * step
      let high = bucket == levels + 1 ? nil : base + Int64(bucket) * step - 1
      return TraceRange(low, high, counts[bucket])
    }
  }
}

/// Steps that grow with each magnitude: what is below, negative ranges, around 0, positive ranges,
/// what is above.
struct DLogLinearQuantize {
  /// The lowest value of each positive bucket, beginning with the one after that around 0, and last
  /// the end; nil for a bucket that is never used.
  private let lows: [Int64?]

  /// `signature` has, of 16 bits each, the steps, the highest and lowest magnitude and the factor.
  init(signature: UInt64) {
    func part(_ shift: UInt64) -> Int { Int(signature >> shift & 0xFFFF) }
    let (steps, highest, lowest, factor) = (part(48), part(32), part(16), max(part(0), 2))
    func power(_ exponent: Int) -> Int64 {
      (0..<exponent).reduce(Int64(1)) { power, _ in
        let (product, overflow) = power.multipliedReportingOverflow(by: Int64(factor))
        return overflow ? .max : product
      }
    }
    let perRange = steps / factor
    var lows: [Int64?] = [power(lowest)]
    var magnitude = lowest
    if lowest == 0, steps > factor {
      // There are fewer integers than steps: each has one, and the buckets between are empty.
      for integer in 2...factor {
        lows += [Int64?](repeating: nil, count: perRange - 1) + [Int64(integer)]
      }
      magnitude = 1
    }
    // Bounded: no value of a BPF map has more.
    while magnitude <= highest, lows.count < 65_536 {
      let scale = power(magnitude + 1) / Int64(max(steps, 1))
      for step in (perRange + 1)...max(steps, perRange + 1) {
        let (low, overflow) = Int64(step).multipliedReportingOverflow(by: scale)
        lows.append(overflow ? .max : low)
      }
      magnitude += 1
    }
    self.lows = lows
  }

  func ranges(_ counts: [Int64]) -> [TraceRange] {
    let middle = counts.count / 2
    return counts.indices.compactMap { bucket in
      guard counts[bucket] != 0 else { return nil }
      let distance = abs(bucket - middle)
      guard distance > 0 else {
        let end = (lows.first ?? nil) ?? 1
        return TraceRange(1 - end, end - 1, counts[bucket])
      }
      let low = distance <= lows.count ? lows[distance - 1] : nil
      let isOpen = bucket == 0 || bucket == counts.count - 1
      let next = isOpen ? nil : lows.dropFirst(distance).compactMap { $0 }.first
      return bucket > middle
        ? TraceRange(low, next.map { $0 - 1 }, counts[bucket])
        : TraceRange(next.map { 1 - $0 }, low.map { -$0 }, counts[bucket])
    }
  }
}
