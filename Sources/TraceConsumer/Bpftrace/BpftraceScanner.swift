/// Cuts a bpftrace program into the few tokens that matter for reading its output, and the rest.
struct BpftraceScanner {
  enum Kind {
    /// `@name`.
    case map
    /// `printf("…"`, up to the end of the first text.
    case printf
    /// `avg` where it is assigned to a map.
    case average
    /// The opening brace of BEGIN.
    case begin
    case other
  }

  struct Token {
    var kind: Kind
    var bytes: [UInt8]
    /// A map that stands in `clear(`, `zero(` or `delete(`.
    var isCleared = false
  }

  private let bytes: [UInt8]
  private var index = 0
  private var depth = 0
  private var lastWord = ""
  /// The word before the last parenthesis.
  private var call = ""
  private var isInBegin = false
  private var assigns = false

  init(_ text: String) { bytes = Array(text.utf8) }

  mutating func next() -> Token? {
    guard index < bytes.count else { return nil }
    if let end = Self.endOfComment(bytes, index, isOutside: depth == 0) {
      return take(to: end, .other)
    }
    switch bytes[index] {
    case UInt8(ascii: "\""): return take(to: Self.endOfText(bytes, index), .other)
    case UInt8(ascii: "@"):
      let end = Self.endOfWord(bytes, index + 1)
      assigns = false
      let isCleared = ["clear", "zero", "delete"].contains(call)
      return take(to: end, .map, isCleared: isCleared)
    case let byte where Self.isWord(byte): return word()
    default: return sign()
    }
  }

  private mutating func word() -> Token {
    let end = Self.endOfWord(bytes, index)
    lastWord = String(decoding: bytes[index..<end], as: UTF8.self)
    if lastWord == "BEGIN", depth == 0 { isInBegin = true }
    if lastWord == "avg", assigns, depth > 0 { return take(to: end, .average) }
    assigns = false
    if lastWord == "printf", depth > 0 {
      var next = Self.endOfSpace(bytes, end)
      if next < bytes.count, bytes[next] == UInt8(ascii: "(") {
        next = Self.endOfSpace(bytes, next + 1)
        if next < bytes.count, bytes[next] == UInt8(ascii: "\"") {
          call = "printf"
          return take(to: Self.endOfText(bytes, next), .printf)
        }
      }
    }
    return take(to: end, .other)
  }

  private mutating func sign() -> Token {
    let byte = bytes[index]
    switch byte {
    case UInt8(ascii: "{"):
      depth += 1
      if depth == 1, isInBegin {
        isInBegin = false
        return take(to: index + 1, .begin)
      }
    case UInt8(ascii: "}"): depth = max(0, depth - 1)
    case UInt8(ascii: "("): call = lastWord
    case UInt8(ascii: ")"): call = ""
    case UInt8(ascii: "="): assigns = index == 0 || !"=!<>".utf8.contains(bytes[index - 1])
    default: break
    }
    if byte > 0x20, byte != UInt8(ascii: "=") { assigns = false }
    return take(to: index + 1, .other)
  }

  private mutating func take(to end: Int, _ kind: Kind, isCleared: Bool = false) -> Token {
    defer { index = end }
    return Token(kind: kind, bytes: Array(bytes[index..<end]), isCleared: isCleared)
  }

  /// What is done with the map that was just taken.
  func useOfMap() -> (function: BpftraceProgram.Function?, keyIsText: [Bool]?) {
    var at = Self.endOfSpace(bytes, index)
    var key: [Bool]?
    if at < bytes.count, bytes[at] == UInt8(ascii: "[") {
      let parts = Self.parts(bytes, at + 1)
      key = parts.areText
      at = Self.endOfSpace(bytes, parts.end)
    }
    guard at + 1 < bytes.count, bytes[at] == UInt8(ascii: "="), bytes[at + 1] != UInt8(ascii: "=")
    else { return (nil, key) }
    at = Self.endOfSpace(bytes, at + 1)
    let end = Self.endOfWord(bytes, at)
    let word = String(decoding: bytes[at..<end], as: UTF8.self)
    let open = Self.endOfSpace(bytes, end)
    let isCall = open < bytes.count && bytes[open] == UInt8(ascii: "(")
    return (isCall ? BpftraceProgram.Function(rawValue: word) : nil, key)
  }
}

extension BpftraceScanner {
  /// The parts of a key, behind its bracket: whether each is surely a text, and where it ends.
  private static func parts(_ bytes: [UInt8], _ start: Int) -> (areText: [Bool], end: Int) {
    var areText: [Bool] = []
    var at = endOfSpace(bytes, start)
    var part = at
    var nesting = 0
    func isText(_ end: Int) -> Bool {
      if bytes[part] == UInt8(ascii: "\"") { return true }
      let word = String(decoding: bytes[part..<endOfWord(bytes, part)], as: UTF8.self)
      return ["comm", "str", "probe", "func", "kstr", "buf", "ntop", "path"].contains(word)
    }
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: "\""):
        at = endOfText(bytes, at)
        continue
      case UInt8(ascii: "("), UInt8(ascii: "["): nesting += 1
      case UInt8(ascii: ")"): nesting -= 1
      case UInt8(ascii: "]") where nesting == 0:
        areText.append(isText(at))
        return (areText, at + 1)
      case UInt8(ascii: "]"): nesting -= 1
      case UInt8(ascii: ",") where nesting == 0:
        areText.append(isText(at))
        part = endOfSpace(bytes, at + 1)
      default: break
      }
      at += 1
    }
    return (areText, at)
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
      || (0x61...0x7A).contains(byte)
  }

  private static func endOfWord(_ bytes: [UInt8], _ start: Int) -> Int {
    bytes[start...].firstIndex { !isWord($0) } ?? bytes.count
  }

  private static func endOfSpace(_ bytes: [UInt8], _ start: Int) -> Int {
    guard start < bytes.count else { return bytes.count }
    return bytes[start...].firstIndex { $0 > 0x20 } ?? bytes.count
  }

  private static func endOfText(_ bytes: [UInt8], _ start: Int) -> Int {
    var at = start + 1
    while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
      at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1
    }
    return min(at + 1, bytes.count)
  }

  /// Nil where no comment begins. Outside of braces `uprobe:/lib/*:f` has none either.
  private static func endOfComment(_ bytes: [UInt8], _ start: Int, isOutside: Bool) -> Int? {
    guard start + 1 < bytes.count, bytes[start] == UInt8(ascii: "/") else { return nil }
    if isOutside, start > 0, bytes[start - 1] > 0x20, bytes[start - 1] != UInt8(ascii: "}") {
      return nil
    }
    if bytes[start + 1] == UInt8(ascii: "/") {
      return bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
    }
    guard bytes[start + 1] == UInt8(ascii: "*") else { return nil }
    var at = start + 2
    while at + 1 < bytes.count {
      if bytes[at] == UInt8(ascii: "*"), bytes[at + 1] == UInt8(ascii: "/") { return at + 2 }
      at += 1
    }
    return bytes.count
  }
}
