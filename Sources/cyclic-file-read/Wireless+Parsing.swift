import Records

extension Wireless {
  /// A line of /proc/net/wireless behind the two that are its heading.
  ///
  /// ```
  /// Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
  ///  face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
  ///  wlan0: 0000   54.  -56.  -256        0      0      0      0    104        0
  /// ```
  /// A dot marks a value that is new since it was last asked for. A level below 0 is in dBm, of which
  /// -256 is what has never been measured; from 0 on the unit is the driver's own, and 0 without a
  /// dot is nothing at all. The status is hexadecimal. Kernel: net/wireless/wext-proc.c.
  init(parsing line: Span<UInt8>) throws(ParseError) {
    self.init()
    var rest = 0..<line.count
    interface = FixedText(line.extracting(try line.takeInterface(&rest)))
    guard let word = line.nextWord(&rest), let number = line.hexadecimalNumber(word) else {
      throw ParseError("has a line without a status")
    }
    status = number
    let quality = try Self.level(line, &rest)
    let signal = try Self.level(line, &rest)
    let noise = try Self.level(line, &rest)
    linkQualityTenths = quality.value * 10
    if signal.value < 0 {
      if signal.value > -256 { signalTenths = signal.value * 10 }
    } else if signal.value > 0 || signal.isNew {
      levelTenths = signal.value * 10
    }
    if noise.value < 0 && noise.value > -256 { noiseTenths = noise.value * 10 }
    discardedNetworkId = try Self.counter(line, &rest)
    discardedEncryption = try Self.counter(line, &rest)
    discardedFragment = try Self.counter(line, &rest)
    discardedRetries = try Self.counter(line, &rest)
    discardedOther = try Self.counter(line, &rest)
    missedBeacons = try Self.counter(line, &rest)
  }

  @inline(never)
  private static func level(
    _ line: Span<UInt8>, _ rest: inout Range<Int>
  ) throws(ParseError) -> (value: Int32, isNew: Bool) {
    guard var word = line.nextWord(&rest) else { throw ParseError("has a line without levels") }
    let isNew = line[word.upperBound - 1] == UInt8(ascii: ".")
    if isNew { word = word.dropLast() }
    guard let number = line.signedNumber(word), (-256...255).contains(number) else {
      throw ParseError("has a level that is not from -256 to 255")
    }
    return (Int32(number), isNew)
  }

  /// The kernel prints 32 bits as if they had a sign.
  @inline(never)
  private static func counter(
    _ line: Span<UInt8>, _ rest: inout Range<Int>
  ) throws(ParseError) -> UInt32 {
    guard let word = line.nextWord(&rest), let number = line.signedNumber(word),
      (Int64(Int32.min)...Int64(UInt32.max)).contains(number)
    else { throw ParseError("has a line of less than six counters") }
    return UInt32(truncatingIfNeeded: number)
  }
}

extension Span<UInt8> {
  fileprivate func hexadecimalNumber(_ word: Range<Int>) -> UInt32? {
    guard (1...8).contains(word.count) else { return nil }
    var value: UInt32 = 0
    for index in word {
      let digit: UInt8
      switch self[index] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = self[index] - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = self[index] - UInt8(ascii: "a") + 10
      default: return nil
      }
      value = value << 4 | UInt32(digit)
    }
    return value
  }
}
