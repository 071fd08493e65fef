import CLinux
import CSensors
import Records

/// A feature of a chip as libsensors(3) knows it: what identifies it, and the numbers of the
/// subfeatures that are read at each sample.
struct SensorFeature {
  private let chip: UnsafePointer<sensors_chip_name>
  private var body = Sensor()
  private var subfeatures: [(number: Int32, use: Use)] = []

  /// What a subfeature is good for.
  private enum Use {
    case value, minimum, maximum, criticalMinimum, criticalMaximum, emergency
    case alarm, minimumAlarm, maximumAlarm, criticalMinimumAlarm, criticalMaximumAlarm
    case emergencyAlarm, fault
  }

  /// nil for a feature that tells nothing: the switch of the beeper, and kinds unknown here.
  init?(_ chip: UnsafePointer<sensors_chip_name>, _ feature: UnsafePointer<sensors_feature>) {
    self.chip = chip
    guard let quantity = Self.quantity(feature.pointee.type) else { return nil }
    body.quantity = quantity
    var name = [CChar](repeating: 0, count: 256)
    let length = sensors_snprintf_chip_name(&name, name.count, chip)
    for index in 0..<min(max(0, Int(length)), name.count - 1) {
      body.chip.append(UInt8(bitPattern: name[index]))
    }
    body.feature.append(cString: feature.pointee.name)
    // Allocated anew at each call, so it is asked for once.
    if let label = sensors_get_label(chip, feature) {
      body.label.append(cString: label)
      free(label)
    }
    var next: Int32 = 0
    while let subfeature = sensors_get_all_subfeatures(chip, feature, &next) {
      guard subfeature.pointee.flags & UInt32(SENSORS_MODE_R) != 0,
        let use = Self.use(subfeature.pointee.type)
      else { continue }
      subfeatures.append((subfeature.pointee.number, use))
    }
    // A power sensor may tell the average and the present value; as sensors(1), take the first.
    let values = subfeatures.indices.filter { subfeatures[$0].use == .value }
    for index in values.dropFirst().reversed() { subfeatures.remove(at: index) }
    if subfeatures.isEmpty { return nil }
  }

  /// Reads it now; a value that cannot be read is left out.
  func sample() -> Sensor {
    var sensor = body
    for (number, use) in subfeatures {
      var value = 0.0
      guard sensors_get_value(chip, number, &value) == 0 else { continue }
      switch use {
      case .value: sensor.valueMillionths = millionths(value)
      case .minimum: sensor.minimumMillionths = millionths(value)
      case .maximum: sensor.maximumMillionths = millionths(value)
      case .criticalMinimum: sensor.criticalMinimumMillionths = millionths(value)
      case .criticalMaximum: sensor.criticalMaximumMillionths = millionths(value)
      case .emergency: sensor.emergencyMillionths = millionths(value)
      case .alarm: sensor.alarm = value != 0
      case .minimumAlarm: sensor.minimumAlarm = value != 0
      case .maximumAlarm: sensor.maximumAlarm = value != 0
      case .criticalMinimumAlarm: sensor.criticalMinimumAlarm = value != 0
      case .criticalMaximumAlarm: sensor.criticalMaximumAlarm = value != 0
      case .emergencyAlarm: sensor.emergencyAlarm = value != 0
      case .fault: sensor.fault = value != 0
      }
    }
    sensor.sumUpAlarms()
    return sensor
  }

  private func millionths(_ value: Double) -> Int64? {
    // libsensors has humidity in percent.
    let number = value * (body.quantity == .humidity ? 10_000 : 1_000_000)
    // Rounded by hand: rounded() is a call into libm.
    return number.magnitude < 9e18 ? Int64(number < 0 ? number - 0.5 : number + 0.5) : nil
  }

  private static func quantity(_ type: sensors_feature_type) -> Sensor.Quantity? {
    switch type {
    case SENSORS_FEATURE_IN: .voltage
    case SENSORS_FEATURE_FAN: .fan
    case SENSORS_FEATURE_TEMP: .temperature
    case SENSORS_FEATURE_POWER: .power
    case SENSORS_FEATURE_ENERGY: .energy
    case SENSORS_FEATURE_CURR: .current
    case SENSORS_FEATURE_HUMIDITY: .humidity
    case SENSORS_FEATURE_VID: .vid
    case SENSORS_FEATURE_INTRUSION: .intrusion
    default: nil
    }
  }

