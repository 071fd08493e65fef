import Foundation
import TraceConsumer

/// What aggregations got up to now, and how it looks.
struct TraceBoard {
  private struct Row {
    var key: [TraceKey]
    var value: TraceValue
  }

  private var names: [Int: String] = [:]
  private var rows: [Int: [[TraceKey]: TraceValue]] = [:]

  mutating func add(_ id: TraceAggregationID, _ key: [TraceKey], _ value: TraceValue) {
    names[id.number] = id.name
    let earlier = rows[id.number]?[key]
    rows[id.number, default: [:]][key] = earlier?.adding(value) ?? value
  }

  /// As wide as the terminal.
  static var width: Int {
    var size = winsize()
    guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// One after the other, in the order of the program; the largest first.
  func lines(width: Int) -> [String] {
    names.keys.sorted().flatMap { number -> [String] in
      let rows = (rows[number] ?? [:]).map { Row(key: $0, value: $1) }.sorted {
        let (left, right) = ($0.value.weight, $1.value.weight)
        return left == right ? $0.key.description < $1.key.description : left > right
      }
      return Self.lines(names[number] ?? "", rows, width)
    }
  }

  private static func lines(_ name: String, _ rows: [Row], _ width: Int) -> [String] {
    let titles = rows.map { name + subscripts($0.key) }
    let numbers = rows.map(\.value.shortText)
    let titleWidth = titles.map(\.count).max() ?? 0
    let numberWidth = numbers.map { $0?.count ?? 0 }.max() ?? 0
    let most = rows.map(\.value.weight).max() ?? 0
    return rows.indices.flatMap { index -> [String] in
      switch rows[index].value {
      case .quantize(let ranges):
        return [titles[index] + ":"] + TraceBars.lines(ranges, .doubling, width: width)
      case .lquantize(let ranges):
        return [titles[index] + ":"] + TraceBars.lines(ranges, .equal, width: width)
      case .llquantize(let ranges):
        return [titles[index] + ":"] + TraceBars.lines(ranges, .uneven, width: width)
      default:
        let line =
          titles[index].padded(to: titleWidth) + "  " + (numbers[index] ?? "").aligned(numberWidth)
        guard rows.count > 1, rows[index].value.isAmount else { return [line] }
        let bar = TraceBars.bar(
          rows[index].value.weight, of: most, width: width - titleWidth - numberWidth - 4)
        return [bar.isEmpty ? line : "\(line)  \(bar)"]
      }
    }
  }

  private static func subscripts(_ key: [TraceKey]) -> String {
    key.isEmpty ? "" : "[" + key.map { printable($0.description) }.joined(separator: ", ") + "]"
  }

  /// Keys come from the kernel and from other programs; a terminal must not obey them.
  private static func printable(_ text: String) -> String {
    String(
      text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : Character($0) })
  }

  /// A record as it comes: what was printed on standard output, what was lost on standard error.
  static func show(_ record: TraceRecord) {
    switch record {
    case .printed(let text): print(text, terminator: "")
    case .values(let values): print(values.map(\.description).joined(separator: " "))
    case .aggregate(let aggregate):
      var board = TraceBoard()
      board.add(aggregate.id, aggregate.key, aggregate.value)
      for line in board.lines(width: width) { print(line) }
    case .lost(let loss): complain(loss.description)
    case .end: fflush(nil)
    }
  }
}

extension TraceValue {
  /// What it is sorted and drawn by.
  var weight: Double {
    switch self {
    case .count(let number), .sum(let number), .min(let number), .max(let number),
      .integer(let number):
      Double(number)
    case .average(let number), .standardDeviation(let number): number
    case .statistics(let count, _): Double(count)
    case .quantize(let ranges), .lquantize(let ranges), .llquantize(let ranges):
      ranges.map { Double($0.count) }.reduce(0, +)
    case .text: 0
    }
  }

  /// Whether it is so much of something that a bar tells more.
  var isAmount: Bool {
    switch self {
    case .count, .sum: true
    default: false
    }
  }

  /// Nil for distributions.
  var shortText: String? {
    switch self {
    case .count(let number), .sum(let number), .min(let number), .max(let number),
      .integer(let number):
      "\(number)"
    case .average(let number), .standardDeviation(let number): String(format: "%.2f", number)
    case .statistics(let count, let sum):
      "count \(count), sum \(sum), average \(String(format: "%.2f", Double(sum) / Double(count)))"
    case .text(let text): text
    case .quantize, .lquantize, .llquantize: nil
    }
  }
}
