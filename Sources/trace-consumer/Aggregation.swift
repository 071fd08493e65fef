import BPFObjects
import Linux
import Records

/// What a program counts by key, and what of it was told.
///
/// It only grows; what is told is the difference to what was told before. So nothing is lost or counted
/// twice while it is read, and what a full queue does not take comes with the next interval.
class Aggregation {
  final let name: Text
  final let kind: Manifest.Kind
  final let numbersPerKey: Int

  /// What there is of a key beside its numbers.
  struct Key {
    let bytes: [UInt8]
    /// When it was told last, or read last without anything to tell.
    var since: UInt64
    /// How often in a row it was read without anything new.
    var quietReadings = 0
  }

  final private(set) var keys: [Key] = []
  private var places: [[UInt8]: Int] = [:]
  // Of each key one number, or one for each bucket.
  final var now: [UInt64] = []
  private var told: [UInt64] = []
  /// What the key had when it was removed from the map before it came again.
  final var before: [UInt64] = []
  private var lastRead: UInt64
  /// Keys before this one have nothing to tell since the last reading.
  private var next = 0

  /// `start` is when the program began, as all times here of CLOCK_MONOTONIC in nanoseconds.
  init(_ name: Text, _ kind: Manifest.Kind, numbersPerKey: Int, start: UInt64) {
    self.name = name
    self.kind = kind
    self.numbersPerKey = numbersPerKey
    lastRead = start
  }

  final func range(_ place: Int) -> Range<Int> {
    (place * numbersPerKey)..<((place + 1) * numbersPerKey)
  }

  /// A reading begins: what was not told since the last one is told with what comes now.
  final func beginReading() {
    for place in keys.indices {
      if hasNews(place) {
        keys[place].quietReadings = 0
      } else {
        keys[place].since = lastRead
        keys[place].quietReadings += 1
      }
    }
  }

  final func endReading(at time: UInt64) {
    for place in keys.indices where hasNews(place) { keys[place].quietReadings = 0 }
    lastRead = time
    next = 0
  }

  final func place(of bytes: [UInt8]) -> Int? { places[bytes] }

  /// How a key is told; not kept, since a map may have thousands.
  func keyText(_ bytes: [UInt8]) -> Text { Text(bytes) }

  final func add(_ bytes: [UInt8]) -> Int {
    let place = keys.count
    places[bytes] = place
    keys.append(Key(bytes: bytes, since: lastRead))
    for _ in 0..<numbersPerKey {
      now.append(0)
      told.append(0)
      before.append(0)
    }
    return place
  }

  /// The last key takes its place.
  final func forget(_ place: Int) {
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

  final func hasNews(_ place: Int) -> Bool {
    for index in range(place) where now[index] != told[index] { return true }
    return false
  }

  /// The first key that has something to tell; it stays the first until ``settle(_:)``.
  final func pending() -> Int? {
    while next < keys.count {
      if hasNews(next) { return next }
      next += 1
    }
    return nil
  }

  final var untold: Int {
    var count = 0
    for place in keys.indices where hasNews(place) { count += 1 }
    return count
  }

  /// What was pending has been told.
  final func settle(_ place: Int) {
    for index in range(place) { told[index] = now[index] }
    keys[place].since = lastRead
  }

  private func growth(_ index: Int) -> UInt64 { now[index] &- told[index] }

  private func identity(of place: Int, _ program: Text) -> TracedAggregation {
    var identity = TracedAggregation()
    identity.program = FixedText(program)
    identity.name = FixedText(name)
    identity.key = FixedText(keyText(keys[place].bytes))
    identity.intervalMicroseconds = (lastRead - keys[place].since) / 1000
    return identity
  }

  final func value(of place: Int, _ program: Text) -> TracedValue {
    var body = TracedValue()
    body.aggregation = identity(of: place, program)
    body.value = Int64(bitPattern: growth(place))
    return body
  }

  /// Buckets behind the 64th, which no starter program has, are counted in the last one.
  final func histogram(of place: Int, _ program: Text) -> TracedHistogram {
    var body = TracedHistogram()
    body.aggregation = identity(of: place, program)
    for index in 0..<numbersPerKey {
      body.counts[min(index, Buckets.count - 1)] &+= growth(place * numbersPerKey + index)
    }
    return body
  }
}
