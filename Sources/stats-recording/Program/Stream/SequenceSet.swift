/// The sequence numbers of one run that were seen, as ranges: a run without gaps is one of them.
struct SequenceSet: Sendable {
  private(set) var ranges: [ClosedRange<UInt64>] = []
  /// How many different numbers were seen.
  private(set) var count: UInt64 = 0

  /// More ranges than `capacity` are not kept: of the lowest it is forgotten that they were seen.
  static let capacity = 4096
  private let capacity: Int

  init(capacity: Int = Self.capacity) { self.capacity = capacity }

  /// Whether the number was not there yet.
  mutating func insert(_ number: UInt64) -> Bool {
    // The first range that ends at the number or behind it.
    var index = ranges.count
    if let last = ranges.last, last.upperBound >= number {
      var low = 0
      while low < index {
        let middle = (low + index) / 2
        if ranges[middle].upperBound < number { low = middle + 1 } else { index = middle }
      }
      if ranges[index].contains(number) { return false }
    }
    count += 1
    let joinsBefore = index > 0 && ranges[index - 1].upperBound + 1 == number
    let joinsBehind = index < ranges.count && ranges[index].lowerBound - 1 == number
    switch (joinsBefore, joinsBehind) {
    case (true, true):
      ranges[index - 1] = ranges[index - 1].lowerBound...ranges[index].upperBound
      ranges.remove(at: index)
    case (true, false): ranges[index - 1] = ranges[index - 1].lowerBound...number
    case (false, true): ranges[index] = number...ranges[index].upperBound
    case (false, false):
      ranges.insert(number...number, at: index)
      if ranges.count > capacity { ranges.removeFirst() }
    }
    return true
  }

  /// Forgets that a number was seen.
  mutating func remove(_ number: UInt64) {
    guard let index = ranges.lastIndex(where: { $0.contains(number) }) else { return }
    let range = ranges.remove(at: index)
    count -= 1
    if number < range.upperBound { ranges.insert(number + 1...range.upperBound, at: index) }
    if number > range.lowerBound { ranges.insert(range.lowerBound...number - 1, at: index) }
  }
}
