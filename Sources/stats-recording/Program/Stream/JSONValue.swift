/// A value of JSON, RFC 8259, that keeps what Foundation's decoders lose: the order of the members and
/// the digits of numbers. What was recorded can be written again to the same bytes.
enum JSONValue: Equatable, Sendable {
  case null
  case boolean(Bool)
  /// As it was written, `1795229000.512`.
  case number(String)
  case text(String)
  case array([JSONValue])
  case object([JSONMember])

  var double: Double? {
    switch self {
    case .number(let digits): Double(digits)
    case .boolean(let value): value ? 1 : 0
    case .null, .text, .array, .object: nil
    }
  }

  var unsigned: UInt64? {
    if case .number(let digits) = self { UInt64(digits) } else { nil }
  }

  var text: String? {
    if case .text(let text) = self { text } else { nil }
  }

  var members: [JSONMember]? {
    if case .object(let members) = self { members } else { nil }
  }
}

struct JSONMember: Equatable, Sendable {
  let name: String
  let value: JSONValue
}

extension [JSONMember] {
  subscript(name: String) -> JSONValue? { first { $0.name == name }?.value }
}

/// Why bytes are not JSON: what was found, and how many bytes stand before it.
struct JSONError: Error, Equatable, CustomStringConvertible {
  let what: String
  let offset: Int

  var description: String { "not JSON: \(what) at byte \(offset)" }
}

extension JSONValue {
  /// Parses the one value that is the whole of `bytes`.
  init(parsing bytes: [UInt8]) throws(JSONError) {
    var parser = JSONParser(bytes: bytes)
    self = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.offset == bytes.count else { throw parser.error("something behind the value") }
  }
}

private struct JSONParser {
  let bytes: [UInt8]
  var offset = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  func error(_ what: String) -> JSONError { JSONError(what: what, offset: offset) }

  private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      offset += 1
    }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  private mutating func expect(_ word: StaticString, _ value: JSONValue) throws(JSONError)
    -> JSONValue
  {
    let count = word.utf8CodeUnitCount
    let matches = word.withUTF8Buffer { bytes.dropFirst(offset).prefix(count).elementsEqual($0) }
    guard matches else { throw error("an unknown word") }
    offset += count
    return value
  }

  mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    guard depth < 32 else { throw error("too many levels") }
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .text(try string())
    case UInt8(ascii: "t"): return try expect("true", .boolean(true))
    case UInt8(ascii: "f"): return try expect("false", .boolean(false))
    case UInt8(ascii: "n"): return try expect("null", .null)
    case .some: return .number(try number())
    case nil: throw error("the end")
    }
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
    offset += 1
    var members: [JSONMember] = []
    members.reserveCapacity(24)
    skipSpace()
    if take("}") { return .object(members) }
    repeat {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw error("no name of a member") }
      let name = try string()
      skipSpace()
      guard take(":") else { throw error("no colon") }
      members.append(JSONMember(name: name, value: try value(depth: depth + 1)))
      skipSpace()
    } while take(",")
    guard take("}") else { throw error("no end of the object") }
    return .object(members)
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
    offset += 1
    var values: [JSONValue] = []
    skipSpace()
    if take("]") { return .array(values) }
    repeat {
      values.append(try value(depth: depth + 1))
      skipSpace()
    } while take(",")
    guard take("]") else { throw error("no end of the array") }
    return .array(values)
  }

  /// RFC 8259, 6: `-`, digits without a leading zero, a fraction, an exponent.
  private mutating func number() throws(JSONError) -> String {
    let start = offset
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") { try digits() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try digits()
    }
    return String(decoding: bytes[start..<offset], as: UTF8.self)
  }

  private mutating func digits() throws(JSONError) {
    let start = offset
    while let byte = next, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte { offset += 1 }
    guard offset > start else { throw error("no digit") }
  }

  private mutating func string() throws(JSONError) -> String {
    offset += 1
    let start = offset
    while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
      offset += 1
    }
    if next == UInt8(ascii: "\"") {
      defer { offset += 1 }
      return try text(bytes[start..<offset])
    }
    var unescaped = Array(bytes[start..<offset])
    while let byte = next {
      guard byte >= 0x20 else { throw error("a control character") }
      offset += 1
      switch byte {
      case UInt8(ascii: "\""): return try text(unescaped[...])
      case UInt8(ascii: "\\"): try escape(into: &unescaped)
      default: unescaped.append(byte)
      }
    }
    throw error("no end of the text")
  }

  private func text(_ bytes: ArraySlice<UInt8>) throws(JSONError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw error("no UTF-8") }
    return text
  }

  private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
    guard let byte = next else { throw error("the end") }
    offset += 1
    switch byte {
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "u"):
      var code = UInt32(try hexadecimal())
      // A character beyond U+FFFF is two escapes, the surrogates of UTF-16.
      if 0xD800..<0xDC00 ~= code, take("\\"), take("u") {
        let low = UInt32(try hexadecimal())
        guard 0xDC00..<0xE000 ~= low else { throw error("half a surrogate pair") }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw error("half a surrogate pair") }
      text.append(contentsOf: Array(String(scalar).utf8))
    default: throw error("an unknown escape")
    }
  }

  private mutating func hexadecimal() throws(JSONError) -> UInt16 {
    guard let text = String(validating: bytes.dropFirst(offset).prefix(4), as: UTF8.self),
      text.utf8.count == 4, text.allSatisfy(\.isHexDigit), let code = UInt16(text, radix: 16)
    else { throw error("no four hexadecimal digits") }
    offset += 4
    return code
  }
}
