extension [UInt8] {
  /// So many bytes of any value, for a call that writes before anybody reads.
  ///
  /// Zeros would be written, and each page that is written to is memory of its own; of a large buffer
  /// for a small file the pages behind its end never are.
  public static func buffer(_ count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { $1 = count }
  }
}
