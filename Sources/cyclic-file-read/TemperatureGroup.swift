import CLinux
import Daemon
import Linux
import Records

/// The temperatures of the thermal zones: /sys/class/thermal.
///
/// ```
/// /sys/class/thermal/thermal_zone0/type     cpu-thermal
/// /sys/class/thermal/thermal_zone0/temp     48312, in thousandths of a degree Celsius
/// ```
/// Kernel documentation: driver-api/thermal/sysfs-api.
struct TemperatureGroup: ~Copyable, Group {
  private final class Zone {
    let number: UInt32
    var body: ThermalZone
    var temperature: ProcFile
    var isThere = true

    init(_ number: UInt32, _ name: Span<UInt8>, type: Span<UInt8>, _ path: Text) {
      self.number = number
      body = ThermalZone()
      body.zone = FixedText(name)
      body.type = FixedText(type)
      temperature = ProcFile("\(path)/temp")
    }
  }

  private let folder: Directory
  private var zones: [Zone] = []
  private var entries = [UInt8](repeating: 0, count: 4096)
  private var buffer: [UInt8] = []

  /// Errors: those of open(2) on the folder; a zone may come later.
  init(procfs: Text, sysfs: Text) throws(SystemError) {
    let folder = try Directory("\(sysfs)/class/thermal")
    self.folder = folder
  }

  mutating func sample(_ sender: inout RecordSender, _ log: Log) throws(SystemError) {
    do throws(SystemError) {
      try find(log)
    } catch {
      log.detail(error.description)
    }
    for zone in zones {
      guard let count = zone.temperature.read(into: &buffer, log) else { continue }
      guard let value = Self.temperature(parsing: buffer.span.extracting(first: count)) else {
        zone.temperature.refuse(ParseError("does not hold a temperature"), log)
        continue
      }
      zone.body.temperatureThousandths = value
      try sender.send(zone.body, log)
    }
  }

  static func temperature(parsing content: Span<UInt8>) -> Int32? {
    var offset = 0
    guard var rest = content.nextLine(&offset), let word = content.nextWord(&rest) else {
      return nil
    }
    return content.signedNumber(word).flatMap { Int32(exactly: $0) }
  }

  /// Zones come with a driver and go with it; a look into the folder tells.
  private mutating func find(_ log: Log) throws(SystemError) {
    for zone in zones { zone.isThere = false }
    var found = zones
    let path = folder.path
    try folder.forEachEntry(&entries) { entries, name in
      let text = entries.span
      guard text.starts(name, with: "thermal_zone"),
        let number = text.number(name.dropFirst(12)).flatMap({ UInt32(exactly: $0) })
      else { return }
      if let known = found.first(where: { $0.number == number }) {
        known.isThere = true
        return
      }
      let zone = Text("\(path)/thermal_zone\(UInt64(number))")
      var type = (try? readFile("\(zone)/type", limit: 256)) ?? []
      while let last = type.last, last <= UInt8(ascii: " ") { type.removeLast() }
      found.append(Zone(number, text.extracting(name), type: type.span, zone))
    }
    if found.contains(where: { !$0.isThere }) { found.removeAll { !$0.isThere } }
    zones = found
  }
}
