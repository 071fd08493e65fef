/// A value that a sensor chip measures, as libsensors(3) tells it.
///
/// Body in format version 1, 222 bytes:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | text, 64 | chip |
/// | 66 | text, 32 | feature |
/// | 100 | text, 64 | label |
/// | 166 | u8 | quantity, which says the unit |
/// | 167 | i64 | value in millionths; all bits set where there is none now |
/// | 175, 183 | i64 | lower limit, upper limit, in millionths; all bits set where there is none |
/// | 191, 199 | i64 | critical lower limit, critical upper limit; as before |
/// | 207 | i64 | limit of emergency; as before |
/// | 215 | u8 | 1 any alarm; 255 the sensor has none, here and below |
/// | 216, 217 | u8 | below its lower, above its upper limit |
/// | 218, 219 | u8 | below its critical lower, above its critical upper limit |
/// | 220 | u8 | above the limit of emergency |
/// | 221 | u8 | the sensor itself is faulty |
public struct Sensor: RecordBody {
  public static let kind = RecordKind.sensor

  public enum Quantity: UInt8, FieldName {
    case unknown = 0
    /// In volts.
    case voltage = 1
    /// In revolutions per minute.
    case fan = 2
    /// In degrees Celsius.
    case temperature = 3
    /// In watts.
    case power = 4
    /// In joules.
    case energy = 5
    /// In amperes.
    case current = 6
    /// Relative, a ratio from 0 to 1.
    case humidity = 7
    /// In volts: what the processor asks for.
    case vid = 8
    /// 1 if somebody opened the case.
    case intrusion = 9

    public var name: StaticString {
      switch self {
      case .unknown: "unknown"
      case .voltage: "voltage"
      case .fan: "fan"
      case .temperature: "temperature"
      case .power: "power"
      case .energy: "energy"
      case .current: "current"
      case .humidity: "humidity"
      case .vid: "vid"
      case .intrusion: "intrusion"
      }
    }
  }

  public var chip = FixedText<64>()
  public var feature = FixedText<32>()
  public var label = FixedText<64>()
  public var quantity = Quantity.unknown
  public var valueMillionths: Int64?
  public var minimumMillionths: Int64?
  public var maximumMillionths: Int64?
  public var criticalMinimumMillionths: Int64?
  public var criticalMaximumMillionths: Int64?
  public var emergencyMillionths: Int64?
  public var alarm: Bool?
  public var minimumAlarm: Bool?
  public var maximumAlarm: Bool?
  public var criticalMinimumAlarm: Bool?
  public var criticalMaximumAlarm: Bool?
  public var emergencyAlarm: Bool?
  public var fault: Bool?

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.text(Field("chip", .none, .identity, "The chip, as sensors(1) names it"), &chip)
    visitor.text(Field("feature", .none, .identity, "What it measures, such as temp1"), &feature)
    visitor.text(Field("label", .none, .identity, "The same in words"), &label)
    visitor.name(
      Field(
        "quantity", .none, .identity,
        """
        temperature (in degrees Celsius), voltage (V), current (A), power (W), energy (J), \
        fan (1/min), humidity (0 to 1), vid (V) or intrusion (0 or 1)
        """), &quantity)
    visitor.optional(
      Field("value", .none, .gauge, decimals: 6, "The value in the unit of its quantity"),
      &valueMillionths)
    visitor.optional(
      Field("min", .none, .gauge, decimals: 6, "Lower limit"), &minimumMillionths)
    visitor.optional(
      Field("max", .none, .gauge, decimals: 6, "Upper limit"), &maximumMillionths)
    visitor.optional(
      Field("critical_min", .none, .gauge, decimals: 6, "Critical lower limit"),
      &criticalMinimumMillionths)
    visitor.optional(
      Field("critical_max", .none, .gauge, decimals: 6, "Critical upper limit"),
      &criticalMaximumMillionths)
    visitor.optional(
      Field("emergency", .none, .gauge, decimals: 6, "Upper limit of emergency"),
      &emergencyMillionths)
    visitor.optionalBoolean(Field("alarm", .none, .gauge, "Any alarm of the sensor"), &alarm)
    visitor.optionalBoolean(
      Field("min_alarm", .none, .gauge, "Below the lower limit"), &minimumAlarm)
    visitor.optionalBoolean(
      Field("max_alarm", .none, .gauge, "Above the upper limit"), &maximumAlarm)
    visitor.optionalBoolean(
      Field("critical_min_alarm", .none, .gauge, "Below the critical lower limit"),
      &criticalMinimumAlarm)
    visitor.optionalBoolean(
      Field("critical_max_alarm", .none, .gauge, "Above the critical upper limit"),
      &criticalMaximumAlarm)
    visitor.optionalBoolean(
      Field("emergency_alarm", .none, .gauge, "Above the limit of emergency"), &emergencyAlarm)
    visitor.optionalBoolean(
      Field("fault", .none, .gauge, "The sensor itself is faulty"), &fault)
  }

  public static var topic: StaticString { "sensor/{chip}/{feature}" }
}
