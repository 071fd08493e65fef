extension Manifest.Field {
  public enum Value: Equatable, Sendable {
    case unsigned(UInt64)
    case signed(Int64)
    /// Where its bytes stand, up to the first NUL.
    case text(Range<Int>)
  }

  /// The field's value in the bytes of a key or a record, which are as long as the layout.
  public func value(in bytes: Span<UInt8>) -> Value {
    switch form {
    case .unsigned(let width): return .unsigned(number(bytes, width))
    case .signed(let width):
      let unused = Int64(64 - 8 * width)
      return .signed(Int64(bitPattern: number(bytes, width) << UInt64(unused)) >> unused)
    case .text(let length):
      var end = offset
      while end < offset + length && bytes[end] != 0 { end += 1 }
      return .text(offset..<end)
    }
  }

  /// Of the machine's own byte order, which is little-endian on all that this is built for.
  private func number(_ bytes: Span<UInt8>, _ width: Int) -> UInt64 {
    var number: UInt64 = 0
    for index in 0..<width { number |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
    return number
  }
}
