import CLinux
import Linux

/// Reads the records of a segment one after the other, in large pieces.
///
/// What is damaged is stepped over, to the next record that is whole, and counted. Where the disk gives
/// nothing more, the segment ends.
final class SpillReader {
  let segment: SpillSegment
  let path: Text
  /// Of the boot that wrote it; without a boot id where that is damaged.
  private(set) var stamp = BootStamp()
  /// Whole records that were read.
  private(set) var count: UInt64 = 0
  private(set) var hasForeignBytes = false
  /// Why the rest cannot be read.
  private(set) var failure: SystemError?

  private var file: FileDescriptor?
  private var bytes: [UInt8] = []
  /// Where `bytes` begins in the file, and what comes next in `bytes`.
  private var base = 0
  private var offset = 0
  private var isAtEnd = false
  /// The entry that ``peek()`` found.
  private var found: SpillEntry?

  private static let pieceSize = 1 << 16

  /// Opens the segment in this folder.
  init(_ segment: SpillSegment, in folder: Text) {
    self.segment = segment
    path = Text("\(folder)/\(segment.name)")
    file = nil
    do throws(SystemError) {
      let opened = try FileDescriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
      bytes = try Self.readPiece(opened.raw, 0, path)
      file = consume opened
    } catch {
      failure = error
      isAtEnd = true
      return
    }
    let piece = bytes
    if let header = SpillEntry.header(piece.span) {
      stamp = header
      offset = SpillEntry.segmentHeaderSize
    } else {
      hasForeignBytes = true
    }
  }

  /// How many records the segment has less than it should have, now that all were read.
  var damaged: UInt64 { segment.count > count ? segment.count - count : 0 }

  /// What is to be said of it, now that all were read; nil if all is well.
  var complaint: Text? {
    guard damaged > 0 || hasForeignBytes || failure != nil else { return nil }
    let cause: Text = failure.map { Text(": \($0.description)") } ?? ""
    return """
      \(path): \(damaged) records were damaged and are lost, \(count) are whole; the file is set \
      aside as \(path).damaged\(cause)
      """
  }

  /// The arrival of the next record; nil at the end.
  func peek() -> UInt64? {
    while true {
      if let found { return found.arrival }
      let piece = bytes  // a span of the property itself would outlive the access to it
      switch SpillEntry.parse(piece.span, at: offset) {
      case .entry(let entry):
        found = entry
        count += 1
      case .cut where !isAtEnd: readOn()
      case .cut:
        guard offset + 8 <= bytes.count else { return nil }
        hasForeignBytes = true
        offset += 8
      case .none:
        hasForeignBytes = true
        offset += 8
      }
    }
  }

  /// Appends the record that ``peek()`` found to the buffer, and goes on; returns its origin.
  func take(into record: inout [UInt8]) -> UInt8 {
    guard let entry = found else { return 0 }
    record += bytes[entry.record]
    offset = entry.end
    found = nil
    return entry.origin
  }

  /// Goes on without the record that ``peek()`` found; returns its kind.
  func skip() -> UInt16 {
    guard let entry = found else { return 0 }
    let kind = Outbox.kind(bytes, behind: entry.record.lowerBound)
    offset = entry.end
    found = nil
    return kind
  }

  private func readOn() {
    let raw: Int32 =
      switch file {
      case .some(let file): file.raw
      case .none: -1
      }
    // None of ours is that long.
    guard base < 1 << 30 else {
      isAtEnd = true
      return
    }
    do throws(SystemError) {
      let more = try Self.readPiece(raw, base + bytes.count, path)
      isAtEnd = more.isEmpty
      let gone = min(offset, bytes.count)
      bytes = [UInt8](bytes[gone...]) + more
      base += gone
      offset -= gone
    } catch {
      failure = error
      isAtEnd = true
    }
  }

  private static func readPiece(
    _ raw: Int32, _ offset: Int, _ path: Text
  ) throws(SystemError) -> [UInt8] {
    var piece = [UInt8](repeating: 0, count: pieceSize)
    while true {
      let count = pread(raw, &piece, piece.count, off_t(offset))
      if count >= 0 {
        piece.removeLast(piece.count - count)
        return piece
      }
      let errno = clinux_errno()
      if errno != EINTR { throw SystemError("read", errno: errno, path) }
    }
  }
}
