/// A text of a fixed capacity in bytes: any bytes, as the kernel or another program gave them.
///
/// What does not fit is cut, and says so.
public struct FixedText<let capacity: Int>: Sendable {
  /// As they stand on the wire: zeros behind the text.
  private(set) var bytes = InlineArray<capacity, UInt8>(repeating: 0)
  public private(set) var count = 0
  /// The text was longer than the capacity.
  public private(set) var isCut = false

  public init() {}

  public init(_ text: Span<UInt8>) {
    append(text)
  }

  public init(_ text: StaticString) {
    text.withUTF8Buffer { append($0.span) }
  }

  public var isEmpty: Bool { count == 0 }

  public subscript(index: Int) -> UInt8 { bytes[index] }

  public mutating func append(_ text: Span<UInt8>) {
    let length = min(capacity - count, text.count)
    if length > 0 {
      let start = count
      var room = bytes.mutableSpan
      // memcpy(3): byte by byte it is five times the instructions.
      room.withUnsafeMutableBytes { room in
        text.withUnsafeBytes {
          (room.baseAddress! + start).copyMemory(from: $0.baseAddress!, byteCount: length)
        }
      }
    }
    count += length
    if length < text.count { isCut = true }
  }

  public mutating func append(_ byte: UInt8) {
    guard count < capacity else {
      isCut = true
      return
    }
    bytes[count] = byte
    count += 1
  }

  public mutating func removeAll() { self = Self() }

  /// The length and the mark as they stand on the wire.
  var lengthOnWire: UInt16 { UInt16(count) | (isCut ? 0x8000 : 0) }

  /// Takes the text from the wire; a length beyond the capacity is what no program writes.
  mutating func take(lengthOnWire length: UInt16, _ text: Span<UInt8>) {
    removeAll()
    append(text.extracting(first: min(Int(length & 0x7FFF), capacity)))
    isCut = length & 0x8000 != 0
  }
}

extension FixedText: Equatable {
  public static func == (left: FixedText, right: FixedText) -> Bool {
    guard left.count == right.count, left.isCut == right.isCut else { return false }
    for index in 0..<left.count where left.bytes[index] != right.bytes[index] { return false }
    return true
  }
}
