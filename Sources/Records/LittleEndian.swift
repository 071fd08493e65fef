// The bytes of the wire: little-endian, whatever the machine's own order is.

extension Span<UInt8> {
  /// The integer at `offset`; the caller has compared it with `count`.
  @inline(__always)
  func littleEndian<T: FixedWidthInteger & BitwiseCopyable>(
    at offset: Int, as type: T.Type
  ) -> T {
    T(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: T.self))
  }

  /// The number of `width` bytes, at most 8, at `offset`; the caller has compared it with `count`.
  @inline(never)
  func number(at offset: Int, width: Int) -> UInt64 {
    if offset + 8 <= count {
      let word = littleEndian(at: offset, as: UInt64.self)
      return width == 8 ? word : word & (1 << UInt64(8 * width) - 1)
    }
    var number: UInt64 = 0
    for index in 0..<width { number |= UInt64(self[offset + index]) << UInt64(8 * index) }
    return number
  }
}
