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

  // Of each key, in the order in which they came.
  private var keys: [Text] = []
  private var now: [UInt64] = []
  private var told: [UInt64] = []
  /// When it was told last, or read last without anything to tell.
  private var since: [UInt64] = []
  private var places: [[UInt8]: Int] = [:]
  private var lastRead: UInt64
  /// Keys before this one have nothing to tell since the last reading.
  private var next = 0

  /// `start` is when the program began, as all times here of CLOCK_MONOTONIC in nanoseconds.
  init(_ aggregate: Manifest.Aggregate, _ map: BPFMap, start: UInt64) {
    name = Text(aggregate.map)
    kind = aggregate.kind
    key = aggregate.key
    self.map = map
    numbersPerKey = aggregate.valueBytes / 8
    lastRead = start
  }

  /// Reads the map. Whoever has not told all since the last reading goes on with what is there now.
  func read(at time: UInt64) {
    map.forEach { bytes, numbers in
      let place = place(of: bytes)
      if !hasNews(place) { since[place] = lastRead }
      for index in 0..<numbersPerKey { now[place * numbersPerKey + index] = numbers[index] }
    }
    lastRead = time
    next = 0
  }

  private func place(of bytes: [UInt8]) -> Int {
    if let place = places[bytes] { return place }
    let place = keys.count
    places[bytes] = place
    keys.append(key.keyText(bytes))
    since.append(lastRead)
    for _ in 0..<numbersPerKey {
      now.append(0)
      told.append(0)
    }
    return place
  }

  private func hasNews(_ place: Int) -> Bool {
    for index in (place * numbersPerKey)..<((place + 1) * numbersPerKey)
    where now[index] != told[index] { return true }
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
    for index in (place * numbersPerKey)..<((place + 1) * numbersPerKey) {
      told[index] = now[index]
    }
    since[place] = lastRead
  }

  private func growth(_ index: Int) -> UInt64 {
    // A count that became less began anew: its key was thrown out of the map and came again.
    if case .sum = kind { return now[index] &- told[index] }
    return now[index] >= told[index] ? now[index] - told[index] : now[index]
  }

  private func identity(of place: Int, _ program: Text) -> TracedAggregation {
    var identity = TracedAggregation()
    identity.program = FixedText(program)
    identity.name = FixedText(name)
    identity.key = FixedText(keys[place])
    identity.intervalMicroseconds = (lastRead - since[place]) / 1000
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
