import BPFObjects
import Linux

/// A map of an object in the kernel, which only adds to it.
final class MapAggregation: Aggregation {
  private let key: Manifest.Layout
  private let map: BPFMap
  private var canForget = true

  init(_ aggregate: Manifest.Aggregate, _ map: BPFMap, start: UInt64) {
    key = aggregate.key
    self.map = map
    super.init(
      Text(aggregate.map), aggregate.kind, numbersPerKey: aggregate.valueBytes / 8, start: start)
  }

  override func keyText(_ bytes: [UInt8]) -> Text { key.keyText(bytes) }

  /// Reads the map. Whoever has not told all since the last reading goes on with what is there now.
  func read(at time: UInt64) {
    beginReading()
    map.forEach { bytes, numbers in
      let place = place(of: bytes) ?? add(bytes)
      var beganAnew = false
      for (number, index) in zip(numbers, range(place)) where number < now[index] &- before[index] {
        beganAnew = true
      }
      for (number, index) in zip(numbers, range(place)) {
        // A sum may become less; a count only where its key was thrown out of the map and came again.
        if beganAnew, !isSum { before[index] = now[index] }
        now[index] = before[index] &+ number
      }
    }
    endReading(at: time)
    if let capacity = map.capacity, keys.count > capacity / 2, canForget { forgetQuietKeys() }
  }

  private var isSum: Bool { if case .sum = kind { true } else { false } }

  /// A map that is full counts no new key: keys of which nothing came for long leave it while it is
  /// more than half full.
  private func forgetQuietKeys() {
    for place in keys.indices.reversed()
    where keys[place].quietReadings >= Self.readingsUntilForgotten && !hasNews(place) {
      do throws(BPFError) {
        if let numbers = try map.take(keys[place].bytes) {
          for (number, index) in zip(numbers, range(place)) {
            before[index] &+= number
            now[index] = before[index]
          }
        }
      } catch {
        canForget = false
        return
      }
      // What came in the moment of its removal is told first.
      if !hasNews(place) { forget(place) }
    }
  }

  private static let readingsUntilForgotten = 12
}
