// The bytes of the wire: little-endian, whatever the machine's own order is.

extension [UInt8] {
  @inline(__always)
  mutating func append<T: FixedWidthInteger>(littleEndian value: T) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }
}

extension Span<UInt8> {
  /// The integer at `offset`; the caller has compared it with `count`.
  @inline(__always)
  func littleEndian<T: FixedWidthInteger & BitwiseCopyable>(
    at offset: Int, as type: T.Type
  ) -> T {
    T(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: T.self))
  }
}
