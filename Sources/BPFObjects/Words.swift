/// A word of a line.
struct Word {
  var bytes: [UInt8]

  static func ~= (word: StaticString, value: Word) -> Bool {
    word.withUTF8Buffer { value.bytes.elementsEqual($0) }
  }

  /// What stands before and behind a separator that is there once; the first is not empty.
  @inline(never)
  func divided(at separator: UInt8) -> (before: Word, behind: Word)? {
    guard let place = bytes.firstIndex(of: separator), place > 0 else { return nil }
    let behind = Word(bytes: Array(bytes[(place + 1)...]))
    guard !behind.bytes.contains(separator) else { return nil }
    return (Word(bytes: Array(bytes[..<place])), behind)
  }

  /// A few digits and nothing else.
  var number: Int? {
    guard !bytes.isEmpty, bytes.count < 5 else { return nil }
    var number = 0
    for byte in bytes {
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      number = 10 * number + Int(byte - 0x30)
    }
    return number
  }

  var form: Manifest.Field.Form? {
    switch self {
    case "u8": return .unsigned(bytes: 1)
    case "u16": return .unsigned(bytes: 2)
    case "u32": return .unsigned(bytes: 4)
    case "u64": return .unsigned(bytes: 8)
    case "i8": return .signed(bytes: 1)
    case "i16": return .signed(bytes: 2)
    case "i32": return .signed(bytes: 4)
    case "i64": return .signed(bytes: 8)
    default:
      guard case "text" = Word(bytes: Array(bytes.prefix(4))),
        let length = Word(bytes: Array(bytes.dropFirst(4))).number, (1...256).contains(length)
      else { return nil }
      return .text(bytes: length)
    }
  }
}

/// The words of a line, and where the last one stands.
struct Words {
  private let bytes: ArraySlice<UInt8>
  private let line: Int
  private var index: Int
  private var begin: Int

  init(_ bytes: ArraySlice<UInt8>, line: Int) {
    self.bytes = bytes
    self.line = line
    index = bytes.startIndex
    begin = index
  }

  mutating func next() -> Word? {
    while index < bytes.endIndex, bytes[index] <= 0x20 { index += 1 }
    begin = index
    while index < bytes.endIndex, bytes[index] > 0x20 { index += 1 }
    return begin == index ? nil : Word(bytes: Array(bytes[begin..<index]))
  }

  mutating func name() throws(ManifestError) -> [UInt8] {
    guard let word = next() else { throw error("the name of a map is missing") }
    return word.bytes
  }

  func error(_ reason: StaticString) -> ManifestError {
    ManifestError(line: line, column: begin - bytes.startIndex + 1, reason: reason)
  }
}
