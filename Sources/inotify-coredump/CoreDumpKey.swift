/// Which dump it is: a process dumps core once, so no two have the same key.
struct CoreDumpKey: Equatable {
  var boot: BootID
  var pid: UInt32
  /// Microseconds since 1970.
  var time: UInt64
}

/// The 128 bits of a boot's id, random(4).
struct BootID: Equatable {
  var high: UInt64
  var low: UInt64

  /// 32 hexadecimal digits; hyphens may stand between them.
  init?(parsing text: Span<UInt8>) {
    var digits = 0
    var value: (high: UInt64, low: UInt64) = (0, 0)
    for index in text.indices where text[index] != UInt8(ascii: "-") {
      guard let digit = hexadecimalValue(text[index]), digits < 32 else { return nil }
      value.high = value.high << 4 | value.low >> 60
      value.low = value.low << 4 | UInt64(digit)
      digits += 1
    }
    guard digits == 32 else { return nil }
    (high, low) = value
  }

  /// The id as /proc/sys/kernel/random/boot_id has it: 8-4-4-4-12 digits.
  func appendText(to bytes: inout [UInt8]) {
    for index in 0..<32 {
      if [8, 12, 16, 20].contains(index) { bytes.append(UInt8(ascii: "-")) }
      let word = index < 16 ? high : low
      let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - index % 16 * 4)) & 15
      bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }
  }
}

func hexadecimalValue(_ digit: UInt8) -> UInt8? {
  switch digit {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
  default: nil
  }
}

/// A whole number of decimal digits alone; nil for anything else and for what is too large.
func decimalValue<Number: FixedWidthInteger>(_ text: Span<UInt8>) -> Number? {
  guard !text.isEmpty else { return nil }
  var number: Number = 0
  for index in text.indices {
    let digit = text[index]
    guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
    let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
    let (sum, carry) = tens.addingReportingOverflow(Number(digit - UInt8(ascii: "0")))
    if overflow || carry { return nil }
    number = sum
  }
  return number
}

/// A crash time as it stands in a name, an attribute or the journal, in microseconds.
///
/// The kernel counts seconds, `%t` of core(5). systemd appends six zeros: always in the name and in
/// the journal, since version 246 or so in the attribute too. So fewer than 12 digits are seconds.
func crashTime(parsing text: Span<UInt8>) -> UInt64? {
  guard let number: UInt64 = decimalValue(text) else { return nil }
  return number < 100_000_000_000 ? number * 1_000_000 : number
}
