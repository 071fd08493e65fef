import Records

extension FlashWear {
  /// The content of life_time and pre_eol_info, which the kernel's mmc driver reads from the card.
  ///
  /// ```
  /// /sys/block/mmcblk0/device/life_time       0x01 0x02     types A and B, in tenths
  /// /sys/block/mmcblk0/device/pre_eol_info    0x01
  /// ```
  /// Kernel documentation: driver-api/mmc/mmc-dev-attrs. 0 is what a card does not tell; more than
  /// 0x0B is reserved, and so are more than 3 of pre_eol_info.
  init(
    device: FixedText<32>, cardName: Span<UInt8>, lifeTime: Span<UInt8>, preEndOfLife: Span<UInt8>
  ) throws(ParseError) {
    self.init()
    self.device = device
    var place = 0
    if let name = cardName.nextLine(&place) { self.cardName = FixedText(cardName.extracting(name)) }
    place = 0
    var rest = lifeTime.nextLine(&place) ?? 0..<0
    guard let a = lifeTime.nextWord(&rest).flatMap({ lifeTime.hexadecimal($0) }),
      let b = lifeTime.nextWord(&rest).flatMap({ lifeTime.hexadecimal($0) })
    else { throw ParseError("does not hold two hexadecimal numbers") }
    lifeUsedATenths = Self.tenths(a)
    lifeUsedBTenths = Self.tenths(b)
    place = 0
    rest = preEndOfLife.nextLine(&place) ?? 0..<0
    if let state = preEndOfLife.nextWord(&rest).flatMap({ preEndOfLife.hexadecimal($0) }) {
      endOfLife = UInt8(exactly: state).flatMap { EndOfLife(rawValue: $0) } ?? .unknown
    }
  }

  private static func tenths(_ estimate: UInt64) -> UInt8? {
    1...11 ~= estimate ? UInt8(estimate) : nil
  }

  /// Whether a block device is a whole eMMC or SD card: `mmcblk0`, not `mmcblk0p1` or `mmcblk0boot0`.
  static func isCard(_ name: Span<UInt8>) -> Bool {
    name.starts(0..<name.count, with: "mmcblk") && name.number(6..<name.count) != nil
  }
}

extension Span<UInt8> {
  /// The hexadecimal number, with or without `0x` in front, that is the whole range.
  func hexadecimal(_ range: Range<Int>) -> UInt64? {
    var digits = range
    if starts(range, with: "0x") || starts(range, with: "0X") {
      digits = (range.lowerBound + 2)..<range.upperBound
    }
    guard 1...16 ~= digits.count else { return nil }
    var number: UInt64 = 0
    for index in digits {
      let digit: UInt8
      switch self[index] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = self[index] - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = self[index] - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = self[index] - UInt8(ascii: "A") + 10
      default: return nil
      }
      number = number << 4 | UInt64(digit)
    }
    return number
  }
}
