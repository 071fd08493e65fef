import ArgumentParser

/// A time as people write it: `100ms`, `1s`, `5min`, `2h`, `7d`.
struct TimeSpan: ExpressibleByArgument, Equatable {
  let milliseconds: Int64

  init(milliseconds: Int64) { self.milliseconds = milliseconds }

  init?(argument: String) {
    let digits = argument.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int64(digits),
      let factor = Self.units[String(argument.dropFirst(digits.count))]
    else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: factor)
    guard !overflow else { return nil }
    milliseconds = product
  }

  var defaultValueDescription: String {
    let unit = Self.units.filter { milliseconds % $0.value == 0 }.max { $0.value < $1.value }
    return unit.map { "\(milliseconds / $0.value)\($0.key)" } ?? "\(milliseconds)ms"
  }

  private static let units: [String: Int64] = [
    "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000,
  ]
}
