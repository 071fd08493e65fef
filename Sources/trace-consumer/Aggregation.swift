import BPFObjects
import Linux
import Records

/// A map of a program, and what of it was told.
///
/// The kernel only adds to it; what is told is the difference to what was told before. So nothing is lost
/// or counted twice while it is read, and what a full queue does not take comes with the next interval.
final class Aggregation {
  let name: Text
  let kind: Manifest.Kind
  private let key: Manifest.Layout
  private let map: BPFMap
  private let numbersPerKey: Int

  /// What there is of a key beside its numbers.
  private struct Key {
    let bytes: [UInt8]
    let text: Text
    /// When it was told last, or read last without anything to tell.
    var since: UInt64
    /// How often in a row it was read without anything new.
    var quietReadings = 0
  }

  private var keys: [Key] = []
  private var places: [[UInt8]: Int] = [:]
  // Of each key one number, or one for each bucket.
  private var now: [UInt64] = []
  private var told: [UInt64] = []
  /// What the key had when it was removed from the map before it came again.
  private var before: [UInt64] = []
  private var lastRead: UInt64
  /// Keys before this one have nothing to tell since the last reading.
  private var next = 0
  private var canForget = true

  /// `start` is when the program began, as all times here of CLOCK_MONOTONIC in nanoseconds.
  init(_ aggregate: Manifest.Aggregate, _ map: BPFMap, start: UInt64) {
    name = Text(aggregate.map)
    kind = aggregate.kind
    key = aggregate.key
    self.map = map
    numbersPerKey = aggregate.valueBytes / 8
    lastRead = start
  }

  private func range(_ place: Int) -> Range<Int> {
    (place * numbersPerKey)..<((place + 1) * numbersPerKey)
  }

  /// Reads the map. Whoever has not told all since the last reading goes on with what is there now.
  func read(at time: UInt64) {
    for place in keys.indices {
      if hasNews(place) {
        keys[place].quietReadings = 0
      } else {
        keys[place].since = lastRead
        keys[place].quietReadings += 1
      }
    }
    map.forEach { bytes, numbers in
      let place = place(of: bytes)
      var beganAnew = false
      for (number, index) in zip(numbers, range(place)) where number < now[index] &- before[index] {
        beganAnew = true
      }
      for (number, index) in zip(numbers, range(place)) {
        // A sum may become less; a count only where its key was thrown out of the map and came again.
        if beganAnew, !isSum { before[index] = now[index] }
        now[index] = before[index] &+ number
      }
      if hasNews(place) { keys[place].quietReadings = 0 }
    }
    lastRead = time
    next = 0
    if let capacity = map.capacity, keys.count > capacity / 2, canForget { forgetQuietKeys() }
  }

  private var isSum: Bool { if case .sum = kind { true } else { false } }

  private func place(of bytes: [UInt8]) -> Int {
    if let place = places[bytes] { return place }
    let place = keys.count
    places[bytes] = place
    keys.append(Key(bytes: bytes, text: key.keyText(bytes), since: lastRead))
    for _ in 0..<numbersPerKey {
      now.append(0)
      told.append(0)
      before.append(0)
    }
    return place
  }

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

  /// The last key takes its place.
  private func forget(_ place: Int) {
    places[keys[place].bytes] = nil
    let last = keys.count - 1
    if place < last {
      keys[place] = keys[last]
      places[keys[place].bytes] = place
      for (from, to) in zip(range(last), range(place)) {
        now[to] = now[from]
        told[to] = told[from]
        before[to] = before[from]
      }
    }
    keys.removeLast()
    now.removeLast(numbersPerKey)
    told.removeLast(numbersPerKey)
    before.removeLast(numbersPerKey)
  }

  private func hasNews(_ place: Int) -> Bool {
    for index in range(place) where now[index] != told[index] { return true }
    return false
  }

  /// The first key that has something to tell; it stays the first until ``settle(_:)``.
  func pending() -> Int? {
    while next < keys.count {
      if hasNews(next) { return next }
      next += 1
    }
    return nil
  }

  /// What was pending has been told.
  func settle(_ place: Int) {
    for index in range(place) { told[index] = now[index] }
    keys[place].since = lastRead
  }

  private func growth(_ index: Int) -> UInt64 { now[index] &- told[index] }

  private func identity(of place: Int, _ program: Text) -> TracedAggregation {
    var identity = TracedAggregation()
    identity.program = FixedText(program)
    identity.name = FixedText(name)
    identity.key = FixedText(keys[place].text)
    identity.intervalMicroseconds = (lastRead - keys[place].since) / 1000
    return identity
  }

  func value(of place: Int, _ program: Text) -> TracedValue {
    var body = TracedValue()
    body.aggregation = identity(of: place, program)
    body.value = Int64(bitPattern: growth(place))
    return body
  }

  /// Buckets behind the 64th, which no starter program has, are counted in the last one.
  func histogram(of place: Int, _ program: Text) -> TracedHistogram {
    var body = TracedHistogram()
    body.aggregation = identity(of: place, program)
    for index in 0..<numbersPerKey {
      body.counts[min(index, Buckets.count - 1)] &+= growth(place * numbersPerKey + index)
    }
    return body
  }
}
