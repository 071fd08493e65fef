import Records

@testable import inotify_coredump

/// Names of files, extended attributes, core_pattern and the state file, all from the same bytes.
func coreDumps(_ bytes: [UInt8]) -> CInt {
  if let name = CoreDumpName(parsing: bytes.span) {
    var dump = CoreDump()
    dump.setKey(name.key)
    dump.comm = name.comm
    dump.compression = name.compression
    expectPublishable(dump)
  }
  // `name=value` lines, as the fixtures have them.
  var dump = CoreDump()
  for line in bytes.split(separator: UInt8(ascii: "\n")) {
    for detail in Detail.allCases {
      let name = detail.attribute ?? detail.journalField
      let isIt = name.withUTF8Buffer { line.starts(with: $0) }
      guard isIt else { continue }
      let value = Array(line.dropFirst(name.utf8CodeUnitCount + 1))
      dump.set(detail, value.span)
    }
  }
  expectPublishable(dump)
  _ = CorePattern(parsing: bytes.span, folder: Array("/var/lib/systemd/coredump".utf8))
  _ = BootID(parsing: bytes.span)
  _ = JournalEntry.lastPart(of: bytes.span)
  _ = try? ToldDumps(parsing: bytes.span)
  return 0
}
