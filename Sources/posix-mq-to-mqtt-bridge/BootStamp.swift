import Records

/// Which boot a record is of, and what the clocks showed: what its time is computed from later.
struct BootStamp: Equatable {
  var bootID = FixedText<36>()
  var clock = ClockReading(
    bootTimeNanoseconds: 0, realTimeNanoseconds: 0, synchronized: false)

  init() {}

  /// Nobody knows of which boot.
  var isDamaged: Bool { bootID.isEmpty || bootID[0] == UInt8(ascii: " ") }

  init(_ envelope: Envelope) {
    bootID = FixedText(envelope.bootID.span)
    clock = envelope.clock
  }

  /// 56 bytes: the id, three of padding, 1 if the clock was synchronized, CLOCK_BOOTTIME and
  /// CLOCK_REALTIME in nanoseconds, little-endian.
  static let encodedSize = 56

  func encode(into bytes: inout [UInt8]) {
    for index in 0..<36 { bytes.append(index < bootID.count ? bootID[index] : 0x20) }
    bytes += [0, 0, 0, clock.synchronized ? 1 : 0]
    for number in [clock.bootTimeNanoseconds, UInt64(bitPattern: clock.realTimeNanoseconds)] {
      for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * shift))) }
    }
  }

  /// Reads the first 56 bytes.
  init(decoding bytes: Span<UInt8>) {
    bootID = FixedText(bytes.extracting(first: 36))
    func number(_ start: Int) -> UInt64 {
      var number: UInt64 = 0
      for index in 0..<8 { number |= UInt64(bytes[start + index]) << UInt64(8 * index) }
      return number
    }
    clock = ClockReading(
      bootTimeNanoseconds: number(40), realTimeNanoseconds: Int64(bitPattern: number(48)),
      synchronized: bytes[39] != 0)
  }

  /// What the JSON of the record begins with.
  var envelope: Envelope {
    Envelope(bootID: (0..<bootID.count).map { bootID[$0] }, clock: clock)
  }
}
