/// A text as Linux has it: bytes, in UTF-8 by custom, whatever they are in truth.
///
/// Paths, arguments and names come in as they are and go out unchanged, where a String would put
/// U+FFFD for what is not Unicode. It is also a fifth of the code: any use of String takes its views,
/// breadcrumbs and tables into an embedded program, 20 KB of 85.
public struct Text: Sendable, Equatable {
  public private(set) var bytes: [UInt8]

  public init() { bytes = [] }
  public init(_ bytes: [UInt8]) { self.bytes = bytes }
  public init(_ bytes: ArraySlice<UInt8>) { self.bytes = [UInt8](bytes) }
  @inline(never)
  public init(_ bytes: Span<UInt8>) {
    self.bytes = []
    append(bytes)
  }
  public init(_ text: StaticString) { self.init(stringLiteral: text) }

  /// The bytes up to the NUL.
  @inline(never)
  public init(cString: UnsafePointer<CChar>) {
    bytes = []
    var next = cString
    while next.pointee != 0 {
      bytes.append(UInt8(bitPattern: next.pointee))
      next += 1
    }
  }

  public var isEmpty: Bool { bytes.isEmpty }

  /// With the NUL behind it, as C wants it: `chdir(path.c)`.
  public var c: [CChar] {
    @inline(never) get {
      var characters: [CChar] = []
      characters.reserveCapacity(bytes.count + 1)
      for byte in bytes { characters.append(CChar(bitPattern: byte)) }
      characters.append(0)
      return characters
    }
  }

  /// The number that its decimal digits are; nil if there is anything else, or it is too large.
  public var number: UInt64? { bytes.span.decimal }

  public func starts(with word: StaticString) -> Bool { bytes.span.starts(with: word) }

  public static func == (one: Text, other: StaticString) -> Bool {
    one.bytes.span.equals(other)
  }

  // MARK: Writing

  public mutating func append(_ byte: UInt8) { bytes.append(byte) }

  @inline(never)
  public mutating func append(_ more: Span<UInt8>) {
    for index in more.indices { bytes.append(more[index]) }
  }

  @inline(never)
  public mutating func append(_ word: StaticString) {
    word.withUTF8Buffer { for byte in $0 { bytes.append(byte) } }
  }

  @inline(never)
  public mutating func append(number: UInt64) {
    var divisor: UInt64 = 1
    while number / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
      divisor /= 10
    }
  }

  @inline(never)
  public static func + (one: Text, other: Text) -> Text {
    var sum = one
    sum.append(other.bytes.span)
    return sum
  }

  public static func += (one: inout Text, other: Text) { one.append(other.bytes.span) }
}

extension Text: ExpressibleByStringInterpolation {
  /// Takes texts and whole numbers; anything else does not compile.
  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var text = Text()

    @inline(never)
    public init(literalCapacity: Int, interpolationCount: Int) {}

    public mutating func appendLiteral(_ literal: StaticString) { text.append(literal) }
    public mutating func appendInterpolation(_ more: Text) { text.append(more.bytes.span) }
    @_disfavoredOverload  // a literal in an interpolation is a Text, as elsewhere
    public mutating func appendInterpolation(_ word: StaticString) { text.append(word) }
    public mutating func appendInterpolation(_ number: UInt64) { text.append(number: number) }
    @inline(never)
    public mutating func appendInterpolation(_ number: Int64) {
      if number < 0 { text.append(UInt8(ascii: "-")) }
      text.append(number: number.magnitude)
    }
    public mutating func appendInterpolation(_ number: Int) { appendInterpolation(Int64(number)) }
    public mutating func appendInterpolation(_ number: Int32) { appendInterpolation(Int64(number)) }
    public mutating func appendInterpolation(_ number: UInt32) {
      text.append(number: UInt64(number))
    }
    public mutating func appendInterpolation(_ number: UInt16) {
      text.append(number: UInt64(number))
    }
  }

  public init(stringInterpolation: StringInterpolation) { self = stringInterpolation.text }

  @inline(never)
  public init(stringLiteral literal: StaticString) {
    bytes = []
    append(literal)
  }
}

extension Span<UInt8> {
  @inline(never)
  public func starts(with word: StaticString) -> Bool {
    guard count >= word.utf8CodeUnitCount else { return false }
    return word.withUTF8Buffer {
      for index in $0.indices where $0[index] != self[index] { return false }
      return true
    }
  }

  /// Whether these bytes are this word.
  public func equals(_ word: StaticString) -> Bool {
    count == word.utf8CodeUnitCount && starts(with: word)
  }

  /// The number that these decimal digits are; nil if there is anything else, or it is too large.
  public var decimal: UInt64? {
    @inline(never) get {
      guard !isEmpty else { return nil }
      var number: UInt64 = 0
      for index in indices {
        let digit = self[index] &- UInt8(ascii: "0")
        let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
        let (sum, carry) = tens.addingReportingOverflow(UInt64(digit))
        guard digit < 10, !overflow, !carry else { return nil }
        number = sum
      }
      return number
    }
  }
}
