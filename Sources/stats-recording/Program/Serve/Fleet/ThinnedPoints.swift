/// Points of a stretch of time, at most so many, whatever their number was.
///
/// Up to `limit` they are kept as they are. With more, each of `limit / 2` equal stretches of time gives
/// its lowest and its highest point, so that peaks stay; a gap in it stays too.
struct ThinnedPoints: Sendable {
  private let begin: Double
  /// The length of one of the stretches, in seconds.
  private let length: Double
  private let limit: Int
  private var all: [Point] = []
  private var extremes: [Int: Extremes] = [:]

  private struct Extremes: Sendable {
    var lowest: Point?
    var highest: Point?
    var gap: Point?

    mutating func add(_ point: Point) {
      if point.isGap {
        gap = gap ?? point
      } else {
        if lowest.map({ point.value < $0.value }) ?? true { lowest = point }
        if highest.map({ point.value > $0.value }) ?? true { highest = point }
      }
    }

    var points: [Point] {
      var chosen: [Point] = []
      for case let point? in [lowest, highest, gap]
      where !chosen.contains(where: { $0.time == point.time }) {
        chosen.append(point)
      }
      return chosen.sorted { $0.time < $1.time }
    }
  }

  /// Of the time from `begin` to `end`; `limit` is 2 at least.
  init(from begin: Double, to end: Double, limit: Int) {
    self.begin = begin
    self.limit = max(2, limit)
    length = max((end - begin) / Double(max(1, limit / 2)), .leastNormalMagnitude)
  }

  mutating func add(_ point: Point) {
    guard extremes.isEmpty else { return addToItsStretch(point) }
    all.append(point)
    guard all.count > limit else { return }
    for point in all { addToItsStretch(point) }
    all = []
  }

  private mutating func addToItsStretch(_ point: Point) {
    let number = Int(max(-1e15, min(1e15, ((point.time - begin) / length).rounded(.down))))
    extremes[number, default: Extremes()].add(point)
  }

  /// In the order of their times.
  var points: [Point] {
    extremes.isEmpty
      ? all.sorted { $0.time < $1.time }
      : extremes.sorted { $0.key < $1.key }.flatMap(\.value.points)
  }
}
