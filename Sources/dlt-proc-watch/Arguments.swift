/// Walks over the arguments of a verbose message (AUTOSAR PRS_LogAndTraceProtocol, 5.1.4).
///
/// ```
/// u32 type: length 0x0F (1 to 5: 8 to 128 bits), BOOL 0x10, SINT 0x20, UINT 0x40, FLOA 0x80,
///           ARAY 0x100, STRG 0x200, RAWD 0x400, VARI 0x800, FIXP 0x1000, TRAI 0x2000, STRU 0x4000
/// SINT, UINT, FLOA   VARI: u16 length of the name, u16 of the unit, name, unit
///                    FIXP: f32 quantization and an offset of 32, 64 or 128 bits
///                    the value
/// BOOL               VARI: u16 length of the name, name; then one byte
/// STRG, RAWD, TRAI   u16 length; VARI: u16 length of the name, name; the bytes, STRG with a NUL
/// ```
///
/// Every integer is in the order that the header's MSBF says.
struct Arguments {
  enum Argument: Equatable {
    case signed(Int64)
    case unsigned(UInt64)
    /// A string, up to its first NUL.
    case text(Range<Int>)
    /// Of a type that nobody asks for here.
    case other
  }

  private var offset: Int
  private let end: Int
  private var remaining: Int
  private let isBigEndian: Bool

  init(of message: DLTMessage) {
    offset = message.payload.lowerBound
    end = message.payload.upperBound
    remaining = Int(message.extended?.argumentCount ?? 0)
    isBigEndian = message.isBigEndian
  }

  /// The next argument; nil at the end, and for good once one does not fit or is not understood.
  mutating func next(in bytes: Span<UInt8>) -> Argument? {
    guard remaining > 0, let argument = read(bytes) else {
      remaining = 0
      return nil
    }
    remaining -= 1
    return argument
  }

  private mutating func read(_ bytes: Span<UInt8>) -> Argument? {
    guard let type = integer(bytes, 4) else { return nil }
    let isVariable = type & 0x800 != 0
    switch type & 0x67F0 {
    case 0x10:
      if isVariable {
        guard let name = integer(bytes, 2), skip(name) else { return nil }
      }
      return skip(1) ? .other : nil
    case 0x20, 0x40, 0x80:
      guard 1...5 ~= type & 0xF else { return nil }
      let width = 1 << Int(type & 0xF - 1)
      if isVariable {
        guard let name = integer(bytes, 2), let unit = integer(bytes, 2), skip(name), skip(unit)
        else { return nil }
      }
      if type & 0x1000 != 0 {
        guard skip(4 + UInt64(max(width, 4))) else { return nil }
      }
      if width > 8 || type & 0x80 != 0 { return skip(UInt64(width)) ? .other : nil }
      guard let value = integer(bytes, width) else { return nil }
      if type & 0x40 != 0 { return .unsigned(value) }
      let unused = Int64(64 - width * 8)
      return .signed((Int64(bitPattern: value) << unused) >> unused)
    case 0x200, 0x400, 0x2000:
      guard let length = integer(bytes, 2) else { return nil }
      if isVariable {
        guard let name = integer(bytes, 2), skip(name) else { return nil }
      }
      let start = offset
      guard skip(length) else { return nil }
      if type & 0x200 == 0 { return .other }
      var last = start
      while last < offset && bytes[last] != 0 { last += 1 }
      return .text(start..<last)
    default:
      return nil
    }
  }

  private mutating func skip(_ count: UInt64) -> Bool {
    guard count <= UInt64(end - offset) else { return false }
    offset += Int(count)
    return true
  }

  private mutating func integer(_ bytes: Span<UInt8>, _ width: Int) -> UInt64? {
    guard width <= end - offset else { return nil }
    var value: UInt64 = 0
    for index in 0..<width {
      value = value << 8 | UInt64(bytes[offset + (isBigEndian ? index : width - 1 - index)])
    }
    offset += width
    return value
  }
}
