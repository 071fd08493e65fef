import Linux

/// The lines of a configuration file: `key = value`, with the names of the options as keys.
///
/// ```
/// # how often to look
/// interval = 5s
/// print = yes
/// ```
///
/// White space around key and value is not part of them; a line that begins with `#` or `;` is a
/// comment. Keys may be repeated where the option may.
public struct ConfigurationFile: Sendable {
  public struct Entry: Sendable {
    public let key: Text
    public let value: Text
    public let line: Int
  }

  public struct ParseError: Error, Sendable {
    public let line: Int
    public let reason: StaticString
  }

  public private(set) var entries: [Entry] = []

  public init(parsing bytes: Span<UInt8>) throws(ParseError) {
    var start = 0
    var number = 0
    while start < bytes.count {
      number += 1
      var end = start
      while end < bytes.count && bytes[end] != UInt8(ascii: "\n") { end += 1 }
      let line = Self.trimmed(bytes, start..<end)
      start = end + 1
      guard let first = line.first else { continue }
      if bytes[first] == UInt8(ascii: "#") || bytes[first] == UInt8(ascii: ";") { continue }
      var equals = first
      while equals < line.upperBound && bytes[equals] != UInt8(ascii: "=") { equals += 1 }
      guard equals < line.upperBound else {
        throw ParseError(line: number, reason: "is not of the form key = value")
      }
      let key = Self.trimmed(bytes, first..<equals)
      let value = Self.trimmed(bytes, (equals + 1)..<line.upperBound)
      guard !key.isEmpty else { throw ParseError(line: number, reason: "has no key before the =") }
      for index in line where bytes[index] < 0x20 && bytes[index] != UInt8(ascii: "\t") {
        throw ParseError(line: number, reason: "holds a control character")
      }
      entries.append(
        Entry(key: Self.text(bytes, key), value: Self.text(bytes, value), line: number))
    }
  }

  private static func trimmed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
    var (lower, upper) = (range.lowerBound, range.upperBound)
    while lower < upper && isSpace(bytes[lower]) { lower += 1 }
    while upper > lower && isSpace(bytes[upper - 1]) { upper -= 1 }
    return lower..<upper
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
  }

  private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Text {
    Text(bytes.extracting(range))
  }
}
