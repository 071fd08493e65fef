import Linux
import Records
import TestSupport
import Testing

@testable import cyclic_file_read

struct FirmwareTests {
  @Test func theBitsOfGetThrottled() throws {
    let text = try Fixture.bytes(
      "raspberry-pi/pi-4-own-kernel/devices/platform/soc/soc:firmware/get_throttled")
    let flags = RaspberryPiGroup.flags(parsing: text.span)
    #expect(flags == 0x50005)
    var body = RaspberryPi()
    body.take(flags: 0x50005)
    #expect(body.underVoltage == true && body.frequencyCapped == false)
    #expect(body.throttled == true && body.softTemperatureLimit == false)
    #expect(body.underVoltageOccurred == true && body.frequencyCappedOccurred == false)
    #expect(body.throttledOccurred == true && body.softTemperatureLimitOccurred == false)
    #expect(body.supplyAlarm == nil)
    body.take(flags: 0xA000A)
    #expect(body.underVoltage == false && body.frequencyCapped == true)
    #expect(body.throttled == false && body.softTemperatureLimit == true)
    #expect(body.underVoltageOccurred == false && body.frequencyCappedOccurred == true)
    #expect(body.throttledOccurred == false && body.softTemperatureLimitOccurred == true)
  }

  @Test(arguments: [
    ("0\n", 0 as UInt32?), ("80008", 0x80008), ("0x50000\n", 0x50000), ("", nil), ("\n", nil),
    ("-1\n", nil), ("100000000\n", nil), ("throttled=0x0\n", nil), ("0x", nil),
  ])
  func flagsAreHexadecimal(_ text: String, _ flags: UInt32?) {
    let bytes = [UInt8](text.utf8)
    let found = RaspberryPiGroup.flags(parsing: bytes.span)
    #expect(found == flags)
  }

  @Test func theMailboxAnswersInItsQuestion() {
    var message = FirmwareMailbox.question
    let length = message[0]
    let unanswered = FirmwareMailbox.flags(message)
    message[1] = 0x8000_0000
    let withoutValue = FirmwareMailbox.flags(message)
    message[4] = 0x8000_0004
    message[5] = 0xE0008
    let answered = FirmwareMailbox.flags(message)
    message[1] = 0x8000_0001
    let failed = FirmwareMailbox.flags(message)
    #expect(length == 7 * 4)
    #expect(unanswered == nil && withoutValue == nil && failed == nil)
    #expect(answered == 0xE0008)
  }

  @Test func withoutFirmwareThereIsNoGroup() throws {
    #expect(throws: SystemError.self) {
      _ = try RaspberryPiGroup(sysfs: Text(Fixture.path("disks")), device: nil)
    }
    #expect(throws: SystemError.self) {
      _ = try RaspberryPiGroup(sysfs: Text(Fixture.path("disks")), device: "/dev/no-such-device")
    }
  }

  @Test(arguments: [
    ("48312\n", 48_312 as Int32?), ("-7001\n", -7001), ("0", 0), ("", nil), ("x\n", nil),
    ("99999999999\n", nil), ("-\n", nil),
  ])
  func temperatures(_ text: String, _ value: Int32?) {
    let bytes = [UInt8](text.utf8)
    let found = TemperatureGroup.temperature(parsing: bytes.span)
    #expect(found == value)
  }
}

struct FlashWearTests {
  private func wear(_ lifeTime: String, _ preEndOfLife: String = "") throws -> FlashWear {
    try FlashWear(
      device: FixedText("mmcblk0"), cardName: [UInt8]("BJTD4R\n".utf8).span,
      lifeTime: [UInt8](lifeTime.utf8).span, preEndOfLife: [UInt8](preEndOfLife.utf8).span)
  }

  @Test func lifeIsToldInTenths() throws {
    let wear = try wear("0x01 0x0b\n", "0x02\n")
    #expect(wear.cardName == FixedText("BJTD4R"))
    #expect(wear.lifeUsedATenths == 1)
    #expect(wear.lifeUsedBTenths == 11)
    #expect(wear.endOfLife == .warning)
  }

  @Test func whatIsNotToldOrReservedIsAbsent() throws {
    let wear = try wear("0x00 0x0f\n", "0x07\n")
    #expect(wear.lifeUsedATenths == nil && wear.lifeUsedBTenths == nil)
    #expect(wear.endOfLife == .unknown)
  }

  @Test(arguments: ["", "\n", "0x01\n", "0x01 x\n", "0x 0x1", "0x00000000000000001 0x01"])
  func aLifeTimeThatIsNoneIsRefused(_ text: String) {
    #expect(throws: ParseError.self) { try wear(text) }
  }

  @Test func anyMutationIsRefusedOrWithinItsRange() throws {
    for bytes in Mutations(of: [UInt8]("0x01 0x0b\n".utf8), count: 20_000, seed: 42) {
      guard
        let wear = try? FlashWear(
          device: FixedText("mmcblk0"), cardName: bytes.span, lifeTime: bytes.span,
          preEndOfLife: bytes.span)
      else { continue }
      #expect((1...11).contains(wear.lifeUsedATenths ?? 1))
      #expect((1...11).contains(wear.lifeUsedBTenths ?? 1))
    }
  }

  @Test(arguments: [
    ("mmcblk0", true), ("mmcblk12", true), ("mmcblk0p1", false), ("mmcblk0boot0", false),
    ("mmcblk", false), ("sda", false), ("", false),
  ])
  func cardsAreKnownByTheirName(_ name: String, _ isCard: Bool) {
    let bytes = [UInt8](name.utf8)
    let found = FlashWear.isCard(bytes.span)
    #expect(found == isCard)
  }
}

struct DirectoryTests {
  @Test func everyEntryIsShownOnceEvenWithASmallBuffer() throws {
    var names: [String] = []
    var buffer = [UInt8](repeating: 0, count: 64)
    try Directory(Text(Fixture.path("processes/armv7l-raspberry-pi"))).forEachEntry(&buffer) {
      names.append(String(decoding: $0[$1], as: UTF8.self))
    }
    #expect(
      names.sorted() == ["1", "2", "412", "413", "45", "500", "501", "777", "900", "97", "self"])
  }

  @Test func aFileIsNoFolder() {
    #expect(throws: SystemError.self) { _ = try Directory(Text(Fixture.path("disks/README.md"))) }
  }

  @Test func anyBytesAreReadWithinTheirBounds() throws {
    // Two entries as getdents64(2) has them: "1" and "self".
    let entries: [UInt8] = [
      1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 24, 0, 4, 0x31, 0, 0, 0, 0,
      2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 24, 0, 4, 0x73, 0x65, 0x6C, 0x66, 0,
    ]
    for bytes in Mutations(of: entries, count: 20_000, seed: 43) {
      var offset = 0
      var before = -1
      while let name = bytes.span.directoryEntry(at: &offset, below: bytes.count) {
        #expect(name.upperBound <= bytes.count)
        #expect(offset > before)
        before = offset
      }
    }
  }
}
