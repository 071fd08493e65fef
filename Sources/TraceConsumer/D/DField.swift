/// A value in a record or in the key of an aggregation: libdtrace's dtrace_recdesc_t.
struct DField: Hashable, Sendable {
  var action: UInt16
  var bytes: Int
  var offset: Int
  var alignment: Int
  /// Of what `trace` records, what its type is.
  var argument: UInt64

  /// What is recorded, by number.
  enum Action {
    static let expression: UInt16 = 1
    static let exit: UInt16 = 2
    static let userStack: UInt16 = 0x101
    static let userSymbol: UInt16 = 0x103
    static let userModule: UInt16 = 0x104
    static let userAddress: UInt16 = 0x105
    static let stack: UInt16 = 0x401
    static let symbol: UInt16 = 0x402
    static let module: UInt16 = 0x403
  }

  private static let isSigned: UInt64 = 1
  private static let isReference: UInt64 = 4

  /// What `trace` recorded; nil if it is neither a number nor a text.
  func traced(_ data: [UInt8]) -> TraceKey? {
    guard action == Action.expression else { return nil }
    if argument == Self.isReference { return alignment == 1 ? .text(Self.text(data)) : nil }
    return Self.integer(data, isSigned: argument == Self.isSigned).map { .integer($0) }
  }

  /// A part of a key; nil if it is neither a number nor a text.
  ///
  /// libdtrace does not say whether a number is signed: it prints those of 4 and 8 bytes as if they
  /// were, and so they are given.
  func keyPart(_ data: [UInt8]) -> TraceKey? {
    guard action == Action.expression else { return nil }
    if alignment == 1, bytes > 1 { return .text(Self.text(data)) }
    return Self.integer(data, isSigned: bytes >= 4).map { .integer($0) }
  }

  private static func text(_ data: [UInt8]) -> String {
    String(decoding: data.prefix { $0 != 0 }, as: UTF8.self)
  }

  private static func integer(_ data: [UInt8], isSigned: Bool) -> Int64? {
    guard [1, 2, 4, 8].contains(data.count) else { return nil }
    let number = data.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let unused = UInt64(64 - 8 * data.count)
    return isSigned
      ? Int64(bitPattern: number << unused) >> Int64(unused) : Int64(bitPattern: number)
  }
}
