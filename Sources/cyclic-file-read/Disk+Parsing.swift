import Records

extension Disk {
  /// A line of /proc/diskstats; nil if it is not one.
  ///
  /// ```
  ///  179  0 mmcblk0 4 columns of reading, 4 of writing, 3 of what is under way, 4 of discarding,
  ///                 2 of flushing
  /// ```
  ///
  /// proc_diskstats(5), Documentation/admin-guide/iostats.rst. Kernels from 4.18 have discards, from
  /// 5.5 flushes. A sector is 512 bytes here, whatever the device's own are.
  init?(parsing line: Span<UInt8>) {
    self.init()
    var columns = Columns(0..<line.count)
    guard let major = columns.unsigned(line), let minor = columns.unsigned(line),
      let name = columns.word(line)
    else { return nil }
    majorNumber = UInt32(truncatingIfNeeded: major)
    minorNumber = UInt32(truncatingIfNeeded: minor)
    device = FixedText(line.extracting(name))
    guard let reads = columns.unsigned(line), let readsMerged = columns.unsigned(line),
      let sectorsRead = columns.unsigned(line), let readTime = columns.unsigned(line),
      let writes = columns.unsigned(line), let writesMerged = columns.unsigned(line),
      let sectorsWritten = columns.unsigned(line), let writeTime = columns.unsigned(line),
      let inProgress = columns.unsigned(line), let busy = columns.unsigned(line),
      let weighted = columns.unsigned(line)
    else { return nil }
    (readCount, readMergedCount, readMilliseconds) = (reads, readsMerged, readTime)
    (writeCount, writeMergedCount, writeMilliseconds) = (writes, writesMerged, writeTime)
    (inProgressCount, busyMilliseconds, weightedMilliseconds) = (inProgress, busy, weighted)
    readBytes = sectorsRead &* Self.sectorBytes
    writeBytes = sectorsWritten &* Self.sectorBytes
    guard let discards = columns.unsigned(line), let discardsMerged = columns.unsigned(line),
      let sectorsDiscarded = columns.unsigned(line), let discardTime = columns.unsigned(line)
    else { return }
    (discardCount, discardMergedCount, discardMilliseconds) = (discards, discardsMerged, discardTime)
    discardBytes = sectorsDiscarded &* Self.sectorBytes
    guard let flushes = columns.unsigned(line), let flushTime = columns.unsigned(line) else {
      return
    }
    (flushCount, flushMilliseconds) = (flushes, flushTime)
  }

  private static var sectorBytes: UInt64 { 512 }

  /// A loop or RAM device that nobody has used yet: every machine has a row of them.
  var isUnused: Bool {
    guard readCount == 0, writeCount == 0, (discardCount ?? 0) == 0 else { return false }
    return device.begins(with: "loop") || device.begins(with: "ram") || device.begins(with: "zram")
  }
}

extension FixedText {
  func begins(with word: StaticString) -> Bool {
    guard count >= word.utf8CodeUnitCount else { return false }
    return word.withUTF8Buffer { bytes in
      for index in 0..<bytes.count where self[index] != bytes[index] { return false }
      return true
    }
  }
}
