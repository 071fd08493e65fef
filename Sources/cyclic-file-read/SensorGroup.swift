import CLinux
import CSensors
import Daemon
import Linux
import Records

/// Whatever the sensor chips of the machine measure: libsensors(3), which reads /sys/class/hwmon.
///
/// The library looks for chips when it is initialized. That is done again when a chip has come or
/// gone, which a look into the folder tells; a machine without chips costs no more than that look.
struct SensorGroup: ~Copyable, Group {
  private let folder: Directory
  private var features: [SensorFeature] = []
  /// The chips that the library knows, by their names in the folder; nil before it was initialized.
  private var chips: [UInt8]?
  private var found: [UInt8] = []
  private var entries = [UInt8](repeating: 0, count: 4096)
  private var unreadable: [(chip: FixedText<64>, feature: FixedText<32>)] = []

  /// Errors: those of open(2) on the folder; ENOTSUP if the folder is not the library's.
  init(procfs: Text, sysfs: Text) throws(SystemError) {
    guard sysfs == "/sys" else {
      throw SystemError("libsensors, which reads /sys only,", errno: ENOTSUP, sysfs)
    }
    let folder = try Directory("\(sysfs)/class/hwmon")
    self.folder = folder
  }

  deinit {
    if chips != nil { sensors_cleanup() }
  }

  mutating func sample(_ sender: inout RecordSender, _ log: Log) throws(SystemError) {
    list(log)
    if chips.map({ !$0.elementsEqual(found) }) ?? !found.isEmpty { load(log) }
    for feature in features {
      let sensor = feature.sample()
      if sensor.isEmpty { warn(sensor, log) }
      try sender.send(sensor, log)
    }
  }

  /// The names of the chips now, in `found`.
  private mutating func list(_ log: Log) {
    var names = found
    found = []
    names.removeAll(keepingCapacity: true)
    do throws(SystemError) {
      try folder.forEachEntry(&entries) { entries, name in
        names.append(contentsOf: entries[name])
        names.append(0)
      }
    } catch {
      log.detail(error.description)
    }
    found = names
  }

  private mutating func load(_ log: Log) {
    features.removeAll()
    if chips != nil { sensors_cleanup() }
    chips = nil
    let error = sensors_init(nil)
    guard error == 0 else {
      log.warning("libsensors: \(Text(cString: sensors_strerror(error)))")
      return
    }
    chips = found
    var next: Int32 = 0
    var count = 0
    while let chip = sensors_get_detected_chips(nil, &next) {
      count += 1
      var nextFeature: Int32 = 0
      while let feature = sensors_get_features(chip, &nextFeature) {
        if let known = SensorFeature(chip, feature) { features.append(known) }
      }
    }
    log.information("\(count) sensor chips with \(features.count) features")
  }

  private mutating func warn(_ sensor: Sensor, _ log: Log) {
    if unreadable.contains(where: { $0.chip == sensor.chip && $0.feature == sensor.feature }) {
      return
    }
    if unreadable.count >= 256 { unreadable.removeAll() }
    unreadable.append((sensor.chip, sensor.feature))
    log.warning(
      "a sensor cannot be read: \(sensor.feature.string) of \(sensor.chip.string)")
  }
}

extension Sensor {
  /// Nothing could be read.
  var isEmpty: Bool { valueMillionths == nil && alarm == nil && fault == nil }
}

extension FixedText {
  /// For a log line.
  var string: Text { Text((0..<count).map { self[$0] }) }
}
