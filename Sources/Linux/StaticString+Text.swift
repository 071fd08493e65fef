extension StaticString {
  /// The same as a String.
  ///
  /// `a.text + b` is a fraction of the code that an interpolation becomes.
  public var text: String {
    withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
  }
}
