// Words in bytes: `==` of String takes 50 KB of Unicode's tables, the views of a String some of it.

/// The parts of a text between separators, empty ones too.
@inline(never)
func parts(_ text: String, separator: UInt8) -> [[UInt8]] {
  var parts: [[UInt8]] = []
  var part: [UInt8] = []
  for byte in text.utf8 {
    if byte == separator {
      parts.append(part)
      part = []
    } else {
      part.append(byte)
    }
  }
  parts.append(part)
  return parts
}

extension ArraySlice<UInt8> {
  /// Whether the bytes are this word.
  @inline(never)
  func equals(_ word: StaticString) -> Bool {
    guard count == word.utf8CodeUnitCount else { return false }
    return word.withUTF8Buffer { word in
      for index in 0..<word.count where self[startIndex + index] != word[index] { return false }
      return true
    }
  }
}
