/// What the firmware of a Raspberry Pi says of its power supply and its temperature: the bits of
/// get_throttled, and the alarm of the kernel's rpi_volt driver.
///
/// Body in format version 1, 9 bytes, each 1 true, 0 false, 255 unknown:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0, 1, 2, 3 | u8 | now: under-voltage, frequency capped, throttled, soft temperature limit |
/// | 4, 5, 6, 7 | u8 | the same, since the start of the machine |
/// | 8 | u8 | rpi_volt: under-voltage within the last seconds |
public struct RaspberryPi: RecordBody {
  public static let kind = RecordKind.raspberryPi

  public var underVoltage: Bool?
  public var frequencyCapped: Bool?
  public var throttled: Bool?
  public var softTemperatureLimit: Bool?
  public var underVoltageOccurred: Bool?
  public var frequencyCappedOccurred: Bool?
  public var throttledOccurred: Bool?
  public var softTemperatureLimitOccurred: Bool?
  public var supplyAlarm: Bool?

  public init() {}

  /// Takes over the bits of get_throttled:
  /// https://www.raspberrypi.com/documentation/computers/os.html#get_throttled
  public mutating func take(flags: UInt32) {
    underVoltage = flags & 1 << 0 != 0
    frequencyCapped = flags & 1 << 1 != 0
    throttled = flags & 1 << 2 != 0
    softTemperatureLimit = flags & 1 << 3 != 0
    underVoltageOccurred = flags & 1 << 16 != 0
    frequencyCappedOccurred = flags & 1 << 17 != 0
    throttledOccurred = flags & 1 << 18 != 0
    softTemperatureLimitOccurred = flags & 1 << 19 != 0
  }

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.optionalBoolean(
      Field("under_voltage", .none, .gauge, "The supply voltage is too low now"), &underVoltage)
    visitor.optionalBoolean(
      Field("frequency_capped", .none, .gauge, "The CPU's frequency is limited now"),
      &frequencyCapped)
    visitor.optionalBoolean(
      Field("throttled", .none, .gauge, "The CPU is throttled now"), &throttled)
    visitor.optionalBoolean(
      Field("soft_temperature_limit", .none, .gauge, "The soft temperature limit holds now"),
      &softTemperatureLimit)
    visitor.optionalBoolean(
      Field(
        "under_voltage_occurred", .none, .gauge, "The same, since the start of the machine"),
      &underVoltageOccurred)
    visitor.optionalBoolean(
      Field(
        "frequency_capped_occurred", .none, .gauge, "The same, since the start of the machine"),
      &frequencyCappedOccurred)
    visitor.optionalBoolean(
      Field("throttled_occurred", .none, .gauge, "The same, since the start of the machine"),
      &throttledOccurred)
    visitor.optionalBoolean(
      Field(
        "soft_temperature_limit_occurred", .none, .gauge,
        "The same, since the start of the machine"), &softTemperatureLimitOccurred)
    visitor.optionalBoolean(
      Field(
        "supply_alarm", .none, .gauge,
        "The kernel's rpi_volt driver saw too low a voltage within the last seconds"),
      &supplyAlarm)
  }

  public static var topic: StaticString { "raspberry_pi" }
}
