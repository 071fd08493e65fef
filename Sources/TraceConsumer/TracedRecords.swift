/// Records that wait to be consumed; bounded, and what does not fit is counted.
struct TracedRecords: Sendable {
  private static let capacity = 1 << 17

  private var waiting: [TracedRecord] = []
  private var dropped: Int64 = 0

  var isEmpty: Bool { waiting.isEmpty }

  mutating func add(_ probe: TraceProbe, _ records: [TraceRecord]) {
    guard waiting.count < Self.capacity else {
      dropped += 1
      return
    }
    waiting += records.map { TracedRecord(probe: probe, record: $0) }
  }

  /// Counts losses of one reason, in one record until it is consumed.
  mutating func addUp(_ probe: TraceProbe, _ reason: TraceLoss.Reason, count: Int64 = 1) {
    let index = waiting.firstIndex {
      if case .lost(let loss) = $0.record { loss.reason == reason } else { false }
    }
    if let index, case .lost(var loss) = waiting[index].record {
      loss.count += count
      waiting[index].record = .lost(loss)
    } else {
      add(probe, [.lost(TraceLoss(reason, count: count))])
    }
  }

  mutating func take() -> [TracedRecord] {
    var taken = waiting
    if dropped > 0 {
      let loss = TraceRecord.lost(TraceLoss(.notConsumed, count: dropped))
      taken.append(TracedRecord(probe: TraceProbe(provider: "trace"), record: loss))
    }
    waiting = []
    dropped = 0
    return taken
  }
}
