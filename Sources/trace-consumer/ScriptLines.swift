import Linux

/// Cuts what comes through a pipe into lines, of which one too long is left out.
struct ScriptLines {
  private let limit: Int
  private var rest: [UInt8] = []
  private var isTooLong = false
  /// How many lines were left out.
  private(set) var leftOut: UInt64 = 0

  init(limit: Int) { self.limit = limit }

  mutating func add(_ bytes: ArraySlice<UInt8>) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    var start = bytes.startIndex
    for index in bytes.indices where bytes[index] == UInt8(ascii: "\n") {
      append(bytes[start..<index])
      if let line = finish() { lines.append(line) }
      start = index + 1
    }
    append(bytes[start...])
    return lines
  }

  /// The last line may be without its end; nil for one that was too long, or of which nothing came.
  mutating func finish() -> [UInt8]? {
    let line = rest
    rest = []
    if isTooLong { leftOut += 1 }
    defer { isTooLong = false }
    return isTooLong || line.isEmpty ? nil : line
  }

  private mutating func append(_ bytes: ArraySlice<UInt8>) {
    guard !isTooLong, rest.count + bytes.count <= limit else {
      isTooLong = true
      rest = []
      return
    }
    rest.append(contentsOf: bytes)
  }
}
