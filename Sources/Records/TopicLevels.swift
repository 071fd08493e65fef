/// The part of a topic that names one thing of many: `/eth0`, `/disk/mmcblk0`.
///
/// Names come from outside and may hold any byte. A level never contains what MQTT 5 gives a meaning
/// (4.7: `/`, `+`, `#`) or forbids (1.5.4: NUL and bytes that are not UTF-8): each such byte, and
/// every control character, becomes `_`, and so does an empty name.
public struct TopicLevels: Sendable {
  public private(set) var bytes: [UInt8] = []

  public init() {
    bytes.reserveCapacity(256)
  }

  public mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
  }

  /// A word of our own making.
  public mutating func append(_ name: StaticString) {
    bytes.append(UInt8(ascii: "/"))
    name.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  /// A name from outside.
  public mutating func append(_ name: Span<UInt8>) {
    bytes.append(UInt8(ascii: "/"))
    if name.isEmpty { bytes.append(UInt8(ascii: "_")) }
    var index = 0
    while index < name.count {
      let length = name.validUTF8SequenceLength(at: index)
      if length == 0 || Self.isReserved(name[index]) {
        bytes.append(UInt8(ascii: "_"))
        index += 1
      } else {
        for offset in 0..<length { bytes.append(name[index + offset]) }
        index += length
      }
    }
  }

  public mutating func append<let capacity: Int>(_ name: FixedText<capacity>) {
    append(name.bytes.span.extracting(first: name.count))
  }

  /// A number, such as a process id.
  public mutating func append(number: UInt32) {
    bytes.append(UInt8(ascii: "/"))
    var divisor: UInt32 = 1
    while number / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
      divisor /= 10
    }
  }

  private static func isReserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "/"), UInt8(ascii: "+"), UInt8(ascii: "#"), 0..<0x20, 0x7F: true
    default: false
    }
  }
}
