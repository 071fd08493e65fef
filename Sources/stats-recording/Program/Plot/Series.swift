/// A value of a field as a record brought it.
struct Sample: Equatable, Sendable {
  /// Unix time in seconds.
  let time: Double
  let raw: Double
  /// What a counter's growth is divided by: the time, or for CPU times the sum of them all.
  let base: Double
  /// Which run of the program it is of, and its number there.
  let run: Int
  let sequence: UInt64
}

/// The points of one line: values, or the rates of a counter, in the order of their times.
struct Series: Sendable {
  struct Point: Equatable, Sendable {
    var sample: Sample
    /// What is drawn; nil where a counter has a new base.
    var value: Double?
    /// Between this point and the one before it is a gap.
    var isBroken: Bool
  }

  let isCounter: Bool
  private(set) var points: [Point] = []
  private var recentSpacings: [Double] = []

  /// From so many points on, the line is thinned to half.
  static let capacity = 50_000

  init(isCounter: Bool) { self.isCounter = isCounter }

  /// The median of the last spacings; nil before the second point.
  var usualSpacing: Double? {
    recentSpacings.isEmpty ? nil : recentSpacings.sorted()[recentSpacings.count / 2]
  }

  /// Puts a sample where its time belongs; `missing` is what is missing of its run up to now.
  mutating func insert(_ sample: Sample, missing: [Range<UInt64>]) {
    var index = points.count
    while index > 0 && points[index - 1].sample.time > sample.time { index -= 1 }
    points.insert(Point(sample: sample, value: nil, isBroken: false), at: index)
    link(index, missing)
    if index + 1 < points.count {
      link(index + 1, missing)
    } else if index > 0 {
      learnSpacing(sample, after: points[index - 1].sample)
    }
    if points.count > Self.capacity { thin() }
  }

  /// A program that was started again may have another interval.
  private mutating func learnSpacing(_ sample: Sample, after previous: Sample) {
    if sample.run != previous.run {
      recentSpacings = []
    } else {
      if recentSpacings.count == 9 { recentSpacings.removeFirst() }
      recentSpacings.append(sample.time - previous.time)
    }
  }

  mutating func forget(before time: Double) {
    // The last point before the edge stays: a line leads from it into the window.
    let first = index(of: time)
    // Not at each turn: all that is behind moves.
    if first > 1024 { points.removeFirst(first - 1) }
  }

  private mutating func link(_ index: Int, _ missing: [Range<UInt64>]) {
    let sample = points[index].sample
    guard index > 0 else {
      points[index].isBroken = true
      points[index].value = isCounter ? nil : sample.raw
      return
    }
    let previous = points[index - 1].sample
    let isSameRun = previous.run == sample.run
    points[index].isBroken =
      !isSameRun || hasGap(previous, sample, missing) || (isCounter && sample.raw < previous.raw)
    guard isCounter else {
      points[index].value = sample.raw
      return
    }
    let divisor = sample.base - previous.base
    points[index].value =
      isSameRun && sample.raw >= previous.raw && divisor > 0
      ? (sample.raw - previous.raw) / divisor : nil
  }

  /// No sample for 2.5 times the usual spacing, or one that is known to be missing.
  ///
  /// A program numbers the records of all its topics together: a number that is missing is one of
  /// this line only if there is room for one.
  private func hasGap(_ previous: Sample, _ next: Sample, _ missing: [Range<UInt64>]) -> Bool {
    let spacing = next.time - previous.time
    let isMissing =
      next.sequence > previous.sequence + 1
      && missing.contains { $0.overlaps(previous.sequence + 1..<next.sequence) }
    guard let usual = usualSpacing else { return isMissing }
    return spacing > usual * 2.5 || (isMissing && spacing > usual * 1.5)
  }

  /// Keeps of four points the lowest and the highest; of a counter every second with both rates' mean.
  private mutating func thin() {
    var kept: [Point] = []
    kept.reserveCapacity(Self.capacity)
    let size = isCounter ? 2 : 4
    for start in stride(from: 0, to: points.count, by: size) {
      let group = points[start..<min(start + size, points.count)]
      let isBroken = group.contains(where: \.isBroken)
      guard group.count == size else {
        kept += group
        continue
      }
      if isCounter {
        let values = group.compactMap(\.value)
        var point = group[group.endIndex - 1]
        point.value = values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
        point.isBroken = isBroken
        kept.append(point)
      } else {
        let low = group.indices.min { group[$0].sample.raw < group[$1].sample.raw } ?? start
        let high =
          group.indices.reversed().max { group[$0].sample.raw < group[$1].sample.raw } ?? start
        for (position, index) in Set([low, high]).sorted().enumerated() {
          var point = points[index]
          point.isBroken = isBroken && position == 0
          kept.append(point)
        }
      }
    }
    points = kept
  }
}

/// What a legend says of the points in a window.
struct Summary: Equatable, Sendable {
  var minimum = Double.infinity
  var maximum = -Double.infinity
  var last = Double.nan
  private var sum = 0.0
  private(set) var count = 0

  var average: Double { sum / Double(count) }

  mutating func add(_ value: Double) {
    minimum = min(minimum, value)
    maximum = max(maximum, value)
    last = value
    sum += value
    count += 1
  }

  /// Errors: nil if there is no point with a value in it.
  init?(_ points: ArraySlice<Series.Point>) {
    for point in points { if let value = point.value { add(value) } }
    if count == 0 { return nil }
  }
}

extension Series {
  /// The points of a span of time.
  func points(from start: Double, to end: Double) -> ArraySlice<Point> {
    let first = index(of: start)
    var last = index(of: end)
    while last < points.count && points[last].sample.time == end { last += 1 }
    return points[first..<max(first, last)]
  }

  /// The first point that is not before a time.
  func index(of time: Double) -> Int {
    var (low, high) = (0, points.count)
    while low < high {
      let middle = (low + high) / 2
      if points[middle].sample.time < time { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
