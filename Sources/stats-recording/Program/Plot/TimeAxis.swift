import Foundation

/// The span of time that is drawn, and where it carries labels.
struct TimeAxis: Equatable, Sendable {
  let start: Double
  let end: Double

  struct Tick: Equatable, Sendable {
    let time: Double
    let label: String
  }

  private static let steps: [Double] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400,
    172_800, 604_800, 1_209_600, 2_419_200,
  ]

  func position(_ time: Double) -> Double { (time - start) / (end - start) }

  /// At round local times, with room for the labels in so many columns.
  func ticks(columns: Int) -> [Tick] {
    let span = end - start
    let count = max(1, Double(columns) / 16)
    let step = Self.steps.first { span / $0 <= count } ?? span
    let offset = Self.offsetFromUTC(at: end)
    var ticks: [Tick] = []
    var index = ((start + offset) / step).rounded(.up)
    while index * step - offset <= end && ticks.count < 200 {
      let time = index * step - offset
      ticks.append(Tick(time: time, label: Self.label(time, step: step)))
      index += 1
    }
    return ticks
  }

  private static func label(_ time: Double, step: Double) -> String {
    switch step {
    case 86400...: localTime(time, "%m-%d")
    case 3600...: localTime(time, "%m-%d %H:%M")
    case 60...: localTime(time, "%H:%M")
    default: localTime(time, "%H:%M:%S")
    }
  }

  /// A time where this is run, by a format of strftime(3).
  static func localTime(_ time: Double, _ format: String) -> String {
    var parts = broken(time)
    var text = [CChar](repeating: 0, count: 64)
    let length = strftime(&text, text.count, format, &parts)
    return String(decoding: text.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func offsetFromUTC(at time: Double) -> Double { Double(broken(time).tm_gmtoff) }

  private static func broken(_ time: Double) -> tm {
    var seconds = time_t(max(-1e12, min(1e12, time.rounded(.down))))
    var parts = tm()
    localtime_r(&seconds, &parts)
    return parts
  }
}
