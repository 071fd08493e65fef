/// A value of bpftrace's JSON, which is not quite JSON: bytes beyond ASCII are written as
/// `\uffffffc3`, and an object may have the same name twice.
indirect enum BpftraceJSON: Equatable {
  case integer(Int64)
  case text([UInt8])
  case array([BpftraceJSON])
  case object([(name: [UInt8], value: BpftraceJSON)])
  case other

  static func == (left: Self, right: Self) -> Bool {
    switch (left, right) {
    case (.integer(let left), .integer(let right)): left == right
    case (.text(let left), .text(let right)): left == right
    case (.array(let left), .array(let right)): left == right
    case (.object(let left), .object(let right)): left.elementsEqual(right) { $0 == $1 }
    case (.other, .other): true
    default: false
    }
  }

  /// Nil for what is not one whole value.
  init?(parsing line: [UInt8]) {
    var parser = Parser(bytes: line)
    guard let value = parser.value(depth: 0), parser.isAtEnd else { return nil }
    self = value
  }

  subscript(name: StaticString) -> BpftraceJSON? {
    guard case .object(let members) = self else { return nil }
    return name.withUTF8Buffer { name in members.first { $0.name.elementsEqual(name) }?.value }
  }

  var integer: Int64? {
    if case .integer(let number) = self { number } else { nil }
  }
  var text: String? {
    if case .text(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { nil }
  }
  var members: [(name: [UInt8], value: BpftraceJSON)]? {
    if case .object(let members) = self { members } else { nil }
  }
  var elements: [BpftraceJSON]? {
    if case .array(let elements) = self { elements } else { nil }
  }
}

private struct Parser {
  let bytes: [UInt8]
  var index = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool {
    mutating get {
      skipSpace()
      return index == bytes.count
    }
  }

  private mutating func skipSpace() {
    while index < bytes.count, bytes[index] <= 0x20 { index += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
    index += 1
    return true
  }

  mutating func value(depth: Int) -> BpftraceJSON? {
    skipSpace()
    guard index < bytes.count, depth < 16 else { return nil }
    switch bytes[index] {
    case UInt8(ascii: "{"): return object(depth: depth + 1)
    case UInt8(ascii: "["): return array(depth: depth + 1)
    case UInt8(ascii: "\""): return text().map { .text($0) }
    default: return word()
    }
  }

  private mutating func object(depth: Int) -> BpftraceJSON? {
    guard take("{") else { return nil }
    var members: [(name: [UInt8], value: BpftraceJSON)] = []
    if take("}") { return .object(members) }
    repeat {
      skipSpace()
      guard let name = text(), take(":"), let value = value(depth: depth) else { return nil }
      members.append((name, value))
    } while take(",")
    return take("}") ? .object(members) : nil
  }

  private mutating func array(depth: Int) -> BpftraceJSON? {
    guard take("[") else { return nil }
    var elements: [BpftraceJSON] = []
    if take("]") { return .array(elements) }
    repeat {
      guard let value = value(depth: depth) else { return nil }
      elements.append(value)
    } while take(",")
    return take("]") ? .array(elements) : nil
  }

  /// Counters beyond Int64 keep their bits, as bpftrace's own signed numbers do.
  private mutating func word() -> BpftraceJSON? {
    let start = index
    while index < bytes.count, !",]} ".utf8.contains(bytes[index]) { index += 1 }
    let word = String(decoding: bytes[start..<index], as: UTF8.self)
    if let number = Int64(word) { return .integer(number) }
    if let number = UInt64(word) { return .integer(Int64(bitPattern: number)) }
    return word.isEmpty ? nil : .other
  }

  private mutating func text() -> [UInt8]? {
    guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { return nil }
    index += 1
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
      guard var number = hexadecimal(4) else { return false }
      // A signed char that was printed as an int.
      if number == 0xFFFF, let low = hexadecimal(4) {
        number = low & 0xFF
      } else if number > 0x7F {
        text += Array(String(Unicode.Scalar(UInt32(number)) ?? "\u{FFFD}").utf8)
        return true
      }
      text.append(UInt8(number))
    default: text.append(byte)
    }
    return true
  }

  private mutating func hexadecimal(_ digits: Int) -> Int? {
    guard index + digits <= bytes.count,
      let number = Int(String(decoding: bytes[index..<(index + digits)], as: UTF8.self), radix: 16)
    else { return nil }
    index += digits
    return number
  }
}
