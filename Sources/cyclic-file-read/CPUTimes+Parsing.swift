import Records

extension CPUTimes {
  /// A line of /proc/stat that begins with `cpu`; nil for another one.
  ///
  /// ```
  /// cpu  70070 0 25082 478951 2049 0 1342 46 0 0          all of them
  /// cpu0 29356 0 11179 247417 173 0 569 23 0 0            one that is online
  ///      user nice system idle iowait irq softirq steal guest guest_nice
  /// ```
  /// The unit is a tick, of which sysconf(_SC_CLK_TCK) are a second. Linux before 2.6.33 has no
  /// guest_nice, before 2.6.24 no guest, before 2.6.11 no steal.
  init?(parsing line: Span<UInt8>, ticksPerSecond: UInt64) throws(ParseError) {
    var rest = 0..<line.count
    guard let name = line.nextWord(&rest), line.starts(name, with: "cpu") else { return nil }
    self.init()
    if name.count == 3 {
      cpu = FixedText("total")
    } else {
      let number = name.dropFirst(3)
      guard line.number(number) != nil else { throw ParseError("has a cpu line without a number") }
      cpu = FixedText(line.extracting(number))
    }
    userHundredths = try Self.time(line, &rest, ticksPerSecond)
    niceHundredths = try Self.time(line, &rest, ticksPerSecond)
    systemHundredths = try Self.time(line, &rest, ticksPerSecond)
    idleHundredths = try Self.time(line, &rest, ticksPerSecond)
    iowaitHundredths = try Self.time(line, &rest, ticksPerSecond)
    interruptHundredths = try Self.time(line, &rest, ticksPerSecond)
    softInterruptHundredths = try Self.time(line, &rest, ticksPerSecond)
    stealHundredths = try Self.timeIfThere(line, &rest, ticksPerSecond)
    guestHundredths = try Self.timeIfThere(line, &rest, ticksPerSecond)
    guestNiceHundredths = try Self.timeIfThere(line, &rest, ticksPerSecond)
  }

  @inline(never)
  private static func time(
    _ line: Span<UInt8>, _ rest: inout Range<Int>, _ ticksPerSecond: UInt64
  ) throws(ParseError) -> UInt64 {
    guard let time = try timeIfThere(line, &rest, ticksPerSecond) else {
      throw ParseError("has a cpu line of less than seven numbers")
    }
    return time
  }

  @inline(never)
  private static func timeIfThere(
    _ line: Span<UInt8>, _ rest: inout Range<Int>, _ ticksPerSecond: UInt64
  ) throws(ParseError) -> UInt64? {
    guard let word = line.nextWord(&rest) else { return nil }
    guard let ticks = line.number(word) else {
      throw ParseError("has a cpu time that is no number")
    }
    return hundredths(ticks, ticksPerSecond)
  }

  /// Ticks in hundredths of a second, rounded down: the same number where a tick is one.
  static func hundredths(_ ticks: UInt64, _ ticksPerSecond: UInt64) -> UInt64 {
    if ticksPerSecond == 100 { return ticks }
    let (seconds, rest) = ticks.quotientAndRemainder(dividingBy: ticksPerSecond)
    return seconds &* 100 &+ rest &* 100 / ticksPerSecond
  }
}
