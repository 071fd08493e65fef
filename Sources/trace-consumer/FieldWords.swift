import BPFObjects
import Linux
import Records

// How the fields of keys and records are written.

extension FixedText {
  init(_ text: Text) { self.init(text.bytes.span) }
}

extension Manifest.Layout {
  /// The values with commas between them: `sleep,15`. A text that has one, or a quote, is in quotes.
  func keyText(_ bytes: [UInt8]) -> Text {
    var text = Text()
    for field in fields {
      if !text.isEmpty { text.append(UInt8(ascii: ",")) }
      text.append(field, bytes) { $0 == UInt8(ascii: ",") }
    }
    return text
  }
}

extension Text {
  /// `name=value`, behind a space if something stands before it; a text with spaces is in quotes.
  mutating func append(pair field: Manifest.Field, _ bytes: [UInt8]) {
    if !isEmpty { append(UInt8(ascii: " ")) }
    append(field.name.span)
    append(UInt8(ascii: "="))
    append(field, bytes) { $0 <= 0x20 || $0 == UInt8(ascii: "=") }
  }

  fileprivate mutating func append(
    _ field: Manifest.Field, _ bytes: [UInt8], isSpecial: (UInt8) -> Bool
  ) {
    switch field.value(in: bytes.span) {
    case .unsigned(let number): append(number: number)
    case .signed(let number): self += "\(number)"
    case .text(let range):
      let quote = UInt8(ascii: "\"")
      let isQuoted = range.isEmpty || range.contains { isSpecial(bytes[$0]) || bytes[$0] == quote }
      if isQuoted { append(quote) }
      for index in range {
        let byte = bytes[index]
        if isQuoted && (byte == quote || byte == UInt8(ascii: "\\")) {
          append(UInt8(ascii: "\\"))
        }
        append(byte)
      }
      if isQuoted { append(quote) }
    }
  }
}
