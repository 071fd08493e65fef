import Linux

/// Reads a line of bpftrace's JSON from front to back, which is not quite JSON: bytes beyond ASCII are
/// written as `\uffffffc3`, and an object may have the same name twice.
struct ScriptJSON {
  private let bytes: [UInt8]
  private var index = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// What comes next, behind spaces.
  var next: UInt8? {
    mutating get {
      while index < bytes.count, bytes[index] <= 0x20 { index += 1 }
      return index < bytes.count ? bytes[index] : nil
    }
  }

  /// Whether this came next, and is behind us.
  mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    index += 1
    return true
  }

  /// `"name":`
  mutating func name() -> [UInt8]? {
    guard let name = text(), take(UInt8(ascii: ":")) else { return nil }
    return name
  }

  mutating func integer() -> Int64? {
    let isNegative = take(UInt8(ascii: "-"))
    let start = index
    while index < bytes.count, (0x30...0x39).contains(bytes[index]) { index += 1 }
    guard let number = bytes.span.extracting(start..<index).decimal else { return nil }
    // Beyond Int64 the bits stay, as those of bpftrace's own signed numbers.
    return isNegative ? 0 &- Int64(truncatingIfNeeded: number) : Int64(truncatingIfNeeded: number)
  }

  mutating func text() -> [UInt8]? {
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
  mutating func value() -> [UInt8]? {
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
