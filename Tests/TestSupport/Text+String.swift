import Linux

#if !hasFeature(Embedded)
  // Tests make their paths and compare their results as strings. What is built like a device program
  // does without.

  extension Text {
    public init(_ string: String) { self.init(Array(string.utf8)) }

    public var string: String { String(decoding: bytes, as: UTF8.self) }

    public func contains(_ part: String) -> Bool { string.contains(part) }
  }

  extension Text.StringInterpolation {
    public mutating func appendInterpolation(_ string: String) { appendInterpolation(Text(string)) }
  }

  extension Text: CustomStringConvertible {
    public var description: String { string }
  }
#endif
