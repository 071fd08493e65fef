import Records

@testable import inotify_pacct

/// Accounting records, the state file and /proc/sys/kernel/acct.
func accounting(_ bytes: [UInt8]) -> CInt {
  var start = 0
  while start < bytes.count {
    let record = Array(bytes[start..<min(bytes.count, start + 64)])
    if let exit = try? ProcessExit(parsing: record.span) { expectPublishable(exit) }
    start += record.count
  }
  if let position = Position(parsing: bytes.span) {
    expect(position.encode() == bytes, "a position that is not written as it was read")
  }
  _ = SpaceThresholds(parsing: bytes.span)
  return 0
}
