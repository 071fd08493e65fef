import BPFObjects

extension Manifest.Field {
  /// The field's value in the bytes of a key or a record.
  func value(_ bytes: [UInt8]) -> TraceKey {
    switch value(in: bytes.span) {
    case .unsigned(let number): .integer(Int64(bitPattern: number))
    case .signed(let number): .integer(number)
    case .text(let range): .text(String(decoding: bytes[range], as: UTF8.self))
    }
  }
}

extension Manifest.Layout {
  func values(_ bytes: [UInt8]) -> [TraceKey] { fields.map { $0.value(bytes) } }
}

extension Manifest.Kind {
  /// What the numbers of a map's value mean.
  func value(_ numbers: [UInt64]) -> TraceValue {
    let first = Int64(bitPattern: numbers.first ?? 0)
    switch self {
    case .count: return .count(first)
    case .sum: return .sum(first)
    case .quantize(let buckets):
      return .quantize(
        numbers.prefix(buckets).enumerated().compactMap { bucket, count in
          guard count > 0 else { return nil }
          let range = Self.range(bucket, isLast: bucket == buckets - 1)
          return TraceRange(range.low, range.high, Int64(bitPattern: count))
        })
    }
  }

  /// 0, 1, 2 to 3, 4 to 7 and so on; the last one is open above.
  static func range(_ bucket: Int, isLast: Bool) -> (low: Int64, high: Int64?) {
    guard bucket > 0 else { return (0, isLast ? nil : 0) }
    guard bucket < 64 else { return (.max, nil) }
    let low = Int64(1) << Int64(bucket - 1)
    return (low, isLast ? nil : low - 1 + low)
  }
}
