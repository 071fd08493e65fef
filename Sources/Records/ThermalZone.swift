/// The temperature of a thermal zone: /sys/class/thermal/thermal_zone*.
///
/// Body in format version 1, 72 bytes:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | text, 32 | zone |
/// | 34 | text, 32 | type |
/// | 68 | i32 | temperature in thousandths of a degree Celsius |
public struct ThermalZone: RecordBody {
  public static let kind = RecordKind.thermalZone

  public var zone = FixedText<32>()
  public var type = FixedText<32>()
  public var temperatureThousandths: Int32 = 0

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.text(Field("zone", .none, .identity, "Name of the thermal zone"), &zone)
    visitor.text(Field("type", .none, .identity, "What is measured, such as cpu-thermal"), &type)
    visitor.signed(
      Field("temperature_celsius", .celsius, .gauge, decimals: 3, "Temperature"),
      &temperatureThousandths)
  }

  public static var topic: StaticString { "temperature/{type}" }
}
