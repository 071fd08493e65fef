import Foundation
import Records
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
  }

  /// The records of a payload: an object or an array of them, lines, or the records' own bytes.
  static func identities(_ payload: [UInt8]) -> [Identity] {
    if payload.starts(with: Array("SREC".utf8)) { return ofRecords(payload) }
    // With a NUL behind it.
    let text = payload.map { CChar(bitPattern: $0) } + [0]
    let isJSON = payload.first == UInt8(ascii: "{") || payload.first == UInt8(ascii: "[")
    let keys =
      isJSON
      ? ["\"instance\":", "\"seq\":", "\"dropped\":"] : [",instance=", ",seq=", ",dropped="]
    var (found, offset) = ([Identity](), 0)
    while true {
      var numbers: [UInt64] = []
      for key in keys {
        let place = text.withUnsafeBufferPointer { buffer in
          strstr(buffer.baseAddress! + offset, key).map {
            $0 - UnsafeMutablePointer(mutating: buffer.baseAddress!)
          }
        }
        guard let place else { return found }
        offset = place + key.utf8.count
        numbers.append(text.withUnsafeBufferPointer { strtoull($0.baseAddress! + offset, nil, 10) })
      }
      guard numbers[1] < 1 << 28 else { return found }
      found.append(Identity(instance: numbers[0], sequence: numbers[1], dropped: numbers[2]))
    }
  }

  private static func ofRecords(_ payload: [UInt8]) -> [Identity] {
    var (found, rest) = ([Identity](), payload[...])
    func number(_ offset: Int, _ width: Int) -> UInt64 {
      (0..<width).reduce(0) { $0 | UInt64(rest[rest.startIndex + offset + $1]) << (8 * $1) }
    }
    while rest.count >= RecordHeader.encodedSize {
      found.append(
        Identity(instance: number(16, 8), sequence: number(24, 8), dropped: number(32, 8)))
      rest = rest.dropFirst(Int(number(6, 2) + number(10, 2)))
    }
    return found
  }
}
