// Texts are put together here, in one place: written as interpolations all over the program, they
// would take ten times the code.

/// The texts one after the other.
@inline(never)
func text(
  _ first: String, _ second: String, _ third: String = "", _ fourth: String = "",
  _ fifth: String = ""
) -> String {
  var text = first
  text += second
  text += third
  text += fourth
  text += fifth
  return text
}

@inline(never)
func text(_ name: StaticString) -> String { "\(name)" }

@inline(never)
func text(_ number: UInt64) -> String { "\(number)" }

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

@inline(never)
func equal(_ bytes: [UInt8], _ name: StaticString) -> Bool {
  guard bytes.count == name.utf8CodeUnitCount else { return false }
  return name.withUTF8Buffer { name in
    for index in 0..<name.count where bytes[index] != name[index] { return false }
    return true
  }
}
