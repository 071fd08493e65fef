import Foundation

/// What a file holds that a recorder has left: how much of it are whole rows, and the last ones.
struct CSVInspection {
  var layout: CSVLayout?
  var wholeBytes = 0
  /// Bytes behind the last whole row: it was torn.
  var tornBytes = 0
  var first: RecordedMessage?
  var last: RecordedMessage?
  /// The records at the file's end, by which one that comes again is known.
  var recent: [RecordedMessage] = []

  /// So much of the file's end is looked at for ``recent``.
  static let recentBytes = 256 * 1024

  /// Reads a whole file. Errors: it cannot be read, or is not one of ours.
  init(_ path: String) throws(RecordingFailure) {
    var reader = try CSVReader(path)
    layout = reader.layout
    do throws(RecordingFailure) {
      while let row = try reader.nextRow() {
        guard first == nil || reader.fileSize - reader.offset < Self.recentBytes else { continue }
        guard let layout, let cells = try? CSVRows.cells(row),
          let message = try? layout.message(cells)
        else { continue }
        first = first ?? message
        last = message
        recent.append(message)
      }
    } catch {
      throw error
    }
    wholeBytes = reader.offset
    tornBytes = reader.fileSize - reader.offset
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
