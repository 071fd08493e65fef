/// Tells of each record whether it is the next one of its program, and what is missing before it.
///
/// `seq` counts all records of a run of a program, on whatever topic: `boot_id` and `instance` say
/// which run it is. Records of an earlier run may still come, from the disk of a bridge.
struct Continuity: Sendable {
  /// How a record stands to those before it.
  struct Arrival: Equatable, Sendable {
    enum Order: Equatable, Sendable {
      case next
      /// It was missing until now.
      case late
      /// It has come before: to be dropped.
      case duplicate
    }

    var order = Order.next
    /// Records that should have come before this one.
    var missing: UInt64 = 0
    /// A later run of the program begins.
    var beginning: Beginning?
    /// The number of the run, of this program alone.
    var run = 0
  }

  enum Beginning: Equatable, Sendable {
    /// The program was started again.
    case restart
    /// The device was, and this is the first that it tells since then.
    case reboot
  }

  /// A program on a device.
  struct Stream: Hashable, Sendable {
    let device: String
    let program: String

    init(_ topic: RecordTopic) {
      device = topic.device
      program = topic.program
    }
  }

  fileprivate struct Run: Sendable {
    let bootID: String
    let instance: UInt64
    let number: Int
    var next: UInt64
    var missing: [Range<UInt64>] = []
  }

  /// Older runs than these are forgotten: their late records begin a run of their own.
  private static let runsKept = 8
  fileprivate static let rangesKept = 1024

  private var streams: [Stream: [Run]] = [:]
  private var bootIDs: [String: Set<String>] = [:]

  mutating func take(_ record: PublishedRecord) -> Arrival {
    let stream = Stream(record.topic)
    var runs = streams[stream] ?? []
    // Let go of it here, so that it is changed in place.
    streams[stream] = nil
    defer { streams[stream] = runs }
    let bootIsNew = bootIDs[record.topic.device, default: []].insert(record.bootID).inserted
    if let index = runs.lastIndex(where: {
      $0.instance == record.instance && $0.bootID == record.bootID
    }) {
      return runs[index].take(record.sequence)
    }
    var arrival = Arrival()
    arrival.run = (runs.last?.number ?? -1) + 1
    var run = Run(
      bootID: record.bootID, instance: record.instance, number: arrival.run,
      next: record.sequence + 1)
    if let last = runs.last {
      // All of a run is missing that began under our eyes; what we joined in the middle is not.
      if record.sequence > 0 { run.missing = [0..<record.sequence] }
      arrival.missing = record.sequence
      if last.bootID != record.bootID {
        arrival.beginning = bootIsNew ? .reboot : .restart
      } else if record.instance > last.instance {
        arrival.beginning = .restart
      }
    } else if bootIsNew, bootIDs[record.topic.device]?.count ?? 0 > 1 {
      arrival.beginning = .reboot
    }
    runs.append(run)
    if runs.count > Self.runsKept { runs.removeFirst() }
    return arrival
  }

  /// What is missing of a run up to now, in the order of its numbers.
  func missing(of topic: RecordTopic, run: Int) -> [Range<UInt64>] {
    streams[Stream(topic)]?.last { $0.number == run }?.missing ?? []
  }

  /// How many records are missing, of all programs.
  var missingCount: UInt64 {
    streams.values.joined().lazy.flatMap(\.missing).reduce(0) { $0 &+ UInt64($1.count) }
  }
}

extension Continuity.Run {
  fileprivate mutating func take(_ sequence: UInt64) -> Continuity.Arrival {
    var arrival = Continuity.Arrival(run: number)
    if sequence >= next {
      arrival.missing = sequence - next
      if sequence > next { missing.append(next..<sequence) }
      if missing.count > Continuity.rangesKept { missing.removeFirst() }
      next = sequence &+ 1
    } else if let index = missing.firstIndex(where: { $0.contains(sequence) }) {
      arrival.order = .late
      let range = missing[index]
      missing.replaceSubrange(
        index...index,
        with: [range.lowerBound..<sequence, sequence + 1..<range.upperBound].filter { !$0.isEmpty })
    } else {
      // Before the first one that we saw of the first run: nobody has told whether it came.
      arrival.order = .duplicate
    }
    return arrival
  }
}
