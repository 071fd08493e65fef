/// A cell of a CSV file, RFC 4180. What stands in quotes is a text, also the empty one; what stands
/// without is a number, true or false, or nothing at all.
struct CSVCell: Equatable, Sendable {
  var bytes: [UInt8]
  var isQuoted: Bool

  static let absent = CSVCell(bytes: [], isQuoted: false)

  var isAbsent: Bool { bytes.isEmpty && !isQuoted }
  var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension [UInt8] {
  /// Appends a text in quotes.
  mutating func append(csv text: some Sequence<UInt8>) {
    append(UInt8(ascii: "\""))
    for byte in text {
      if byte == UInt8(ascii: "\"") { append(byte) }
      append(byte)
    }
    append(UInt8(ascii: "\""))
  }
}

/// What of a row is not RFC 4180.
struct CSVError: Error, Equatable, CustomStringConvertible {
  let description: String
}

/// Finds rows in bytes that come in pieces; a newline in quotes is part of a cell.
struct CSVRows: Sendable {
  private var bytes: [UInt8] = []
  private var start = 0
  private var scanned = 0
  private var isInQuotes = false

  /// How many bytes of complete rows were given out.
  private(set) var offset = 0

  mutating func append(_ more: some Sequence<UInt8>) {
    if start > 0 {
      bytes.removeFirst(start)
      scanned -= start
      start = 0
    }
    bytes.append(contentsOf: more)
  }

  /// The next complete row without its newline; nil if there is none yet.
  mutating func next() -> ArraySlice<UInt8>? {
    while scanned < bytes.count {
      let byte = bytes[scanned]
      scanned += 1
      if byte == UInt8(ascii: "\"") { isInQuotes.toggle() }
      guard byte == UInt8(ascii: "\n"), !isInQuotes else { continue }
      var row = bytes[start..<(scanned - 1)]
      offset += scanned - start
      start = scanned
      if row.last == UInt8(ascii: "\r") { row.removeLast() }
      return row
    }
    return nil
  }

  /// How many bytes stand behind the last complete row.
  var remainder: Int { bytes.count - start }

  /// The cells of a row.
  static func cells(_ row: ArraySlice<UInt8>) throws(CSVError) -> [CSVCell] {
    var cells: [CSVCell] = []
    var index = row.startIndex
    while true {
      var cell = CSVCell.absent
      if index < row.endIndex, row[index] == UInt8(ascii: "\"") {
        cell.isQuoted = true
        index += 1
        while true {
          guard index < row.endIndex else { throw CSVError(description: "a quote without its end") }
          let byte = row[index]
          index += 1
          if byte == UInt8(ascii: "\"") {
            guard index < row.endIndex, row[index] == byte else { break }
            index += 1
          }
          cell.bytes.append(byte)
        }
      } else {
        while index < row.endIndex, row[index] != UInt8(ascii: ",") {
          guard row[index] != UInt8(ascii: "\"") else {
            throw CSVError(description: "a quote in a cell without quotes")
          }
          cell.bytes.append(row[index])
          index += 1
        }
      }
      cells.append(cell)
      if index == row.endIndex { return cells }
      guard row[index] == UInt8(ascii: ",") else {
        throw CSVError(description: "something behind a quote")
      }
      index += 1
    }
  }
}
