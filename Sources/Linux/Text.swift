/// A String, written as an interpolation of texts and whole numbers: `joined("open \(path)")`.
///
/// The same as a plain interpolation, at a fraction of its code: that one is expanded wherever it
/// stands, about 200 bytes for each part. What is neither text nor number does not compile, where
/// Embedded Swift would otherwise print that it cannot.
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

extension ArraySlice<UInt8> {
  /// Whether the bytes are this word: what `==` of String costs 50 KB for.
  @inline(never)
  public func equals(_ word: StaticString) -> Bool {
    count == word.utf8CodeUnitCount && begins(with: word)
  }

  @inline(never)
  public func begins(with word: StaticString) -> Bool {
    guard count >= word.utf8CodeUnitCount else { return false }
    return word.withUTF8Buffer { word in
      for index in 0..<word.count where self[startIndex + index] != word[index] { return false }
      return true
    }
  }

  /// As a text; bytes that are not UTF-8 are replaced.
  @inline(never)
  public var text: String { String(decoding: self, as: UTF8.self) }
}

extension String {
  @inline(never)
  public func equals(_ word: StaticString) -> Bool { [UInt8](utf8)[...].equals(word) }
}
