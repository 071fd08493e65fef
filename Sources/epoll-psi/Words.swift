import Linux

/// The parts of a text between separators, empty ones too.
@inline(never)
func parts(_ text: Text, separator: UInt8) -> [Text] {
  var parts: [Text] = []
  var part = Text()
  for byte in text.bytes {
    if byte == separator {
      parts.append(part)
      part = Text()
    } else {
      part.append(byte)
    }
  }
  parts.append(part)
  return parts
}
