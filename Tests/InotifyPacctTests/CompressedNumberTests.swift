import TestSupport
import Testing

@testable import inotify_pacct

struct CompressedNumberTests {
  @Test(
    arguments: [
      (0x0000, 0), (0x0001, 1), (0x1FFF, 8191), (0x2400, 8192), (0x3FFF, 65528), (0x5251, 300_096),
      (0xFFFF, 17_177_772_032),
    ] as [(UInt16, UInt64)])
  func aCompressedNumberIsAFractionTimesAPowerOfEight(_ number: UInt16, _ expected: UInt64) {
    #expect(value(ofCompressed: number) == expected)
  }

  @Test func whatTheKernelEncodesIsReadToThreeDigits() {
    var random = SeededNumbers(seed: 1)
    for _ in 0..<20_000 {
      let number = UInt64.random(in: 0...17_000_000_000, using: &random)
      let read = value(ofCompressed: encodeCompressed(number))
      // 13 bits of fraction, of which at least 10 count, rounded.
      #expect(read.absoluteDifference(number) <= number / 1024 / 2 + 1, "\(number)")
    }
    for number in 0...8191 as ClosedRange<UInt64> {
      #expect(value(ofCompressed: encodeCompressed(number)) == number)
    }
  }

  /// encode_comp_t() as kernel/acct.c describes it.
  private func encodeCompressed(_ number: UInt64) -> UInt16 {
    var (fraction, exponent, carry) = (number, UInt64(0), UInt64(0))
    while fraction > 0x1FFF {
      carry = fraction & 4
      fraction >>= 3
      exponent += 1
    }
    if carry != 0 {
      fraction += 1
      if fraction > 0x1FFF {
        fraction >>= 3
        exponent += 1
      }
    }
    return UInt16(exponent << 13 | fraction)
  }

  @Test(arguments: [0, 1, 2, 100, 125, 8_388_607, 16_777_216, 3_000_000_000, 9e18, 1.8e19])
  func wholeTicksAreRead(_ number: Double) {
    #expect(ticks(ofFloat: Float(number).bitPattern) == UInt64(Float(number)))
  }

  @Test func everyExponentIsRead() {
    for exponent in 0...254 as ClosedRange<UInt32> {
      for fraction in [0, 1, 0x40_0000, 0x7F_FFFF] as [UInt32] {
        let float = Float(bitPattern: exponent << 23 | fraction)
        let expected = UInt64(exactly: float.rounded(.down)) ?? UInt64.max
        #expect(ticks(ofFloat: float.bitPattern) == expected, "\(float)")
      }
    }
  }

  @Test(arguments: [-1, -0.0, Float.infinity, -Float.infinity, Float.nan])
  func whatIsNoTimeIsRefused(_ float: Float) {
    #expect(ticks(ofFloat: float.bitPattern) == nil)
  }

  @Test(
    arguments: [
      (0x0000, ""), (0x0401, "tty1"), (0x0440, "ttyS0"), (0x0501, "console"), (0x0500, "5:0"),
      (0x8800, "pts/0"), (0x8903, "pts/259"), (0x8FFF, "pts/2047"), (0xCC40, "ttyAMA0"),
      (0xCC50, "204:80"), (0xBC02, "ttyUSB2"), (0xA600, "ttyACM0"), (0xFFFF, "255:255"),
    ] as [(UInt16, String)])
  func terminalsHaveNames(_ number: UInt16, _ name: String) {
    #expect(terminalName(number).string == name)
  }
}

extension UInt64 {
  func absoluteDifference(_ other: UInt64) -> UInt64 { self > other ? self - other : other - self }
}
