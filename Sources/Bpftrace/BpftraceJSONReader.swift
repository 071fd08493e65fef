/// Reads a line of bpftrace's JSON from front to back, which is not quite JSON: bytes beyond ASCII are
/// written as `\uffffffc3`, and an object may have the same name twice.
public struct BpftraceJSONReader {
  private let bytes: [UInt8]
  private var index = 0

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// What comes next, behind spaces.
  public var next: UInt8? {
    mutating get {
      while index < bytes.count, bytes[index] <= 0x20 { index += 1 }
      return index < bytes.count ? bytes[index] : nil
    }
  }

  /// Whether this came next, and is behind us.
  public mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    index += 1
    return true
  }

  /// `"name":`
  public mutating func name() -> [UInt8]? {
    guard let name = text(), take(UInt8(ascii: ":")) else { return nil }
    return name
  }

  /// Beyond Int64 the bits stay, as those of bpftrace's own signed numbers; nil for what is no integer.
  public mutating func integer() -> Int64? {
    guard let word = value() else { return nil }
    let isNegative = word.first == UInt8(ascii: "-")
    let digits = isNegative ? word[1...] : word[...]
    var magnitude: UInt64 = 0
    for digit in digits {
      guard (0x30...0x39).contains(digit) else { return nil }
      let (tens, isTooLong) = magnitude.multipliedReportingOverflow(by: 10)
      let (sum, isTooLarge) = tens.addingReportingOverflow(UInt64(digit - 0x30))
      if isTooLong || isTooLarge { return nil }
      magnitude = sum
    }
    if digits.isEmpty { return nil }
    let number = Int64(bitPattern: magnitude)
    return isNegative ? 0 &- number : number
  }

  public mutating func text() -> [UInt8]? {
    guard take(UInt8(ascii: "\"")) else { return nil }
    var text: [UInt8] = []
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      if byte == UInt8(ascii: "\"") { return text }
      if byte != UInt8(ascii: "\\") {
        text.append(byte)
      } else if !escape(&text) {
        return nil
      }
    }
    return nil
  }

  /// The next value as it is written; nil if it has no end.
  public mutating func value() -> [UInt8]? {
    guard next != nil else { return nil }
    let start = index
    var nesting = 0
    repeat {
      guard let byte = next else { return nil }
      switch byte {
      case UInt8(ascii: "\""): if text() == nil { return nil }
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        nesting += 1
        index += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        nesting -= 1
        index += 1
      case UInt8(ascii: ","), UInt8(ascii: ":"):
        guard nesting > 0 else { return nil }
        index += 1
      default:
        while index < bytes.count, !Self.endsWord(bytes[index]) { index += 1 }
      }
    } while nesting > 0
    return nesting == 0 ? [UInt8](bytes[start..<index]) : nil
  }

  private static func endsWord(_ byte: UInt8) -> Bool {
    byte <= 0x20 || byte == UInt8(ascii: ",") || byte == UInt8(ascii: ":")
      || byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}")
  }

  private mutating func escape(_ text: inout [UInt8]) -> Bool {
    guard index < bytes.count else { return false }
    let byte = bytes[index]
    index += 1
    switch byte {
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "u"):
      guard var number = hexadecimal() else { return false }
      // A signed char that was printed as an int.
      if number == 0xFFFF, let low = hexadecimal() { number = low }
      text.append(UInt8(truncatingIfNeeded: number))
    default: text.append(byte)
    }
    return true
  }

  private mutating func hexadecimal() -> UInt32? {
    guard index + 4 <= bytes.count else { return nil }
    var number: UInt32 = 0
    for byte in bytes[index..<(index + 4)] {
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte - 0x30
      case 0x41...0x46: digit = byte - 0x41 + 10
      case 0x61...0x66: digit = byte - 0x61 + 10
      default: return nil
      }
      number = number << 4 | UInt32(digit)
    }
    index += 4
    return number
  }
}