  private static func use(_ type: sensors_subfeature_type) -> Use? {
    switch type {
    case SENSORS_SUBFEATURE_IN_INPUT, SENSORS_SUBFEATURE_FAN_INPUT, SENSORS_SUBFEATURE_TEMP_INPUT,
      SENSORS_SUBFEATURE_POWER_AVERAGE, SENSORS_SUBFEATURE_POWER_INPUT,
      SENSORS_SUBFEATURE_ENERGY_INPUT, SENSORS_SUBFEATURE_CURR_INPUT,
      SENSORS_SUBFEATURE_HUMIDITY_INPUT, SENSORS_SUBFEATURE_VID,
      SENSORS_SUBFEATURE_INTRUSION_ALARM:
      .value
    case SENSORS_SUBFEATURE_IN_MIN, SENSORS_SUBFEATURE_FAN_MIN, SENSORS_SUBFEATURE_TEMP_MIN,
      SENSORS_SUBFEATURE_POWER_MIN, SENSORS_SUBFEATURE_CURR_MIN:
      .minimum
    case SENSORS_SUBFEATURE_IN_MAX, SENSORS_SUBFEATURE_FAN_MAX, SENSORS_SUBFEATURE_TEMP_MAX,
      SENSORS_SUBFEATURE_POWER_MAX, SENSORS_SUBFEATURE_CURR_MAX:
      .maximum
    case SENSORS_SUBFEATURE_IN_LCRIT, SENSORS_SUBFEATURE_TEMP_LCRIT,
      SENSORS_SUBFEATURE_POWER_LCRIT, SENSORS_SUBFEATURE_CURR_LCRIT:
      .criticalMinimum
    case SENSORS_SUBFEATURE_IN_CRIT, SENSORS_SUBFEATURE_TEMP_CRIT, SENSORS_SUBFEATURE_POWER_CRIT,
      SENSORS_SUBFEATURE_CURR_CRIT:
      .criticalMaximum
    case SENSORS_SUBFEATURE_TEMP_EMERGENCY: .emergency
    case SENSORS_SUBFEATURE_IN_ALARM, SENSORS_SUBFEATURE_FAN_ALARM, SENSORS_SUBFEATURE_TEMP_ALARM,
      SENSORS_SUBFEATURE_POWER_ALARM, SENSORS_SUBFEATURE_CURR_ALARM,
      SENSORS_SUBFEATURE_POWER_CAP_ALARM:
      .alarm
    case SENSORS_SUBFEATURE_IN_MIN_ALARM, SENSORS_SUBFEATURE_FAN_MIN_ALARM,
      SENSORS_SUBFEATURE_TEMP_MIN_ALARM, SENSORS_SUBFEATURE_POWER_MIN_ALARM,
      SENSORS_SUBFEATURE_CURR_MIN_ALARM:
      .minimumAlarm
    case SENSORS_SUBFEATURE_IN_MAX_ALARM, SENSORS_SUBFEATURE_FAN_MAX_ALARM,
      SENSORS_SUBFEATURE_TEMP_MAX_ALARM, SENSORS_SUBFEATURE_POWER_MAX_ALARM,
      SENSORS_SUBFEATURE_CURR_MAX_ALARM:
      .maximumAlarm
    case SENSORS_SUBFEATURE_IN_LCRIT_ALARM, SENSORS_SUBFEATURE_TEMP_LCRIT_ALARM,
      SENSORS_SUBFEATURE_POWER_LCRIT_ALARM, SENSORS_SUBFEATURE_CURR_LCRIT_ALARM:
      .criticalMinimumAlarm
    case SENSORS_SUBFEATURE_IN_CRIT_ALARM, SENSORS_SUBFEATURE_TEMP_CRIT_ALARM,
      SENSORS_SUBFEATURE_POWER_CRIT_ALARM, SENSORS_SUBFEATURE_CURR_CRIT_ALARM:
      .criticalMaximumAlarm
    case SENSORS_SUBFEATURE_TEMP_EMERGENCY_ALARM: .emergencyAlarm
    case SENSORS_SUBFEATURE_FAN_FAULT, SENSORS_SUBFEATURE_TEMP_FAULT: .fault
    default: nil
    }
  }
}

extension Sensor {
  /// `alarm` says whether any of its alarms is on, be it one of its own.
  mutating func sumUpAlarms() {
    add(minimumAlarm)
    add(maximumAlarm)
    add(criticalMinimumAlarm)
    add(criticalMaximumAlarm)
    add(emergencyAlarm)
  }

  private mutating func add(_ other: Bool?) {
    if let other { alarm = (alarm ?? false) || other }
  }
}

extension FixedText {
  mutating func append(cString text: UnsafePointer<CChar>?) {
    guard var character = text else { return }
    while character.pointee != 0 {
      append(UInt8(bitPattern: character.pointee))
      character += 1
    }
  }
}
