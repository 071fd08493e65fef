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
