import Records

extension Disk {
  /// A line of /proc/diskstats.
  ///
  /// ```
  ///  179  0 mmcblk0 18642 7291 1427106 127354 9210 12877 702530 301478 0 119890 428833 0 0 0 0 0 0
  ///  major minor name, 4 columns of reading: completed, merged, sectors, milliseconds; 4 of
  ///  writing; in progress, milliseconds busy, the same weighted; 4 of discarding; 2 of flushing
  /// ```
  /// proc_diskstats(5). Linux before 4.18 has no discarding, before 5.5 no flushing; later ones may
  /// append. A sector is 512 bytes here, whatever the device's own are.
  init(parsing line: Span<UInt8>) throws(ParseError) {
    self.init()
    var rest = 0..<line.count
    majorNumber = UInt32(clamping: try Self.number(line, &rest))
    minorNumber = UInt32(clamping: try Self.number(line, &rest))
    guard let name = line.nextWord(&rest) else { throw ParseError("has a line without a name") }
    device = FixedText(line.extracting(name))
    readCount = try Self.number(line, &rest)
    readMergedCount = try Self.number(line, &rest)
    readBytes = try Self.number(line, &rest) &* Self.sectorBytes
    readMilliseconds = try Self.number(line, &rest)
    writeCount = try Self.number(line, &rest)
    writeMergedCount = try Self.number(line, &rest)
    writeBytes = try Self.number(line, &rest) &* Self.sectorBytes
    writeMilliseconds = try Self.number(line, &rest)
    inProgressCount = try Self.number(line, &rest)
    busyMilliseconds = try Self.number(line, &rest)
    weightedMilliseconds = try Self.number(line, &rest)
    guard let discards = line.nextNumber(&rest) else { return }
    discardCount = discards
    discardMergedCount = try Self.number(line, &rest)
    discardBytes = try Self.number(line, &rest) &* Self.sectorBytes
    discardMilliseconds = try Self.number(line, &rest)
    guard let flushes = line.nextNumber(&rest) else { return }
    flushCount = flushes
    flushMilliseconds = try Self.number(line, &rest)
  }

  private static func number(
    _ line: Span<UInt8>, _ rest: inout Range<Int>
  ) throws(ParseError) -> UInt64 {
    guard let number = line.nextNumber(&rest) else {
      throw ParseError("has a line without a number where one belongs")
    }
    return number
  }

  private static var sectorBytes: UInt64 { 512 }

  /// A loop or RAM device that nobody has used yet: every machine has a row of them.
  var isUnused: Bool {
    guard readCount == 0, writeCount == 0, (discardCount ?? 0) == 0 else { return false }
    return device.starts(with: "loop") || device.starts(with: "ram") || device.starts(with: "zram")
  }
}

extension FixedText {
  func starts(with word: StaticString) -> Bool {
    word.withUTF8Buffer {
      guard count >= $0.count else { return false }
      for index in 0..<$0.count where self[index] != $0[index] { return false }
      return true
    }
  }
}
