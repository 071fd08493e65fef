/// What counts here of /proc/[pid]/stat, proc_pid_stat(5).
///
/// ```
/// 30154 (mco-audioApp) S 30142 30142 13710 0 -1 4194304 5240 0 0 0 44 1 0 0 20 0 1 0 187711 …
/// pid 1, (comm) 2, state 3, …, utime 14, stime 15, …, num_threads 20, …, starttime 22, vsize 23,
/// rss 24 in pages, …
/// ```
///
/// comm may hold any byte, blanks and parentheses too: it ends at the *last* parenthesis.
struct ProcessStatistics: Equatable {
  let processID: UInt32
  let comm: Range<Int>
  let userTicks: UInt64
  let systemTicks: UInt64
  let threads: UInt32
  let startTicks: UInt64
  let virtualBytes: UInt64
  let residentPages: UInt64

  /// nil if the text is not such a line. dlt-system cuts files at 1023 bytes, so a number counts
  /// only with the blank or the end of the line behind it.
  init?(parsing bytes: Span<UInt8>) {
    var offset = 0
    guard let pid = bytes.number(&offset), let processID = UInt32(exactly: pid),
      offset + 1 < bytes.count, bytes[offset] == UInt8(ascii: " "),
      bytes[offset + 1] == UInt8(ascii: "(")
    else { return nil }
    var close = bytes.count - 1
    while close > offset + 1 && bytes[close] != UInt8(ascii: ")") { close -= 1 }
    guard close > offset + 1 else { return nil }
    comm = (offset + 2)..<close

    var values: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0)
    offset = close + 1
    for field in 3...24 {
      guard offset < bytes.count, bytes[offset] == UInt8(ascii: " ") else { return nil }
      offset += 1
      switch field {
      case 14, 15, 20, 22, 23, 24:
        guard let value = bytes.number(&offset) else { return nil }
        switch field {
        case 14: values.0 = value
        case 15: values.1 = value
        case 20: values.2 = value
        case 22: values.3 = value
        case 23: values.4 = value
        default: values.5 = value
        }
      default:
        let start = offset
        while offset < bytes.count && !bytes.isBlank(offset) { offset += 1 }
        guard offset > start else { return nil }
      }
    }
    guard offset < bytes.count, bytes.isBlank(offset) else { return nil }
    self.processID = processID
    (userTicks, systemTicks, startTicks) = (values.0, values.1, values.3)
    threads = UInt32(clamping: values.2)
    (virtualBytes, residentPages) = (values.4, values.5)
  }
}

extension Span<UInt8> {
  /// The decimal number at `offset`, which moves behind it; nil if there is none, or it does not fit.
  fileprivate func number(_ offset: inout Int) -> UInt64? {
    let start = offset
    var value: UInt64 = 0
    while offset < count {
      let digit = self[offset] &- UInt8(ascii: "0")
      guard digit <= 9 else { break }
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(UInt64(digit))
      if overflow || carry { return nil }
      value = sum
      offset += 1
    }
    return offset > start ? value : nil
  }

  fileprivate func isBlank(_ offset: Int) -> Bool {
    self[offset] == UInt8(ascii: " ") || self[offset] == UInt8(ascii: "\n")
  }
}
