import ArgumentParser

/// A length of time as people write it: `100ms`, `10s`, `5min`, `2h`, `1d`.
struct TimeSpan: Equatable, Sendable, ExpressibleByArgument, CustomStringConvertible {
  let seconds: Double

  private static let units: [(name: String, seconds: Double)] = [
    ("ms", 0.001), ("min", 60), ("s", 1), ("h", 3600), ("d", 86400),
  ]

  init(seconds: Double) { self.seconds = seconds }

  /// Errors: nil without a unit, with another one, or if it is not more than nothing.
  init?(argument: String) {
    guard let unit = Self.units.first(where: { argument.hasSuffix($0.name) }),
      let number = Double(argument.dropLast(unit.name.count)), number > 0, number.isFinite
    else { return nil }
    seconds = number * unit.seconds
  }

  var description: String {
    let unit = Self.units.sorted { $0.seconds > $1.seconds }.first { seconds >= $0.seconds }
    let number = seconds / (unit?.seconds ?? 1)
    let digits = number == number.rounded() ? "\(Int(number))" : "\(number)"
    return digits + (unit?.name ?? "s")
  }

  var defaultValueDescription: String { description }
}
