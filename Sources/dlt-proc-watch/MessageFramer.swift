/// Cuts the bytes of a connection, or of a trace file, into messages.
///
/// ```
/// connection   ["DLS" 01] message ["DLS" 01] message …
/// file         "DLT" 01, u32 seconds, i32 microseconds, 4 bytes ECU, message; …
///              (the integers of a storage header are little-endian)
/// ```
///
/// What is no message on a connection breaks it: the daemon begins anew with the next one. In a
/// file it is passed over and counted, up to the next storage header.
struct MessageFramer {
  enum Origin { case connection, file }

  enum Step: Equatable {
    case message(Range<Int>, StorageHeader?)
    case needsMore
    /// What follows is no message.
    case broken
  }

  struct StorageHeader: Equatable {
    let seconds: UInt32
    let ecu: Identifier
  }

  /// A message has 65,535 bytes at most.
  static let maximumLength = 16 + 4 + 65_535

  let origin: Origin
  private(set) var bytes: [UInt8] = []
  /// Bytes of a file that belong to no message.
  private(set) var skippedBytes: UInt64 = 0
  /// Bytes of the last message of a file that is not all there.
  private(set) var truncatedBytes: UInt64 = 0
  private var start = 0

  init(_ origin: Origin) {
    self.origin = origin
  }

  /// Bytes that wait for the rest of their message.
  var pendingBytes: Int { bytes.count - start }

  /// Adds the first `count` of these bytes.
  mutating func append(_ more: [UInt8], _ count: Int) {
    if start > 0 {
      bytes.removeSubrange(0..<start)
      start = 0
    }
    bytes.append(contentsOf: more[0..<count])
  }

  /// For a new connection; what the longest message took is given back.
  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: bytes.capacity <= 32_768)
    start = 0
  }

  /// The next message; `isEnd` says that no more bytes will be appended.
  mutating func next(isEnd: Bool = false) -> Step {
    switch origin {
    case .connection: nextOfConnection()
    case .file: nextOfFile(isEnd)
    }
  }

  private mutating func nextOfConnection() -> Step {
    // 'D' is no header of version 1, so that the two cannot be taken for each other.
    while pendingBytes >= 4 && holdsMark(UInt8(ascii: "S"), at: start) { start += 4 }
    guard pendingBytes >= 4 else {
      return pendingBytes > 0 && !mayBegin(bytes[start]) ? .broken : .needsMore
    }
    guard let form = MessageForm(bytes.span, at: start) else { return .broken }
    guard pendingBytes >= form.length else { return .needsMore }
    defer { start += form.length }
    return .message(start..<(start + form.length), nil)
  }

  private func mayBegin(_ byte: UInt8) -> Bool { byte & 0xE0 == 0x20 || byte == UInt8(ascii: "D") }

  private mutating func nextOfFile(_ isEnd: Bool) -> Step {
    while true {
      guard let found = storageHeader(from: start, to: bytes.count) else {
        // The end may be the beginning of a header.
        skip(to: isEnd ? bytes.count : max(start, bytes.count - 3))
        return .needsMore
      }
      skip(to: found)
      let message = start + 16
      guard message + 4 <= bytes.count else {
        if isEnd { truncate() }
        return .needsMore
      }
      guard let form = MessageForm(bytes.span, at: message) else {
        skip(to: start + 4)
        continue
      }
      let end = message + form.length
      // A header must follow, or the length may be false and hide the messages behind it.
      if end + 4 > bytes.count && !isEnd { return .needsMore }
      if end > bytes.count || !(end == bytes.count || holdsMark(UInt8(ascii: "T"), at: end)) {
        // All of a header that begins before the end must be there.
        if end + 23 > bytes.count && !isEnd { return .needsMore }
        if let hidden = plausibleHeader(from: start + 4, to: min(end + 3, bytes.count)) {
          skip(to: hidden)
          continue
        }
        if end > bytes.count {
          truncate()
          return .needsMore
        }
      }
      let header = StorageHeader(
        seconds: bytes.span.bigEndian32(at: start + 4).byteSwapped,
        ecu: Identifier(bytes.span, at: start + 12))
      start = end
      return .message(message..<end, header)
    }
  }

  private mutating func skip(to offset: Int) {
    skippedBytes += UInt64(offset - start)
    start = offset
  }

  private mutating func truncate() {
    truncatedBytes += UInt64(pendingBytes)
    start = bytes.count
  }

  private func storageHeader(from lower: Int, to upper: Int) -> Int? {
    var offset = lower
    while offset + 4 <= upper {
      if holdsMark(UInt8(ascii: "T"), at: offset) { return offset }
      offset += 1
    }
    return nil
  }

  /// A storage header with a message's header behind it.
  private func plausibleHeader(from lower: Int, to upper: Int) -> Int? {
    var offset = lower
    while let found = storageHeader(from: offset, to: upper) {
      if found + 20 <= bytes.count, MessageForm(bytes.span, at: found + 16) != nil { return found }
      offset = found + 1
    }
    return nil
  }

  /// "DLT" 01 or "DLS" 01.
  private func holdsMark(_ third: UInt8, at offset: Int) -> Bool {
    offset + 4 <= bytes.count && bytes[offset] == UInt8(ascii: "D")
      && bytes[offset + 1] == UInt8(ascii: "L") && bytes[offset + 2] == third
      && bytes[offset + 3] == 1
  }
}
