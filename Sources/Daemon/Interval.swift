import Linux

/// A length of time as people write it: `100ms`, `1s`, `5min`, `1h30min`; a bare number is seconds.
///
/// The grammar of systemd.time(7), of which it has us, ms, s, min, h and d.
public struct Interval: Equatable, Sendable {
  public let nanoseconds: UInt64

  public init(nanoseconds: UInt64) {
    self.nanoseconds = nanoseconds
  }

  public static func seconds(_ count: UInt64) -> Interval {
    Interval(nanoseconds: count * 1_000_000_000)
  }

  /// nil if the text is not one, or is longer than 584 years.
  public init?(_ text: String) {
    var total: UInt64 = 0
    var rest = text.utf8[...]
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      var number: UInt64 = 0
      let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      guard !digits.isEmpty else { return nil }
      for digit in digits {
        let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
        let (sum, carry) = tens.addingReportingOverflow(UInt64(digit - UInt8(ascii: "0")))
        if overflow || carry { return nil }
        number = sum
      }
      rest = rest[digits.endIndex...]
      let word = rest.prefix { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
      rest = rest[word.endIndex...]
      guard let unit = Self.unit(word) else { return nil }
      let (part, overflow) = number.multipliedReportingOverflow(by: unit)
      let (sum, carry) = total.addingReportingOverflow(part)
      if overflow || carry { return nil }
      total = sum
    }
    nanoseconds = total
  }

  private static func unit(_ word: Substring.UTF8View) -> UInt64? {
    if word.isEmpty || word.elementsEqual("s".utf8) { return 1_000_000_000 }
    if word.elementsEqual("ms".utf8) { return 1_000_000 }
    if word.elementsEqual("us".utf8) { return 1000 }
    if word.elementsEqual("min".utf8) { return 60_000_000_000 }
    if word.elementsEqual("h".utf8) { return 3_600_000_000_000 }
    if word.elementsEqual("d".utf8) { return 86_400_000_000_000 }
    return nil
  }

  /// `1s`, `100ms`, `5min`: in the largest unit that leaves no remainder.
  public var description: String {
    if nanoseconds == 0 { return "0s" }
    for (unit, name) in Self.units where nanoseconds % unit == 0 {
      return joined("\(nanoseconds / unit)\(name)")
    }
    return joined("\(nanoseconds / 1000)us")
  }

  private static var units: [(UInt64, StaticString)] {
    [
      (86_400_000_000_000, "d"), (3_600_000_000_000, "h"), (60_000_000_000, "min"),
      (1_000_000_000, "s"), (1_000_000, "ms"),
    ]
  }
}
