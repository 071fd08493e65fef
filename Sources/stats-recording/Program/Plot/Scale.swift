import Foundation

/// The values of an axis, from bottom to top, and where it carries labels.
struct Scale: Equatable, Sendable {
  let bottom: Double
  let top: Double
  let ticks: [Double]
  let labels: [String]

  /// Round numbers around the values; an end that is given stays.
  init(
    _ values: ClosedRange<Double>?, minimum: Double? = nil, maximum: Double? = nil, unit: PlotUnit,
    tickCount: Int
  ) {
    var low = minimum ?? values?.lowerBound ?? 0
    var high = maximum ?? values?.upperBound ?? max(1, low + 1)
    if minimum == nil {
      // Zero belongs into the picture unless the values are far from it.
      if low >= 0 && low < 0.5 * high { low = 0 }
      if low > high { low = high - max(1, abs(high)) }
    }
    if maximum == nil {
      if high <= 0 && high > 0.5 * low { high = 0 }
      if high < low { high = low + max(1, abs(low)) }
    }
    if low == high {
      let room = low == 0 ? 1 : abs(low) * 0.1
      if maximum == nil { high += room }
      if minimum == nil && low != 0 { low -= room }
      if low == high { high += room }
    }
    // Round in what the labels count, so that hours are whole hours.
    let counted = unit.unit == .bytes ? 1 : unit.notation(for: max(abs(low), abs(high))).factor
    let step =
      Self.step((high - low) / counted, count: max(1, tickCount - 1), unit: unit) * counted
    if minimum == nil { low = (low / step + 1e-9).rounded(.down) * step }
    if maximum == nil { high = (high / step - 1e-9).rounded(.up) * step }
    bottom = low
    top = high
    let first = Int((low / step - 1e-9).rounded(.up))
    let last = max(first, Int((high / step + 1e-9).rounded(.down)))
    ticks = (first...min(last, first + 100)).map { Double($0) * step }
    var notation = unit.notation(for: max(abs(low), abs(high)))
    let shown = step / notation.factor
    notation.decimals = max(0, Int((-log10(shown)).rounded(.up)))
    // 2.5 needs a digit more than its size tells.
    let scaled = shown * pow(10, Double(notation.decimals))
    if abs(scaled - scaled.rounded()) > 1e-6 { notation.decimals = min(6, notation.decimals + 1) }
    labels = ticks.map { notation.text($0) }
  }

  /// 1, 2 or 5 times a power of ten; of bytes, powers of two.
  static func step(_ range: Double, count: Int, unit: PlotUnit) -> Double {
    let wanted = range / Double(count)
    guard wanted.isFinite, wanted > 0 else { return 1 }
    if unit.unit == .bytes && wanted > 1 { return pow(2, log2(wanted).rounded(.up)) }
    let power = pow(10, log10(wanted).rounded(.down))
    let factor = [1, 2, 5, 10].first { Double($0) * power >= wanted * (1 - 1e-9) } ?? 10
    return Double(factor) * power
  }

  /// From 0 at the bottom to 1 at the top; beyond for what a fixed scale does not hold.
  func position(_ value: Double) -> Double { (value - bottom) / (top - bottom) }
}
