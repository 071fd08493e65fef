import Bpftrace
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
      if let end = BpftraceSpelling.endOfComment(bytes, index, isOutside: depth == 0) {
        skip(to: end)
        continue
      }
      let byte = bytes[index]
      switch byte {
      case UInt8(ascii: "\""): skip(to: BpftraceSpelling.endOfText(bytes, index))
      case UInt8(ascii: "@"):
        index += 1
        return .map(takeName())
      case _ where BpftraceSpelling.isName(byte): return .name(takeName())
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
    index = BpftraceSpelling.endOfSpace(bytes, index)
  }

  private mutating func skipKey() {
    skipSpace()
    guard byte == UInt8(ascii: "[") else { return }
    var nesting = 0
    while let byte {
      if byte == UInt8(ascii: "\"") {
        index = BpftraceSpelling.endOfText(bytes, index)
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
    index = BpftraceSpelling.endOfName(bytes, index)
    return Text(bytes[start..<index])
  }
}
