/// The processes that use most of something, the first of them most.
struct ProcessRanking {
  struct Place {
    let score: UInt64
    /// CPU ticks since the last scan.
    let ticks: UInt64
    let status: ProcessStatus
  }

  private(set) var places: [Place] = []
  private let count: Int

  /// Of `count` processes.
  init(count: Int) {
    self.count = count
    places.reserveCapacity(count)
  }

  mutating func removeAll() {
    places.removeAll(keepingCapacity: true)
  }

  /// Takes the process in if it belongs there; who uses nothing does not. Of equals the first stays.
  mutating func offer(_ status: ProcessStatus, score: UInt64, ticks: UInt64) {
    guard score > 0, count > 0, places.count < count || score > places[count - 1].score
    else { return }
    // The last one goes first, so that nothing grows.
    if places.count == count { places.removeLast() }
    var index = places.count
    while index > 0 && places[index - 1].score < score { index -= 1 }
    places.insert(Place(score: score, ticks: ticks, status: status), at: index)
  }

  func contains(_ processID: Int32) -> Bool {
    places.contains { $0.status.processID == processID }
  }
}
