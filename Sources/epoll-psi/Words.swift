// Options in bytes: comparing String takes 50 KB of Unicode's tables.

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

/// Whether the bytes are this word.
@inline(never)
func equal(_ bytes: [UInt8], _ name: StaticString) -> Bool {
  guard bytes.count == name.utf8CodeUnitCount else { return false }
  return name.withUTF8Buffer { name in
    for index in 0..<name.count where bytes[index] != name[index] { return false }
    return true
  }
}
