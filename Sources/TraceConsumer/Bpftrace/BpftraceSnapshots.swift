/// Turns the maps that bpftrace prints into what they got since they were last taken.
///
/// bpftrace cannot read and empty a map at once: what came between would be lost. So the maps only
/// grow, and the difference is taken here.
struct BpftraceSnapshots: Sendable {
  private struct Place: Hashable {
    var map: String
    var key: [TraceKey]
  }

  private var reported: [Place: TraceValue] = [:]
  private var newest: [TraceAggregate] = []
  /// Maps of a snapshot whose end has not come yet; nil between snapshots.
  private var coming: [TraceAggregate]?
  private(set) var count = 0

  enum Taken { case belongsToSnapshot, isPrinted }

  /// Takes a map as bpftrace printed it; tells whether it is of a snapshot or printed by the program.
  mutating func take(
    _ name: String, _ entries: [(key: [TraceKey], value: TraceValue)], of program: BpftraceProgram
  ) -> Taken {
    switch name {
    case BpftraceProgram.firstMap: coming = []
    case BpftraceProgram.lastMap:
      if let coming {
        newest = coming.sorted { $0.id.number < $1.id.number }
        count += 1
      }
      coming = nil
    default:
      guard coming != nil, let map = program.maps[name] else { return .isPrinted }
      coming? += entries.map { TraceAggregate(id: map.id, key: $0.key, value: $0.value) }
    }
    return .belongsToSnapshot
  }

  /// What the newest snapshot has beyond what was taken before.
  mutating func difference(of program: BpftraceProgram) -> [TraceAggregate] {
    let taken = newest.compactMap { aggregate -> TraceAggregate? in
      let place = Place(map: aggregate.id.name, key: aggregate.key)
      let map = program.maps[aggregate.id.name]
      // A map that the program empties by itself is given as it stands.
      let earlier = map?.isCleared == true ? nil : reported[place]
      guard let value = aggregate.value.since(earlier) else { return nil }
      return TraceAggregate(
        id: aggregate.id, key: aggregate.key, value: value.asWritten(map?.function ?? .none))
    }
    reported = [:]
    for aggregate in newest {
      reported[Place(map: aggregate.id.name, key: aggregate.key)] = aggregate.value
    }
    return taken
  }
}

extension TraceValue {
  /// `avg` ran as `stats`.
  func asWritten(_ function: BpftraceProgram.Function) -> TraceValue {
    if function == .avg, case .statistics(let count, let sum) = self {
      return .average(count == 0 ? 0 : Double(sum) / Double(count))
    }
    return self
  }
}
