import Records

/// Which processes are watched, and what their numbers mean.
struct WatchSettings {
  /// Names of processes; empty: all.
  var names: [[UInt8]] = []
  /// Only messages of this ECU; nil: of all.
  var ecu: Identifier?
  /// How many processes are watched at once.
  var limit = 64
  /// sysconf(_SC_CLK_TCK) and sysconf(_SC_PAGESIZE) of the machine that sends; no message has them.
  var ticksPerSecond: UInt64 = 100
  var pageSize: UInt64 = 4096

  func watches(_ name: Span<UInt8>) -> Bool {
    if names.isEmpty { return true }
    for candidate in names where candidate.count == name.count {
      var index = 0
      while index < name.count && candidate[index] == name[index] { index += 1 }
      if index == name.count { return true }
    }
    return false
  }

  /// Ticks in hundredths of a second.
  func hundredths(_ ticks: UInt64) -> UInt64 {
    let (whole, rest) = ticks.quotientAndRemainder(dividingBy: ticksPerSecond)
    return product(whole, 100).addingReportingOverflow(rest * 100 / ticksPerSecond).partialValue
  }

  /// Ticks in 0.1 ms, as the timestamps of messages are, which wrap.
  func timestamp(_ ticks: UInt64) -> UInt32 {
    let (whole, rest) = ticks.quotientAndRemainder(dividingBy: ticksPerSecond)
    return UInt32(truncatingIfNeeded: whole &* 10_000 &+ rest * 10_000 / ticksPerSecond)
  }

  func bytes(pages: UInt64) -> UInt64 { product(pages, pageSize) }

  private func product(_ one: UInt64, _ other: UInt64) -> UInt64 {
    let (product, overflow) = one.multipliedReportingOverflow(by: other)
    return overflow ? UInt64.max - 1 : product
  }
}
