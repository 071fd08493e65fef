/// A String, written as an interpolation of texts and whole numbers: `joined("open \(path)")`.
///
/// The same as a plain interpolation, at a fraction of its code: that one is expanded wherever it
/// stands, about 200 bytes for each part. Anything else than texts and numbers does not compile, where
/// Embedded Swift would print that it cannot.
public func joined(_ text: Text) -> String { text.string }

/// What ``joined(_:)`` takes.
public struct Text: ExpressibleByStringInterpolation {
  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var string = ""

    @inline(never)
    public init(literalCapacity: Int, interpolationCount: Int) {}

    @inline(never)
    public mutating func appendLiteral(_ literal: StaticString) {
      literal.withUTF8Buffer { string += String(decoding: $0, as: UTF8.self) }
    }
    @inline(never)
    public mutating func appendInterpolation(_ text: String) { string += text }
    public mutating func appendInterpolation(_ text: StaticString) { appendLiteral(text) }
    @inline(never)
    public mutating func appendInterpolation(_ number: Int64) { string += number.description }
    @inline(never)
    public mutating func appendInterpolation(_ number: UInt64) { string += number.description }
    public mutating func appendInterpolation(_ number: Int) { appendInterpolation(Int64(number)) }
    public mutating func appendInterpolation(_ number: Int32) { appendInterpolation(Int64(number)) }
  }

  let string: String

  public init(stringInterpolation: StringInterpolation) { string = stringInterpolation.string }
  public init(stringLiteral literal: StaticString) {
    string = literal.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
  }
}
