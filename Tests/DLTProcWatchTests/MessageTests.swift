import Testing

@testable import dlt_proc_watch

/// Headers and arguments in both byte orders.
struct MessageTests {
  @Test func theHeadersAreThoseOfTheCapture() throws {
    let bytes = try #require(messages(Fixture.bytes("sample.dlt"), .file).messages.first)
    let message = try #require(DLTMessage(of: bytes))
    #expect(message.counter == 214)
    #expect(message.ecu == Identifier("TGT1"))
    #expect(message.session == 0x7143)
    #expect(message.timestamp == 18_786_263)
    #expect(!message.isBigEndian)
    let extended = try #require(message.extended)
    #expect(extended.application == Identifier("SYS"))
    #expect(extended.context == Identifier("PROC"))
    #expect(extended.isVerbose && extended.isLog && !extended.isControlResponse)
    #expect(extended.argumentCount == 3)
  }

  /// 32 forms of a standard header, of each field there or not.
  @Test(arguments: 0..<32) func everyFormOfAHeaderIsRead(_ form: Int) throws {
    var making = Making(counter: 200)
    making.hasExtendedHeader = form & 1 != 0
    making.isBigEndian = form & 2 != 0
    if form & 4 == 0 { making.ecu = nil }
    if form & 8 == 0 { making.session = nil }
    if form & 16 == 0 { making.timestamp = nil }
    let bytes = making.message(payload: [1, 2, 3], count: 9)
    let message = try #require(DLTMessage(of: bytes))
    #expect(message.counter == 200)
    #expect(message.ecu == (form & 4 == 0 ? nil : Identifier("TGT1")))
    #expect(message.session == making.session)
    #expect(message.timestamp == making.timestamp)
    #expect((message.extended != nil) == making.hasExtendedHeader)
    #expect(message.isBigEndian == making.isBigEndian)
    #expect(message.payload.count == 3)
    for length in 0..<bytes.count where length >= 4 {
      let cut = Array(bytes[..<length])
      #expect(DLTMessage(of: cut) == nil)
    }
  }

  @Test(arguments: [0x00, 0x40, 0x60, 0xE0] as [UInt8])
  func otherVersionsOfTheProtocolAreRefused(_ version: UInt8) {
    var bytes = Making().stat()
    bytes[0] = bytes[0] & 0x1F | version
    #expect(DLTMessage(of: bytes) == nil)
  }

  @Test(arguments: [false, true]) func argumentsAreReadInBothByteOrders(_ isBigEndian: Bool) throws
  {
    var making = Making()
    making.isBigEndian = isBigEndian
    let bytes = making.message([
      .signed(-7), .plainSigned(-1_000_000_000_000), .text("stat"), .raw([1, 2]), .text(""),
    ])
    let message = try #require(DLTMessage(of: bytes))
    var arguments = Arguments(of: message)
    #expect(arguments.next(of: bytes) == .signed(-7))
    #expect(arguments.next(of: bytes) == .signed(-1_000_000_000_000))
    guard case .text(let range) = arguments.next(of: bytes) else {
      Issue.record("no text")
      return
    }
    #expect(Array(bytes[range]) == Array("stat".utf8))
    #expect(arguments.next(of: bytes) == .other)
    guard case .text(let empty) = arguments.next(of: bytes) else {
      Issue.record("no text")
      return
    }
    #expect(empty.isEmpty)
    #expect(arguments.next(of: bytes) == nil)
  }

  /// Types with names, units, fixed points; what follows them is still found.
  @Test func everyTypeOfTheProtocolIsSteppedOverExactly() throws {
    let types: [(name: String, bytes: [UInt8])] = [
      ("BOOL", [0x11, 0, 0, 0, 1]),
      ("BOOL with a name", [0x11, 8, 0, 0, 2, 0, 0x61, 0, 1]),
      ("UINT8", [0x41, 0, 0, 0, 200]),
      ("UINT16 with a name and a unit", [0x42, 8, 0, 0, 1, 0, 2, 0, 0x61, 0x62, 0, 1, 2]),
      ("SINT32 of fixed point", [0x23, 0x10, 0, 0] + [UInt8](repeating: 0, count: 12)),
      ("SINT64 of fixed point", [0x24, 0x10, 0, 0] + [UInt8](repeating: 0, count: 20)),
      ("FLOAT64", [0x84, 0, 0, 0] + [UInt8](repeating: 0, count: 8)),
      ("UINT128", [0x45, 0, 0, 0] + [UInt8](repeating: 0, count: 16)),
      ("UTF-8 string with a name", [0, 0x8A, 0, 0, 2, 0, 1, 0, 0, 0x61, 0]),
      ("RAWD", [0, 4, 0, 0, 3, 0, 1, 2, 3]),
      ("TRAI", [0, 0x20, 0, 0, 1, 0, 0]),
    ]
    for type in types {
      let payload = type.bytes + [0x21, 0, 0, 0, 0xFE]
      let bytes = Making().message(payload: payload, count: 2)
      let message = try #require(DLTMessage(of: bytes))
      var arguments = Arguments(of: message)
      #expect(arguments.next(of: bytes) != nil, "\(type.name)")
      #expect(arguments.next(of: bytes) == .signed(-2), "\(type.name)")
      for length in 1..<type.bytes.count {
        let cut = Making().message(payload: Array(type.bytes[..<length]), count: 1)
        let message = try #require(DLTMessage(of: cut))
        var arguments = Arguments(of: message)
        #expect(arguments.next(of: cut) == nil, "\(type.name), \(length) bytes")
      }
    }
  }

  /// A number of no known length, an array, a structure, two types at once.
  @Test(arguments: [0x20, 0x26, 0x2F, 0x100, 0x4000, 0x60, 0x220, 0, 0xFFFF_FFFF] as [UInt32])
  func unknownTypesEndTheArguments(_ type: UInt32) throws {
    let payload = withUnsafeBytes(of: type.littleEndian) { Array($0) }
    let bytes = Making().message(payload: payload + [UInt8](repeating: 0, count: 40), count: 2)
    let message = try #require(DLTMessage(of: bytes))
    var arguments = Arguments(of: message)
    #expect(arguments.next(of: bytes) == nil)
    #expect(arguments.next(of: bytes) == nil)
  }

  /// NOAR says two, and there is a third.
  @Test func noMoreArgumentsAreReadThanTheHeaderHas() throws {
    let payload = [UInt8](repeatElement([0x21, 0, 0, 0, 1], count: 3).joined())
    let bytes = Making().message(payload: payload, count: 2)
    var arguments = Arguments(of: try #require(DLTMessage(of: bytes)))
    #expect(arguments.next(of: bytes) == .signed(1))
    #expect(arguments.next(of: bytes) == .signed(1))
    #expect(arguments.next(of: bytes) == nil)
  }
}
