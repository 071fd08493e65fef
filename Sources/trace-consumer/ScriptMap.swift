import BPFObjects
import Linux
import Records

/// A map of a bpftrace script, which bpftrace prints whole at each reading.
final class ScriptMap: Aggregation {
  /// Where its numbers begin in an entry.
  private let offset: Int
  /// The reading that each key was last in.
  private var readings: [UInt32] = []
  private var reading: UInt32 = 0

  private init(_ name: Text, _ kind: Manifest.Kind, offset: Int = 0, start: UInt64) {
    self.offset = offset
    let isHistogram = if case .quantize = kind { true } else { false }
    super.init(name, kind, numbersPerKey: isHistogram ? Buckets.count : 1, start: start)
  }

  /// What is told of a map.
  static func all(of map: ScriptSource.Map, start: UInt64) -> [ScriptMap] {
    switch map.form {
    case .count: [ScriptMap(map.name, .count, start: start)]
    case .sum: [ScriptMap(map.name, .sum, start: start)]
    case .histogram:
      [ScriptMap(map.name, .quantize(buckets: Buckets.count), start: start)]
    case .statistics:
      [
        ScriptMap(map.name + ".count", .count, start: start),
        ScriptMap(map.name + ".total", .sum, offset: 1, start: start),
      ]
    }
  }

  /// Keys whose texts are alike are one.
  func take(_ entries: [ScriptMessage.Entry], at time: UInt64) {
    beginReading()
    reading &+= 1
    for entry in entries {
      let place = place(of: entry.key) ?? add(entry.key)
      while readings.count <= place { readings.append(0) }
      let isFirst = readings[place] != reading
      readings[place] = reading
      for (number, index) in range(place).enumerated() {
        now[index] = (isFirst ? before[index] : now[index]) &+ entry.numbers[offset + number]
      }
    }
    endReading(at: time)
  }

  /// The script starts again, with empty maps.
  func beginAnew() {
    for place in keys.indices.reversed() {
      if hasNews(place) {
        for index in range(place) { before[index] = now[index] }
      } else {
        forget(place)
      }
    }
    readings = []
    reading = 0
  }
}
