// Interpolating strings costs a few hundred bytes at every place: here it is done once.

@inline(never)
func joined(_ before: StaticString, _ subject: String, _ after: StaticString = "") -> String {
  var bytes: [UInt8] = []
  before.withUTF8Buffer { bytes.append(contentsOf: $0) }
  bytes.append(contentsOf: subject.utf8)
  after.withUTF8Buffer { bytes.append(contentsOf: $0) }
  return String(decoding: bytes, as: UTF8.self)
}

func joined(_ subject: String, _ words: StaticString) -> String {
  joined("", subject, words)
}

@inline(never)
func joined(_ before: String, _ words: StaticString, _ number: UInt64) -> String {
  joined(before, words) + String(number)
}

/// The number that stands in decimal digits, and nothing else; nil if it is none of 64 bits.
@inline(never)
func decimal(_ digits: Span<UInt8>) -> UInt64? {
  guard !digits.isEmpty, digits.count <= 20 else { return nil }
  var number: UInt64 = 0
  for index in 0..<digits.count {
    let digit = digits[index] &- UInt8(ascii: "0")
    let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
    let (sum, carry) = tens.addingReportingOverflow(UInt64(digit))
    guard digit < 10, !overflow, !carry else { return nil }
    number = sum
  }
  return number
}
