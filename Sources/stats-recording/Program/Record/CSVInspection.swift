import Foundation

/// What a file holds that a recorder has left: how much of it are whole rows, and the last ones.
struct CSVInspection {
  var layout: CSVLayout?
  var wholeBytes = 0
  /// Bytes behind the last whole row: it was torn.
  var tornBytes = 0
  var first: RecordedMessage?
  var last: RecordedMessage?
  /// The records at the file's end, by which one that comes again is known: what had come in the last
  /// seconds may not have been acknowledged.
  var recent: [RecordedMessage] = []

  /// ``recent`` are those that came so long before the last, and some more.
  static let recentMicroseconds: Int64 = 10_000_000
  static let recentBytes = 256 * 1024
  /// More of the file's end is not looked at.
  private static let mostBytes = 64 << 20

  /// Reads a whole file. Errors: it cannot be read, or is not one of ours.
  init(_ path: String) throws(RecordingFailure) {
    var reader = try CSVReader(path)
    layout = reader.layout
    var rows: [[UInt8]] = []
    while let row = try reader.nextRow() {
      first = first ?? message(row)
      if reader.fileSize - reader.offset < Self.mostBytes { rows.append(Array(row)) }
    }
    wholeBytes = reader.offset
    tornBytes = reader.fileSize - reader.offset
    var bytes = 0
    for row in rows.reversed() {
      guard let message = message(row[...]) else { continue }
      last = last ?? message
      let age = (last ?? message).received - message.received
      if age > Self.recentMicroseconds && bytes > Self.recentBytes { break }
      bytes += row.count
      recent.append(message)
    }
    recent.reverse()
  }

  private func message(_ row: ArraySlice<UInt8>) -> RecordedMessage? {
    guard let layout, let cells = try? CSVRows.cells(row) else { return nil }
    return try? layout.message(cells)
  }
}

/// Reads a CSV file row by row.
struct CSVReader {
  let path: String
  let layout: CSVLayout?
  /// The file's length when it was opened: what is added later is not read.
  let fileSize: Int
  private let file: FileHandle
  private var rows = CSVRows()
  private var row = 0
  private var bytesRead = 0

  /// A longer row is none of ours.
  static let maximumRow = 16 << 20

  /// Opens it and reads its header; `layout` is nil if there is no whole header.
  init(_ path: String) throws(RecordingFailure) {
    self.path = path
    var status = stat()
    guard let file = FileHandle(forReadingAtPath: path), fstat(file.fileDescriptor, &status) == 0
    else { throw RecordingFailure("\(path): \(String(cString: strerror(errno)))") }
    self.file = file
    fileSize = Int(status.st_size)
    guard let header = try Self.read(path, file, &rows, &bytesRead, fileSize) else {
      layout = nil
      return
    }
    row = 1
    do throws(CSVError) {
      layout = try CSVLayout(header: CSVRows.cells(header))
    } catch {
      throw RecordingFailure("\(path): \(error)")
    }
  }

  /// How many bytes of whole rows were read.
  var offset: Int { rows.offset }

  mutating func nextRow() throws(RecordingFailure) -> ArraySlice<UInt8>? {
    row += 1
    return try Self.read(path, file, &rows, &bytesRead, fileSize)
  }

  /// The next row's message; nil at the end. Errors: a row that is none, with its number.
  mutating func next() throws(RecordingFailure) -> RecordedMessage? {
    guard let layout, let row = try nextRow() else { return nil }
    do throws(CSVError) { return try layout.message(CSVRows.cells(row)) } catch {
      throw RecordingFailure("\(path), row \(self.row): \(error)")
    }
  }

  /// The last whole row's message; nil if there is none.
  mutating func lastMessage() throws(RecordingFailure) -> RecordedMessage? {
    var last: [UInt8]?
    while let row = try nextRow() { last = Array(row) }
    guard let layout, let last else { return nil }
    do throws(CSVError) { return try layout.message(CSVRows.cells(last[...])) } catch {
      throw RecordingFailure("\(path), row \(row - 1): \(error)")
    }
  }

  private static func read(
    _ path: String, _ file: FileHandle, _ rows: inout CSVRows, _ bytesRead: inout Int,
    _ fileSize: Int
  ) throws(RecordingFailure) -> ArraySlice<UInt8>? {
    while true {
      if let row = rows.next() { return row }
      guard rows.remainder < maximumRow else {
        throw RecordingFailure("\(path): a row of more than 16 MiB behind byte \(rows.offset)")
      }
      let count = min(256 * 1024, fileSize - bytesRead)
      guard count > 0 else { return nil }
      let bytes: Data?
      do { bytes = try file.read(upToCount: count) } catch {
        throw RecordingFailure("\(path): \(error)")
      }
      guard let bytes, !bytes.isEmpty else { return nil }
      bytesRead += bytes.count
      rows.append(bytes)
    }
  }
}
