/// One line of a chart: makes points of what records say, and finds the gaps.
struct ChartLine: Sendable {
  let id: Int
  let device: String
  let chart: Chart
  let label: String
  var ring: PointRing
  /// When the last record came, in the order of all records: the oldest goes when there is no room.
  var lastArrival = 0

  private var previous: Previous?
  /// The last distances in time between records.
  private var spacings: [Double] = []

  private struct Previous {
    let time: Double
    let input: ChartReading.Input
    let run: RecordRun
    /// How many records of the program were missing up to then.
    let missing: Int
  }

  init(id: Int, device: String, chart: Chart, label: String, capacity: Int) {
    self.id = id
    self.device = device
    self.chart = chart
    self.label = label
    ring = PointRing(capacity: capacity)
  }

  /// Takes the next reading; returns the points that came of it: none, one, or a gap and one.
  ///
  /// `missing` is how many records of the program did not arrive up to this one. A line has a gap
  /// where the program started anew, where nothing came for 2.5 times the usual distance, and for
  /// 1.5 times where records are known to be missing.
  mutating func take(
    _ input: ChartReading.Input, time: Double, run: RecordRun, missing: Int
  ) -> [Point] {
    defer {
      if previous.map({ $0.time <= time }) ?? true {
        previous = Previous(time: time, input: input, run: run, missing: missing)
      }
    }
    var points: [Point] = []
    if let previous, time > previous.time {
      let spacing = time - previous.time
      let usual = usualSpacing
      let isLong = usual.map { spacing > $0 * (missing > previous.missing ? 1.5 : 2.5) } ?? false
      if run != previous.run || isLong, ring.last?.isGap == false {
        // Right behind the last point, so that what comes late from an outbox closes in on it.
        points.append(.gap(at: previous.time + min(usual ?? spacing, spacing) / 2))
      }
      if run == previous.run, !isLong {
        spacings.append(spacing)
        if spacings.count > 7 { spacings.removeFirst() }
      }
    }
    if let value = value(of: input, at: time, run) {
      points.append(Point(time: time, value: value))
    }
    for point in points { ring.insert(point) }
    return points
  }

  private var usualSpacing: Double? { spacings.sorted()[safe: spacings.count / 2] }

  /// The gap behind the last reading, if that of another line goes on at this time; nil: it is near.
  func gap(before time: Double) -> Point? {
    guard let previous, let usualSpacing, time - previous.time > usualSpacing * 2.5 else {
      return nil
    }
    return .gap(at: previous.time + usualSpacing / 2)
  }

  private func value(of input: ChartReading.Input, at time: Double, _ run: RecordRun) -> Double? {
    if case .gauge(let value) = input { return value }
    // A counter begins anew with the boot only, but not every source outlives its program.
    guard let previous, previous.run == run, time > previous.time else { return nil }
    switch (previous.input, input) {
    case (.counter(let before), .counter(let now)) where now >= before:
      return (now - before) / (time - previous.time)
    case (.share(let part, let whole), .share(let newPart, let newWhole)) where newWhole > whole:
      return min(1, max(0, (newPart - part) / (newWhole - whole)))
    default: return nil
    }
  }
}

extension Array {
  subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
