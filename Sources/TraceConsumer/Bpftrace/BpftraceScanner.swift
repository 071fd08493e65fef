import Bpftrace

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
    if let end = BpftraceSpelling.endOfComment(bytes, index, isOutside: depth == 0) {
      return take(to: end, .other)
    }
    switch bytes[index] {
    case UInt8(ascii: "\""): return take(to: BpftraceSpelling.endOfText(bytes, index), .other)
    case UInt8(ascii: "@"):
      let end = BpftraceSpelling.endOfName(bytes, index + 1)
      assigns = false
      let isCleared = ["clear", "zero", "delete"].contains(call)
      return take(to: end, .map, isCleared: isCleared)
    case let byte where BpftraceSpelling.isName(byte): return word()
    default: return sign()
    }
  }

  private mutating func word() -> Token {
    let end = BpftraceSpelling.endOfName(bytes, index)
    lastWord = String(decoding: bytes[index..<end], as: UTF8.self)
    if lastWord == "BEGIN", depth == 0 { isInBegin = true }
    if lastWord == "avg", assigns, depth > 0 { return take(to: end, .average) }
    assigns = false
    if lastWord == "printf", depth > 0 {
      var next = BpftraceSpelling.endOfSpace(bytes, end)
      if next < bytes.count, bytes[next] == UInt8(ascii: "(") {
        next = BpftraceSpelling.endOfSpace(bytes, next + 1)
        if next < bytes.count, bytes[next] == UInt8(ascii: "\"") {
          call = "printf"
          return take(to: BpftraceSpelling.endOfText(bytes, next), .printf)
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
    var at = BpftraceSpelling.endOfSpace(bytes, index)
    var key: [Bool]?
    if at < bytes.count, bytes[at] == UInt8(ascii: "[") {
      let parts = Self.parts(bytes, at + 1)
      key = parts.areText
      at = BpftraceSpelling.endOfSpace(bytes, parts.end)
    }
    guard at + 1 < bytes.count, bytes[at] == UInt8(ascii: "="), bytes[at + 1] != UInt8(ascii: "=")
    else { return (nil, key) }
    at = BpftraceSpelling.endOfSpace(bytes, at + 1)
    let end = BpftraceSpelling.endOfName(bytes, at)
    let word = String(decoding: bytes[at..<end], as: UTF8.self)
    let open = BpftraceSpelling.endOfSpace(bytes, end)
    let isCall = open < bytes.count && bytes[open] == UInt8(ascii: "(")
    return (isCall ? BpftraceProgram.Function(rawValue: word) : nil, key)
  }
}

extension BpftraceScanner {
  /// The parts of a key, behind its bracket: whether each is surely a text, and where it ends.
  private static func parts(_ bytes: [UInt8], _ start: Int) -> (areText: [Bool], end: Int) {
    var areText: [Bool] = []
    var at = BpftraceSpelling.endOfSpace(bytes, start)
    var part = at
    var nesting = 0
    func isText(_ end: Int) -> Bool {
      if bytes[part] == UInt8(ascii: "\"") { return true }
      let word = String(
        decoding: bytes[part..<BpftraceSpelling.endOfName(bytes, part)], as: UTF8.self)
      return ["comm", "str", "probe", "func", "kstr", "buf", "ntop", "path"].contains(word)
    }
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: "\""):
        at = BpftraceSpelling.endOfText(bytes, at)
        continue
      case UInt8(ascii: "("), UInt8(ascii: "["): nesting += 1
      case UInt8(ascii: ")"): nesting -= 1
      case UInt8(ascii: "]") where nesting == 0:
        areText.append(isText(at))
        return (areText, at + 1)
      case UInt8(ascii: "]"): nesting -= 1
      case UInt8(ascii: ",") where nesting == 0:
        areText.append(isText(at))
        part = BpftraceSpelling.endOfSpace(bytes, at + 1)
      default: break
      }
      at += 1
    }
    return (areText, at)
  }
}
