/// Up to where an accounting file has been told, as it is kept from one run to the next.
///
/// A file of one line, always of the same length, so that writing it again is one write of one
/// block. All numbers are hexadecimal and have 16 digits:
///
/// ```
/// stats-pacct-1 DEVICE INODE OFFSET FINGERPRINT CHECKSUM
/// ```
///
/// FINGERPRINT is the FNV-1a hash of the 64 bytes before OFFSET, 0 at the start of the file: it
/// tells the file from another one that has its inode. CHECKSUM is that of all that stands before it.
struct Position: Equatable {
  var device: UInt64
  var inode: UInt64
  var offset: UInt64
  var fingerprint: UInt64

  static let encodedSize = 13 + 5 * 17 + 1
  private static let name: StaticString = "stats-pacct-1"

  init(device: UInt64, inode: UInt64, offset: UInt64, fingerprint: UInt64) {
    self.device = device
    self.inode = inode
    self.offset = offset
    self.fingerprint = fingerprint
  }

  /// nil if the bytes are not such a line, or were damaged.
  init?(parsing bytes: Span<UInt8>) {
    guard bytes.count == Self.encodedSize, bytes[bytes.count - 1] == UInt8(ascii: "\n") else {
      return nil
    }
    let name = Self.name
    for index in 0..<name.utf8CodeUnitCount where bytes[index] != name.utf8Start[index] {
      return nil
    }
    guard let device = Self.number(bytes, 0), let inode = Self.number(bytes, 1),
      let offset = Self.number(bytes, 2), let fingerprint = Self.number(bytes, 3),
      let checksum = Self.number(bytes, 4),
      checksum == hash(bytes.extracting(first: Self.encodedSize - 18)),
      offset % 64 == 0, offset <= UInt64(Int64.max)
    else { return nil }
    self.init(device: device, inode: inode, offset: offset, fingerprint: fingerprint)
  }

  func encode() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.encodedSize)
    Self.name.withUTF8Buffer { bytes.append(contentsOf: $0) }
    for number in [device, inode, offset, fingerprint] { Self.append(number, &bytes) }
    Self.append(hash(bytes.span), &bytes)
    bytes.append(UInt8(ascii: "\n"))
    return bytes
  }

  private static func append(_ number: UInt64, _ bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: " "))
    for shift in stride(from: UInt64(60), through: 0, by: -4) {
      let digit = UInt8(number >> shift & 15)
      bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }
  }

  /// The number of this place in the line, behind a space.
  private static func number(_ bytes: Span<UInt8>, _ place: Int) -> UInt64? {
    let start = 13 + place * 17
    guard bytes[start] == UInt8(ascii: " ") else { return nil }
    var number: UInt64 = 0
    for index in (start + 1)..<(start + 17) {
      let digit: UInt8
      switch bytes[index] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = bytes[index] - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = bytes[index] - UInt8(ascii: "a") + 10
      default: return nil
      }
      number = number << 4 | UInt64(digit)
    }
    return number
  }
}

/// FNV-1a of 64 bits.
func hash(_ bytes: Span<UInt8>) -> UInt64 {
  var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  for index in 0..<bytes.count { hash = (hash ^ UInt64(bytes[index])) &* 0x0000_0100_0000_01B3 }
  return hash
}
