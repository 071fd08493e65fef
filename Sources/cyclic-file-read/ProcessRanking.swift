/// The processes that use most of something, the first of them most.
struct ProcessRanking {
  struct Place {
    let score: UInt64
    /// CPU ticks since the last scan.
    let ticks: UInt64
    let status: ProcessStatus
  }

  private let limit: Int
  /// In the order in which they came.
  private var found: [Place] = []
  /// Where each rank stands in `found`: what moves when one comes in between.
  private var order: [Int] = []
  /// Whoever does not use more than this has no place: most of all processes.
  private var least: UInt64 = 0

  /// Of `count` processes.
  init(count: Int) {
    limit = count
    if count == 0 { least = .max }
    found.reserveCapacity(count)
    order.reserveCapacity(count)
  }

  var count: Int { order.count }

  subscript(rank: Int) -> Place { found[order[rank]] }

  mutating func removeAll() {
    guard limit > 0 else { return }
    least = 0
    found.removeAll(keepingCapacity: true)
    order.removeAll(keepingCapacity: true)
  }

  /// Takes the process in if it belongs there; who uses nothing does not. Of equals the first stays.
  mutating func offer(_ status: ProcessStatus, score: UInt64, ticks: UInt64) {
    if score > least { take(Place(score: score, ticks: ticks, status: status)) }
  }

  @inline(never)
  private mutating func take(_ place: Place) {
    var rank = order.count
    if rank < limit {
      order.append(rank)
      found.append(place)
    } else {
      // Instead of the last one.
      rank -= 1
      found[order[rank]] = place
    }
    let new = order[rank]
    while rank > 0 && found[order[rank - 1]].score < place.score {
      order[rank] = order[rank - 1]
      rank -= 1
    }
    order[rank] = new
    if order.count == limit { least = self[limit - 1].score }
  }

  func contains(_ processID: Int32) -> Bool {
    found.contains { $0.status.processID == processID }
  }
}
