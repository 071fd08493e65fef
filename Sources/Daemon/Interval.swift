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
  public init?(_ text: Text) {
    var total: UInt64 = 0
    let bytes = text.bytes
    guard !bytes.isEmpty else { return nil }
    var index = 0
    while index < bytes.count {
      let start = index
      while index < bytes.count && (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index]) {
        index += 1
      }
      guard let number = bytes.span.extracting(start..<index).decimal else { return nil }
      let word = index
      while index < bytes.count && (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(bytes[index]) {
        index += 1
      }
      guard let unit = Self.unit(bytes[word..<index]) else { return nil }
      let (part, overflow) = number.multipliedReportingOverflow(by: unit)
      let (sum, carry) = total.addingReportingOverflow(part)
      if overflow || carry { return nil }
      total = sum
    }
    nanoseconds = total
  }

  private static func unit(_ word: ArraySlice<UInt8>) -> UInt64? {
    if word.isEmpty { return 1_000_000_000 }
    for (unit, name) in units where equal(word, name) { return unit }
    return equal(word, "us") ? 1000 : nil
  }

  /// `1s`, `100ms`, `5min`: in the largest unit that leaves no remainder.
  public var description: Text {
    if nanoseconds == 0 { return "0s" }
    for (unit, name) in Self.units where nanoseconds % unit == 0 {
      return "\(nanoseconds / unit)\(name)"
    }
    return "\(nanoseconds / 1000)us"
  }

  private static func equal(_ word: ArraySlice<UInt8>, _ name: StaticString) -> Bool {
    name.withUTF8Buffer { $0.elementsEqual(word) }
  }

  private static var units: [(UInt64, StaticString)] {
    [
      (86_400_000_000_000, "d"), (3_600_000_000_000, "h"), (60_000_000_000, "min"),
      (1_000_000_000, "s"), (1_000_000, "ms"),
    ]
  }
}
