import Foundation
import Records

/// In what a line is measured: lines of one unit share a scale.
struct PlotUnit: Hashable, Sendable {
  let unit: Field.Unit
  /// A counter that is drawn as its growth in a second.
  var isRate = false

  init(_ unit: Field.Unit, isRate: Bool = false) {
    self.unit = unit
    self.isRate = isRate
  }

  /// The unit in which a field is drawn: seconds in each second are a ratio.
  init(of field: Field) {
    let isRate = field.nature == .counter
    self =
      isRate && field.unit == .seconds ? PlotUnit(.ratio) : PlotUnit(field.unit, isRate: isRate)
  }

  /// Of a sensor's `value`, whose unit its quantity says.
  init?(quantity: String) {
    switch quantity {
    case "temperature": self.init(.celsius)
    case "voltage", "vid": self.init(.volts)
    case "current": self.init(.amperes)
    case "power": self.init(.watts)
    case "energy": self.init(.joules)
    case "fan": self.init(.revolutionsPerMinute)
    case "humidity": self.init(.ratio)
    default: return nil
    }
  }

  /// How the numbers of an axis are written.
  struct Notation: Equatable, Sendable {
    let factor: Double
    let symbol: String
    var decimals: Int

    func text(_ value: Double) -> String {
      let digits = String(format: "%.\(decimals)f", value / factor)
      // -0 is 0.
      let number =
        digits.hasPrefix("-") && Double(digits) == 0 ? String(digits.dropFirst()) : digits
      return number + symbol
    }
  }

  /// For values as large as this, with so many digits in all.
  func notation(for magnitude: Double, digits: Int = 3) -> Notation {
    let (factor, prefix) = prefix(for: abs(magnitude))
    let name = prefix == "h" || prefix == "d" ? "" : name
    let whole = abs(magnitude) / factor
    let before = whole < 1 ? 1 : Int(log10(whole) + 1e-9) + 1
    let symbol = prefix + name + (isRate ? "/s" : "")
    let needsSpace = !symbol.isEmpty && unit != .ratio
    return Notation(
      factor: factor, symbol: (needsSpace ? " " : "") + symbol, decimals: max(0, digits - before))
  }

  func text(_ value: Double) -> String { notation(for: value).text(value) }

  private func prefix(for magnitude: Double) -> (factor: Double, prefix: String) {
    switch unit {
    case .bytes:
      let prefixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
      let index = Self.index(magnitude, 1024, prefixes.count)
      return (pow(1024, Double(index)), prefixes[index])
    case .ratio: return (0.01, "")
    case .celsius, .revolutionsPerMinute, .decibelMilliwatts: return (1, "")
    case .seconds, .volts, .amperes, .watts, .joules, .hertz, .bitsPerSecond, .count, .none:
      if magnitude > 0 && magnitude < 0.9995 && hasSmallPrefixes {
        return magnitude < 0.000_999_5 ? (1e-6, "µ") : (1e-3, "m")
      }
      // Hours and days stand for themselves.
      if unit == .seconds {
        return magnitude < 7200 ? (1, "") : magnitude < 172_800 ? (3600, "h") : (86400, "d")
      }
      let prefixes = ["", "k", "M", "G", "T", "P", "E"]
      let index = Self.index(magnitude, 1000, prefixes.count)
      return (pow(1000, Double(index)), prefixes[index])
    }
  }

  private var hasSmallPrefixes: Bool { !(unit == .count || unit == .none || unit == .hertz) }

  private static func index(_ magnitude: Double, _ base: Double, _ count: Int) -> Int {
    guard magnitude.isFinite, magnitude >= base else { return 0 }
    return min(count - 1, Int(log(magnitude) / log(base) + 1e-9))
  }

  /// The symbol behind the prefix.
  private var name: String {
    switch unit {
    case .seconds: "s"
    case .bytes: "B"
    case .ratio: "%"
    case .hertz: "Hz"
    case .celsius: "°C"
    case .volts: "V"
    case .amperes: "A"
    case .watts: "W"
    case .joules: "J"
    case .revolutionsPerMinute: "/min"
    case .decibelMilliwatts: "dBm"
    case .bitsPerSecond: "bit/s"
    case .count, .none: ""
    }
  }

  /// A word for error messages.
  var word: String { isRate ? "\(unit) per second" : "\(unit)" }
}
