import CLinux
import Linux

/// Reads the records of a segment one after the other, in large pieces.
///
/// What is damaged is stepped over, to the next record that is whole, and counted.
final class SpillReader {
  let segment: SpillSegment
  let path: Text
  private let file: FileDescriptor
  private(set) var stamp = BootStamp()
  /// Whole records that were read.
  private(set) var count: UInt64 = 0
  private(set) var hasForeignBytes = false

  private var bytes: [UInt8] = []
  /// Where `bytes` begins in the file, and what comes next in `bytes`.
  private var base = 0
  private var offset = 0
  private var isAtEnd = false
  /// The entry that ``peek()`` found.
  private var found: SpillEntry?

  private static let pieceSize = 1 << 16

  private init(
    _ segment: SpillSegment, _ path: Text, _ file: consuming FileDescriptor, _ bytes: [UInt8]
  ) {
    self.segment = segment
    self.path = path
    self.file = file
    self.bytes = bytes
    let hasHeader =
      bytes.count >= SpillEntry.segmentHeaderSize
      && bytes.span.starts(with: SpillEntry.segmentMagic)
    if hasHeader {
      stamp = BootStamp(
        decoding: bytes.span.extracting(8..<SpillEntry.segmentHeaderSize))
      offset = SpillEntry.segmentHeaderSize
    } else {
      hasForeignBytes = true
    }
  }

  /// Opens the segment in this folder. Errors: those of open(2) and read(2).
  static func open(_ segment: SpillSegment, in folder: Text) throws(SystemError) -> SpillReader {
    let path = Text("\(folder)/\(segment.name)")
    let file = try FileDescriptor.open(path, O_RDONLY | O_NOFOLLOW)
    let bytes = try readPiece(file, 0, path)
    return SpillReader(segment, path, file, bytes)
  }

  /// How many records the segment has less than it should have, now that all were read.
  var damaged: UInt64 { segment.count > count ? segment.count - count : 0 }

  /// The arrival of the next record; nil at the end. Errors: those of read(2).
  func peek() throws(SystemError) -> UInt64? {
    while true {
      if let found { return found.arrival }
      switch SpillEntry.parse(bytes.span, at: offset) {
      case .entry(let entry):
        found = entry
        count += 1
      case .cut where !isAtEnd: try readOn()
      case .cut:
        if offset < bytes.count && bytes.count - offset >= 8 {
          hasForeignBytes = true
          offset += 8
          continue
        }
        return nil
      case .none:
        hasForeignBytes = true
        offset += 8
      }
    }
  }

  /// Appends the record that ``peek()`` found to the buffer, and goes on.
  func take(into record: inout [UInt8]) -> UInt8 {
    guard let entry = found else { return 0 }
    record += bytes[entry.record]
    offset = entry.end
    found = nil
    return entry.origin
  }

  /// Goes on without the record that ``peek()`` found.
  func skip() -> UInt16 {
    guard let entry = found else { return 0 }
    let kind = Outbox.kind(bytes, behind: entry.record.lowerBound)
    offset = entry.end
    found = nil
    return kind
  }

  private func readOn() throws(SystemError) {
    let more = try Self.readPiece(file, base + bytes.count, path)
    if more.isEmpty {
      isAtEnd = true
      return
    }
    let gone = min(offset, bytes.count)
    bytes = [UInt8](bytes[gone...]) + more
    base += gone
    offset -= gone
  }

  private static func readPiece(
    _ file: borrowing FileDescriptor, _ offset: Int, _ path: Text
  ) throws(SystemError) -> [UInt8] {
    var piece = [UInt8](repeating: 0, count: pieceSize)
    while true {
      let count = pread(file.raw, &piece, piece.count, off_t(offset))
      if count >= 0 {
        piece.removeLast(piece.count - count)
        return piece
      }
      let errno = clinux_errno()
      if errno != EINTR { throw SystemError("read", errno: errno, path) }
    }
  }
}
