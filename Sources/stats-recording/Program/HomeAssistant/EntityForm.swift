import Records

/// How Home Assistant shows a field: unit, device class and state class go together as its
/// documentation of sensors says (DEVICE_CLASS_UNITS and DEVICE_CLASS_STATE_CLASSES in its sources).
struct EntityForm: Equatable, Sendable {
  enum Platform: String, Sendable {
    case sensor
    case binarySensor = "binary_sensor"
  }

  var platform = Platform.sensor
  var unit: String?
  var deviceClass: String?
  var stateClass: String?
  /// A ratio, shown as a percentage.
  var isRatio = false
  var isText = false
  /// Not what the device is for, but what tells how it does.
  var isDiagnostic = false

  /// `quantity` is that of a `sensor` record, which says what its value is.
  init(_ entry: FieldCatalog.Entry, quantity: String?) {
    let field = entry.listed.field
    switch entry.listed.form {
    case .boolean:
      platform = .binarySensor
      deviceClass = Self.booleanClass(entry.name)
      isDiagnostic = entry.name.hasSuffix("_occurred") || deviceClass == nil
      return
    case .name, .text, .buckets:
      isText = true
      return
    case .integer, .decimal: break
    }
    let isCounter = field.nature == .counter
    stateClass = isCounter ? "total_increasing" : "measurement"
    if entry.kind == .sensor, let quantity {
      take(quantity: quantity)
      return
    }
    (unit, deviceClass) = Self.measure(field.unit)
    switch field.unit {
    case .ratio: isRatio = true
    // Energy only grows; what goes up and down is a store of it.
    case .joules: deviceClass = isCounter ? "energy" : "energy_storage"
    // A moment in Unix time is no length of time.
    case .seconds where entry.name.hasSuffix("_time_seconds") && !isCounter: deviceClass = nil
    default: break
    }
  }

  private static func measure(_ unit: Field.Unit) -> (unit: String?, deviceClass: String?) {
    switch unit {
    case .seconds: ("s", "duration")
    case .bytes: ("B", "data_size")
    case .ratio: ("%", nil)
    case .hertz: ("Hz", "frequency")
    case .celsius: ("°C", "temperature")
    case .volts: ("V", "voltage")
    case .amperes: ("A", "current")
    case .watts: ("W", "power")
    case .joules: ("J", "energy")
    case .revolutionsPerMinute: ("rpm", nil)
    case .decibelMilliwatts: ("dBm", "signal_strength")
    case .bitsPerSecond: ("bit/s", "data_rate")
    case .count, .none: (nil, nil)
    }
  }

  private mutating func take(quantity: String) {
    switch quantity {
    case "temperature": (unit, deviceClass) = ("°C", "temperature")
    case "voltage", "vid": (unit, deviceClass) = ("V", "voltage")
    case "current": (unit, deviceClass) = ("A", "current")
    case "power": (unit, deviceClass) = ("W", "power")
    case "energy": (unit, deviceClass, stateClass) = ("J", "energy", "total_increasing")
    case "fan": unit = "rpm"
    case "humidity": (unit, deviceClass, isRatio) = ("%", "humidity", true)
    default: break
    }
  }

  private static func booleanClass(_ name: String) -> String? {
    switch name {
    case "under_voltage", "frequency_capped", "throttled", "soft_temperature_limit", "fault",
      "alarm":
      "problem"
    case "answering": "connectivity"
    default: name.hasSuffix("_occurred") || name.hasSuffix("_alarm") ? "problem" : nil
    }
  }
}
