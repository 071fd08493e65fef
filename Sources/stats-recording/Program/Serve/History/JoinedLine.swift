/// A line of the page: what was recorded of it and what has come, as one.
struct JoinedLine: Sendable {
  let chart: Chart
  let label: String
  /// Below 0: it is in recordings alone.
  let id: Int
  private let ring: PointRing?
  private let recorded: RecordedStretch.Line?

  init(_ line: ChartLine, recorded: RecordedStretch.Line?) {
    (id, chart, label) = (line.id, line.chart, line.label)
    ring = line.ring
    self.recorded = recorded
  }

  init(recorded: RecordedStretch.Line) {
    (id, chart, label) = (recorded.line.id, recorded.line.chart, recorded.line.label)
    ring = nil
    self.recorded = recorded
  }

  /// Points that went because the line had too many.
  var dropped: Int { ring?.dropped ?? 0 }

  /// All from `from` on and up to `to`; with more than `limit` of them, see ``ThinnedPoints``.
  func points(from: Double, to: Double, limit: Int) -> [Point] {
    guard let recorded else { return ring?.points(from: from, to: to, limit: limit) ?? [] }
    let points = joined(
      recorded.points.points.filter { from <= $0.time && $0.time <= to },
      ring?.points(from: from, to: to) ?? [], recorded.line)
    guard points.count > limit, let begin = points.first?.time, let end = points.last?.time else {
      return points
    }
    var thinned = ThinnedPoints(from: begin, to: end, limit: limit)
    for point in points { thinned.add(point) }
    return thinned.points
  }

  /// A value, and who has it.
  private struct Value {
    var point: Point
    var isRecorded = false
    var came = false
  }

  /// Where both have a value at a time it is the one that came. What a line knows of itself says where
  /// it has gaps: between two values that were recorded it is the recording, which saw more of it.
  private func joined(_ recorded: [Point], _ came: [Point], _ line: ChartLine) -> [Point] {
    var byTime: [Double: Value] = [:]
    for point in recorded where !point.isGap {
      byTime[point.time] = Value(point: point, isRecorded: true)
    }
    for point in came where !point.isGap {
      byTime[point.time, default: Value(point: point)].point = point
      byTime[point.time]?.came = true
    }
    var gaps = (recorded: recorded.filter(\.isGap)[...], came: came.filter(\.isGap)[...])
    var points: [Point] = []
    var last: Value?
    let values = byTime.values.sorted { $0.point.time < $1.point.time }
    for next in values.map(Optional.some) + [nil] {
      let end = next?.point.time ?? .infinity
      let (recordedGaps, newGaps) = (
        gaps.recorded.prefix { $0.time < end }, gaps.came.prefix { $0.time < end }
      )
      gaps.recorded = gaps.recorded.dropFirst(recordedGaps.count)
      gaps.came = gaps.came.dropFirst(newGaps.count)
      let known = recordedGaps.isEmpty ? newGaps : recordedGaps
      switch (last, next) {
      case (let last?, let next?) where last.isRecorded && next.isRecorded: points += recordedGaps
      case (let last?, let next?) where last.came && next.came: points += newGaps
      case (let last?, let next?) where known.isEmpty && last.isRecorded:
        // A recording that ended before this server was started: nothing is known of the time between.
        if let gap = line.gap(before: next.point.time) { points.append(gap) }
      default: points += known
      }
      if let next { points.append(next.point) }
      last = next
    }
    return points
  }
}
