import Records

/// The headers of a message of DLT protocol version 1 (AUTOSAR PRS_LogAndTraceProtocol, 5.1).
///
/// ```
/// standard header                         extended header, if UEH
///   HTYP  u8   UEH 1, MSBF 2, WEID 4,       MSIN  u8  verbose 1, type 0x0E, level 0xF0
///              WSID 8, WTMS 0x10,           NOAR  u8  count of arguments
///              version 0xE0 (1)             APID  4   application
///   MCNT  u8   counts per context           CTID  4   context
///   LEN   u16  of all but a storage header
///   ECU   4    if WEID                    payload: the rest; its integers are big-endian
///   SEID  u32  if WSID                      if MSBF, all in the headers always are
///   TMSP  u32  if WTMS, in 0.1 ms
/// ```
struct DLTMessage: Equatable {
  let counter: UInt8
  var ecu: Identifier?
  let session: UInt32?
  /// Since the sender started, in 0.1 ms; wraps after 4.97 days.
  let timestamp: UInt32?
  /// nil: the message has no extended header.
  let extended: Extended?
  let isBigEndian: Bool
  /// Where the payload stands in the bytes that were parsed.
  let payload: Range<Int>

  struct Extended: Equatable {
    let information: UInt8
    let argumentCount: UInt8
    let application: Identifier
    let context: Identifier

    /// Arguments with their types, rather than a number that a catalogue explains.
    var isVerbose: Bool { information & 0x01 != 0 }
    var isLog: Bool { information & 0x0E == 0 }
    var isControlResponse: Bool { information & 0xFE == 0x26 }
  }

  /// Reads a message that is the whole of `bytes`; nil if it is none.
  init?(parsing bytes: Span<UInt8>) {
    guard let form = MessageForm(bytes, at: 0), form.length == bytes.count else { return nil }
    counter = bytes[1]
    isBigEndian = form.type & MessageForm.bigEndianPayload != 0
    var offset = 4
    if form.type & MessageForm.withECU != 0 {
      ecu = Identifier(bytes, at: offset)
      offset += 4
    }
    if form.type & MessageForm.withSession != 0 {
      session = bytes.bigEndian32(at: offset)
      offset += 4
    } else {
      session = nil
    }
    if form.type & MessageForm.withTimestamp != 0 {
      timestamp = bytes.bigEndian32(at: offset)
      offset += 4
    } else {
      timestamp = nil
    }
    if form.type & MessageForm.withExtendedHeader != 0 {
      extended = Extended(
        information: bytes[offset], argumentCount: bytes[offset + 1],
        application: Identifier(bytes, at: offset + 2), context: Identifier(bytes, at: offset + 6))
      offset += 10
    } else {
      extended = nil
    }
    payload = offset..<bytes.count
  }
}

/// What the first four bytes of a standard header say: which fields follow, and the length.
struct MessageForm {
  static var withExtendedHeader: UInt8 { 0x01 }
  static var bigEndianPayload: UInt8 { 0x02 }
  static var withECU: UInt8 { 0x04 }
  static var withSession: UInt8 { 0x08 }
  static var withTimestamp: UInt8 { 0x10 }

  let type: UInt8
  let length: Int

  /// nil if there is no header of version 1, or its length has no room for its own fields. At least
  /// four bytes must be there.
  init?(_ bytes: Span<UInt8>, at offset: Int) {
    type = bytes[offset]
    length = Int(bytes[offset + 2]) << 8 | Int(bytes[offset + 3])
    guard type & 0xE0 == 0x20 else { return nil }
    var least = 4
    if type & Self.withECU != 0 { least += 4 }
    if type & Self.withSession != 0 { least += 4 }
    if type & Self.withTimestamp != 0 { least += 4 }
    if type & Self.withExtendedHeader != 0 { least += 10 }
    guard length >= least else { return nil }
  }
}

/// Four bytes that name an ECU, an application or a context; shorter names end with zeros.
struct Identifier: Equatable {
  let bigEndian: UInt32

  init(_ bytes: Span<UInt8>, at offset: Int) {
    bigEndian = bytes.bigEndian32(at: offset)
  }

  init(_ name: StaticString) {
    bigEndian = name.withUTF8Buffer { Self.packed($0.span) }
  }

  /// nil if it is empty or longer than four bytes.
  init?(name: [UInt8]) {
    guard 1...4 ~= name.count else { return nil }
    bigEndian = Self.packed(name.span)
  }

  private static func packed(_ name: Span<UInt8>) -> UInt32 {
    var value: UInt32 = 0
    for index in 0..<4 { value = value << 8 | (index < name.count ? UInt32(name[index]) : 0) }
    return value
  }

  /// Up to its first zero.
  var text: FixedText<4> {
    var text = FixedText<4>()
    for shift in [24, 16, 8, 0] as [UInt32] {
      let byte = UInt8(truncatingIfNeeded: bigEndian >> shift)
      if byte == 0 { break }
      text.append(byte)
    }
    return text
  }
}

extension Span<UInt8> {
  /// The caller has compared the offset with `count`.
  func bigEndian32(at offset: Int) -> UInt32 {
    UInt32(self[offset]) << 24 | UInt32(self[offset + 1]) << 16 | UInt32(self[offset + 2]) << 8
      | UInt32(self[offset + 3])
  }
}
