import Foundation
import Testing

/// What became of the records of a test: a line of the table in ARCHITECTURE.md.
struct FaultFigures {
  let fault: String
  /// What the queues took.
  let sent: Int
  /// Of these, what came at least once.
  let arrived: Int
  /// What the broker was sent again, also where it went under before it could pass it on.
  let duplicated: Int
  /// What the bridge says it gave up.
  var counted = 0

  /// What never came.
  var lost: Int { sent - arrived }

  init(_ fault: String, _ loads: [LoadGenerator], _ tap: Tap, counted: Int = 0) {
    self.fault = fault
    self.counted = counted
    var (sent, arrived, duplicated) = (0, 0, 0)
    for load in loads {
      sent += load.sent
      arrived += tap.arrivals.figures(of: load.instance).distinct
      duplicated += tap.sent.figures(of: load.instance).again
    }
    (self.sent, self.arrived, self.duplicated) = (sent, arrived, duplicated)
  }

  /// Prints the line.
  func tell() {
    print("| \(fault) | \(sent) | \(arrived) | \(duplicated) | \(lost) | \(counted) |")
  }
}

/// Which records came, and how often: by the instance and sequence number in their JSON.
final class Arrivals: @unchecked Sendable {
  private let lock = NSLock()
  private var counts: [UInt64: [UInt8]] = [:]
  private var dropped: [UInt64: UInt64] = [:]

  func count(_ record: Identity) {
    lock.withLock {
      let sequence = Int(record.sequence)
      var seen = counts.removeValue(forKey: record.instance) ?? []
      if seen.count <= sequence {
        seen += [UInt8](repeating: 0, count: max(sequence + 1 - seen.count, seen.count + 1000))
      }
      if seen[sequence] < .max { seen[sequence] += 1 }
      counts[record.instance] = seen
      dropped[record.instance] = max(dropped[record.instance] ?? 0, record.dropped)
    }
  }

  /// Of each instance but these: the records that are missing up to the last that came, and how many of
  /// them the program says that its queue did not take.
  func gaps(without loads: [LoadGenerator]) -> [(missing: Int, dropped: Int)] {
    lock.withLock {
      counts.filter { instance, _ in !loads.contains { $0.instance == instance } }.map {
        let last = $1.lastIndex { $0 > 0 } ?? 0
        return (missing: $1[...last].count { $0 == 0 }, dropped: Int(dropped[$0] ?? 0))
      }
    }
  }

  func figures(of instance: UInt64) -> (distinct: Int, again: Int) {
    lock.withLock {
      var (distinct, all) = (0, 0)
      for count in counts[instance] ?? [] where count > 0 {
        distinct += 1
        all += Int(count)
      }
      return (distinct, all - distinct)
    }
  }

  /// The sequence numbers that did not come, up to `sent`.
  func missing(of load: LoadGenerator) -> [Int] {
    lock.withLock {
      let seen = counts[load.instance] ?? []
      return (0..<load.sent).filter { $0 >= seen.count || seen[$0] == 0 }
    }
  }

  func distinct(_ loads: [LoadGenerator]) -> Int {
    loads.reduce(0) { $0 + figures(of: $1.instance).distinct }
  }

  struct Identity: Equatable {
    let instance: UInt64
    let sequence: UInt64
    let dropped: UInt64

    /// From a payload that has a NUL behind it.
    init?(_ payload: UnsafePointer<CChar>) {
      guard let instance = Self.number(behind: "\"instance\":", payload),
        let sequence = Self.number(behind: "\"seq\":", payload), sequence < 1 << 28,
        let dropped = Self.number(behind: "\"dropped\":", payload)
      else { return nil }
      self.dropped = dropped
      self.instance = instance
      self.sequence = sequence
    }

    private static func number(behind key: String, _ text: UnsafePointer<CChar>) -> UInt64? {
      guard let place = strstr(text, key) else { return nil }
      return strtoull(place + key.utf8.count, nil, 10)
    }
  }
}
