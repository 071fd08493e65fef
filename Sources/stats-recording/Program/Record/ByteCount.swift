import ArgumentParser

/// A size on the command line: `500000`, `64KiB`, `10MiB`, `2GiB`, `1TiB`.
struct ByteCount: ExpressibleByArgument, Equatable, Sendable {
  let bytes: Int

  private static let units = [
    ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("", 1),
  ]

  init(bytes: Int) { self.bytes = bytes }

  init?(argument: String) {
    for (unit, factor) in Self.units where argument.hasSuffix(unit) {
      guard let number = Int(argument.dropLast(unit.count)), number > 0 else { return nil }
      let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
      guard !overflow else { return nil }
      self.bytes = bytes
      return
    }
    return nil
  }

  /// `1.5 MiB`, for people.
  static func words(_ bytes: Int) -> String {
    for (unit, factor) in units where factor > 1 && bytes >= factor && bytes / factor < 1024 {
      let tenths = bytes * 10 / factor
      return tenths % 10 == 0 ? "\(tenths / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
    }
    return "\(bytes) bytes"
  }
}
