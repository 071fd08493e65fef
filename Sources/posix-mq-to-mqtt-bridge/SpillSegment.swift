import Linux

/// A file of the spill, as its name tells: samples or events, their first and last arrival, how many.
///
/// `samples-00000000000000000017-00000000000000000512-340.spill`
struct SpillSegment: Equatable {
  let list: Outbox.ListName
  let first: UInt64
  let last: UInt64
  let count: UInt64
  var byteCount: UInt64 = 0

  init(_ list: Outbox.ListName, first: UInt64, last: UInt64, count: UInt64) {
    self.list = list
    self.first = first
    self.last = last
    self.count = count
  }

  /// Whether a record of the outbox is safe in here already.
  func holds(_ slot: Outbox.Slot) -> Bool {
    list.rawValue == slot.list && first <= slot.arrival && slot.arrival <= last
  }

  private static let suffix: StaticString = ".spill"

  /// nil for what is none of our files.
  init?(name: Span<UInt8>) {
    let isEvents = name.starts(with: "events-")
    guard isEvents || name.starts(with: "samples-") else { return nil }
    let end = name.count - Self.suffix.utf8CodeUnitCount
    var start = isEvents ? 7 : 8
    guard end > start + 42, name.extracting(end..<name.count).equals(Self.suffix),
      let first = name.extracting(start..<(start + 20)).decimal,
      let last = name.extracting((start + 21)..<(start + 41)).decimal
    else { return nil }
    start += 42
    guard let count = name.extracting(start..<end).decimal, first <= last, count > 0,
      last < OutboxMemory.lastArrival / 2, count <= UInt64(UInt32.max)
    else {
      return nil
    }
    self.init(isEvents ? .events : .samples, first: first, last: last, count: count)
    // No other spelling, such as one with fewer digits, is ours.
    guard self.name.bytes.span.equals(name) else { return nil }
  }

  var name: Text {
    "\(list == .events ? "events" : "samples")-\(Self.padded(first))-\(Self.padded(last))-\(count)\(Self.suffix)"
  }

  private static func padded(_ number: UInt64) -> Text {
    let digits = Text("\(number)")
    var text = Text()
    for _ in digits.bytes.count..<20 { text.append(UInt8(ascii: "0")) }
    return text + digits
  }
}

extension Span<UInt8> {
  fileprivate func equals(_ other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    for index in indices where self[index] != other[index] { return false }
    return true
  }
}

/// What a segment holds. It begins with 8 bytes of magic, a ``BootStamp`` and the checksum of that; then
/// come the records, each at a multiple of 8, little-endian:
///
/// | offset | type | |
/// |---|---|---|
/// | 0 | u32 | magic, "SRE1" |
/// | 4 | u16 | length of the record |
/// | 6 | u8 | the queue that it came from |
/// | 7 | u8 | 0 |
/// | 8 | u64 | arrival |
/// | 16 | u64 | checksum of arrival, length, origin and bytes |
/// | 24 | | the record |
struct SpillEntry: Equatable {
  let origin: UInt8
  let arrival: UInt64
  /// Where the record stands.
  let record: Range<Int>
  /// Where the next entry begins.
  var end: Int { (record.upperBound + 7) / 8 * 8 }

  static let magic: UInt32 = 0x3145_5253
  static let headerSize = 24
  static let segmentMagic: StaticString = "SRSPILL2"
  static let segmentHeaderSize = 8 + BootStamp.encodedSize + 8
  /// No record in a segment is longer.
  static let longestRecord = 65535

  /// Appends what a segment begins with.
  static func encodeHeader(_ stamp: BootStamp, into bytes: inout [UInt8]) {
    segmentMagic.withUTF8Buffer { bytes += $0 }
    stamp.encode(into: &bytes)
    let checksum = OutboxChecksum.of(bytes.span, bytes.count, 0, 0)
    append(checksum, 8, &bytes)
  }

  /// The stamp of the segment that begins like this; nil if it is none, or damaged.
  static func header(_ bytes: Span<UInt8>) -> BootStamp? {
    let checked = 8 + BootStamp.encodedSize
    guard bytes.count >= segmentHeaderSize, bytes.starts(with: segmentMagic),
      OutboxChecksum.of(bytes, checked, 0, 0) == number(bytes, 0..<bytes.count, checked, 8)
    else { return nil }
    return BootStamp(decoding: bytes.extracting(8..<checked))
  }

  enum Found: Equatable {
    case entry(SpillEntry)
    /// There may be one, but its bytes end before it does.
    case cut
    case none
  }

  /// What stands at `offset`.
  static func parse(_ bytes: Span<UInt8>, at offset: Int) -> Found {
    guard bytes.count - offset >= headerSize else { return .cut }
    let bounds = offset..<bytes.count
    guard number(bytes, bounds, 0, 4) == UInt64(magic) else { return .none }
    let length = Int(number(bytes, bounds, 4, 2))
    guard length > 0, bytes[offset + 7] == 0 else { return .none }
    guard bytes.count - offset - headerSize >= length else { return .cut }
    let entry = SpillEntry(
      origin: bytes[offset + 6], arrival: number(bytes, bounds, 8, 8),
      record: (offset + headerSize)..<(offset + headerSize + length))
    let checksum = OutboxChecksum.of(
      bytes.extracting(entry.record), length, entry.arrival, checked(length, entry.origin))
    return checksum == number(bytes, bounds, 16, 8) && entry.arrival < OutboxMemory.lastArrival
      ? .entry(entry) : .none
  }

  /// How many bytes an entry of this length takes.
  static func size(_ length: Int) -> Int { (headerSize + length + 7) / 8 * 8 }

  /// Appends the first `length` bytes as an entry.
  static func encode(
    _ record: [UInt8], _ length: Int, origin: UInt8, arrival: UInt64, into bytes: inout [UInt8]
  ) {
    append(UInt64(magic), 4, &bytes)
    append(UInt64(length), 2, &bytes)
    bytes += [origin, 0]
    append(arrival, 8, &bytes)
    append(
      OutboxChecksum.of(record.span, length, arrival, checked(length, origin)), 8, &bytes)
    bytes += record[..<length]
    while bytes.count % 8 != 0 { bytes.append(0) }
  }

  private static func checked(_ length: Int, _ origin: UInt8) -> UInt64 {
    UInt64(length) << 8 | UInt64(origin)
  }

  private static func append(_ number: UInt64, _ width: Int, _ bytes: inout [UInt8]) {
    for index in 0..<width {
      bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * index)))
    }
  }

  private static func number(
    _ bytes: Span<UInt8>, _ bounds: Range<Int>, _ start: Int, _ width: Int
  ) -> UInt64 {
    var number: UInt64 = 0
    for index in 0..<width {
      number |= UInt64(bytes[bounds.lowerBound + start + index]) << UInt64(8 * index)
    }
    return number
  }
}
