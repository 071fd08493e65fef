/// A point of a line; a value that is not a number ends the line: a gap.
struct Point: Equatable, Sendable {
  /// Unix time in seconds, to the millisecond: more would be noise, and half of the bytes of JSON.
  let time: Double
  let value: Double

  init(time: Double, value: Double) {
    self.time = (time * 1000).rounded() / 1000
    self.value = value
  }

  static func gap(at time: Double) -> Point { Point(time: time, value: .nan) }
  var isGap: Bool { value.isNaN }
}

/// The last points of a line, so many and no more, in the order of their times.
struct PointRing: Sendable {
  let capacity: Int
  private var storage: [Point] = []
  private var start = 0
  /// Points that went to make room.
  private(set) var dropped = 0

  init(capacity: Int) {
    precondition(capacity > 0)
    self.capacity = capacity
  }

  var count: Int { storage.count }
  var last: Point? { storage.isEmpty ? nil : self[count - 1] }

  /// The oldest is at 0.
  subscript(index: Int) -> Point {
    get { storage[(start + index) % storage.count] }
    set { storage[(start + index) % storage.count] = newValue }
  }

  /// Puts it in by its time: what an outbox kept comes late. Older than all of a full ring is dropped.
  mutating func insert(_ point: Point) {
    var index = count
    while index > 0, self[index - 1].time > point.time { index -= 1 }
    if count == capacity {
      dropped += 1
      if index == 0 { return }
      // The place of the oldest becomes that of the newest.
      start = (start + 1) % count
      index -= 1
    } else {
      if start != 0 {
        storage = Array(storage[start...] + storage[..<start])
        start = 0
      }
      storage.append(point)
    }
    var place = count - 1
    while place > index {
      self[place] = self[place - 1]
      place -= 1
    }
    self[index] = point
  }

  /// All from `from` on and up to `to`; with more than `limit` of them, see ``ThinnedPoints``.
  func points(from: Double = -.infinity, to: Double = .infinity, limit: Int = .max) -> [Point] {
    let first = lowerBound(from)
    var end = first
    while end < count, self[end].time <= to { end += 1 }
    let points = (first..<end).map { self[$0] }
    guard points.count > limit, limit >= 2, let begin = points.first?.time,
      let last = points.last?.time, last > begin
    else { return points }
    var thinned = ThinnedPoints(from: begin, to: last, limit: limit)
    for point in points { thinned.add(point) }
    return thinned.points
  }

  private func lowerBound(_ time: Double) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle].time < time { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
