import TraceConsumer

/// Distributions as bars, eighths of a character exact.
enum TraceBars {
  private static let eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]

  /// Of `width` characters for `most`; something is never nothing.
  static func bar(_ value: Double, of most: Double, width: Int) -> String {
    guard value > 0, most > 0, width > 0 else { return "" }
    let parts = max(1, Int((value / most * Double(width * 8)).rounded()))
    return String(repeating: "█", count: parts / 8) + eighths[parts % 8]
  }

  /// How wide the ranges are.
  enum Steps { case doubling, equal, uneven }

  /// A line for each range; those between, which have nothing, are shown so that gaps are
  /// seen, unless nobody knows where they begin.
  static func lines(_ ranges: [TraceRange], _ steps: Steps, width: Int) -> [String] {
    let ranges = filled(ranges, steps)
    let labels = ranges.map(label)
    let counts = ranges.map { "\($0.count)" }
    let labelWidth = labels.map(\.count).max() ?? 0
    let countWidth = counts.map(\.count).max() ?? 0
    let most = ranges.map { Double($0.count) }.max() ?? 0
    return ranges.indices.map { index in
      let line = "  " + labels[index].aligned(labelWidth) + "  " + counts[index].aligned(countWidth)
      let bar = bar(
        Double(ranges[index].count), of: most, width: width - labelWidth - countWidth - 6)
      return bar.isEmpty ? line : "\(line)  \(bar)"
    }
  }

  private static func label(_ range: TraceRange) -> String {
    switch (range.low, range.high) {
    case (let low?, let high?): low == high ? "\(low)" : "\(low) to \(high)"
    case (nil, let high?): "up to \(high)"
    case (let low?, nil): "from \(low)"
    case (nil, nil): "all"
    }
  }

  /// Puts the missing ranges between two of them: the next begins where one ends, and is twice as wide
  /// or as wide.
  private static func filled(_ ranges: [TraceRange], _ steps: Steps) -> [TraceRange] {
    let sorted = ranges.sorted { ($0.low ?? .min) < ($1.low ?? .min) }
    guard let first = sorted.first, steps != .uneven else { return sorted }
    let step = sorted.compactMap { range -> Int64? in
      guard let low = range.low, let high = range.high else { return nil }
      return high - low + 1
    }.min()
    var filled = [first]
    for range in sorted.dropFirst() {
      // Bounded, should the ranges be of another kind.
      while let high = filled.last?.high, let low = range.low, high + 1 < low, filled.count < 200 {
        let width = steps == .doubling ? max(1, high + 1) : step ?? 1
        filled.append(TraceRange(high + 1, min(high + width, low - 1), 0))
      }
      filled.append(range)
    }
    return filled
  }
}

extension String {
  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }

  /// At the right end.
  func aligned(_ width: Int) -> String {
    String(repeating: " ", count: max(0, width - count)) + self
  }
}
