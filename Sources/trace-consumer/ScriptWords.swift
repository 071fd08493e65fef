import Linux

/// The words of a bpftrace script, without its comments and texts.
struct ScriptWords {
  enum Word {
    case name(Text)
    /// `@name`, without the `@`.
    case map(Text)
    case sign(UInt8)
  }

  private let bytes: [UInt8]
  private var index = 0
  private var depth = 0
  private(set) var line = 1

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func next() -> Word? {
    while index < bytes.count {
      if let end = endOfComment {
        skip(to: end)
        continue
      }
      let byte = bytes[index]
      switch byte {
      case UInt8(ascii: "\""): skip(to: endOfText(index))
      case UInt8(ascii: "@"):
        index += 1
        return .map(takeName())
      case _ where Self.isName(byte): return .name(takeName())
      case _ where byte <= 0x20: skip(to: index + 1)
      default:
        if byte == UInt8(ascii: "{") { depth += 1 }
        if byte == UInt8(ascii: "}") { depth -= 1 }
        index += 1
        return .sign(byte)
      }
    }
    return nil
  }

  /// `count` of `[comm, pid] = count(`, behind a map that was just taken.
  func functionAssigned() -> Text? {
    var words = self
    words.skipKey()
    words.skipSpace()
    guard words.byte == UInt8(ascii: "="), words.following != UInt8(ascii: "=") else { return nil }
    words.index += 1
    words.skipSpace()
    let name = words.takeName()
    words.skipSpace()
    return !name.isEmpty && words.byte == UInt8(ascii: "(") ? name : nil
  }

  /// `print(@x, 5)` is not the whole map.
  var isFollowedByComma: Bool {
    var words = self
    words.skipKey()
    words.skipSpace()
    return words.byte == UInt8(ascii: ",")
  }

  private var byte: UInt8? { index < bytes.count ? bytes[index] : nil }
  private var following: UInt8? { index + 1 < bytes.count ? bytes[index + 1] : nil }

  private mutating func skip(to end: Int) {
    while index < min(end, bytes.count) {
      if bytes[index] == UInt8(ascii: "\n") { line += 1 }
      index += 1
    }
  }

  private mutating func skipSpace() {
    while let byte, byte <= 0x20 { index += 1 }
  }

  private mutating func skipKey() {
    skipSpace()
    guard byte == UInt8(ascii: "[") else { return }
    var nesting = 0
    while let byte {
      if byte == UInt8(ascii: "\"") {
        index = endOfText(index)
        continue
      }
      if byte == UInt8(ascii: "[") { nesting += 1 }
      if byte == UInt8(ascii: "]") { nesting -= 1 }
      index += 1
      if nesting == 0 { return }
    }
  }

  private mutating func takeName() -> Text {
    let start = index
    while let byte, Self.isName(byte) { index += 1 }
    return Text(bytes[start..<index])
  }

  private func endOfText(_ start: Int) -> Int {
    var end = start + 1
    while end < bytes.count, bytes[end] != UInt8(ascii: "\"") {
      end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1
    }
    return min(end + 1, bytes.count)
  }

  /// Nil where no comment begins. `uprobe:/lib/*:f`, outside of braces, has none either.
  private var endOfComment: Int? {
    guard byte == UInt8(ascii: "/"),
      following == UInt8(ascii: "/") || following == UInt8(ascii: "*")
    else { return nil }
    if depth == 0, index > 0, bytes[index - 1] > 0x20, bytes[index - 1] != UInt8(ascii: "}") {
      return nil
    }
    var end = index + 2
    if following == UInt8(ascii: "/") {
      while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
      return end
    }
    while end + 1 < bytes.count {
      if bytes[end] == UInt8(ascii: "*"), bytes[end + 1] == UInt8(ascii: "/") { return end + 2 }
      end += 1
    }
    return bytes.count
  }

  private static func isName(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
      || (0x61...0x7A).contains(byte)
  }
}
