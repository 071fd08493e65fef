/// Lines of points that are written together; each can be found again.
struct LineBatch {
  private(set) var bytes: [UInt8] = []
  private var ends: [Int] = []

  var count: Int { ends.count }
  var isEmpty: Bool { ends.isEmpty }

  mutating func append(_ line: [UInt8]) {
    bytes.append(contentsOf: line)
    ends.append(bytes.count)
  }

  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
  }

  /// The bytes of some of the lines.
  subscript(lines: Range<Int>) -> ArraySlice<UInt8> {
    let start = lines.lowerBound == 0 ? 0 : ends[lines.lowerBound - 1]
    return bytes[start..<(lines.isEmpty ? start : ends[lines.upperBound - 1])]
  }
}
