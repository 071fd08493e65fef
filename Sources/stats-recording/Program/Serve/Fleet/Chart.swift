/// The charts of the page, in the order in which it shows them.
///
/// Only what one of them draws is kept in memory; the rest of a record passes by.
enum Chart: String, CaseIterable, Codable, Sendable {
  case load, cpu, frequency
  case memory, freeMemory
  case network, networkLosses, wireless
  case diskBytes, diskBusy, fileSystems
  case temperature, raspberryPi
  case pressure
  case processCPU, processMemory

  /// The heading under which the page puts it.
  var group: String {
    switch self {
    case .load, .cpu, .frequency: "CPU"
    case .memory, .freeMemory: "Memory"
    case .network, .networkLosses, .wireless: "Network"
    case .diskBytes, .diskBusy, .fileSystems: "Disks"
    case .temperature, .raspberryPi: "Temperature and supply"
    case .pressure: "Pressure"
    case .processCPU, .processMemory: "Processes"
    }
  }

  var title: String {
    switch self {
    case .load: "Load"
    case .cpu: "CPU in use"
    case .frequency: "CPU frequency"
    case .memory: "Memory"
    case .freeMemory: "Free memory, by sysinfo(2)"
    case .network: "Network"
    case .networkLosses: "Packets with errors or dropped"
    case .wireless: "Wi-Fi signal"
    case .diskBytes: "Disks"
    case .diskBusy: "Disks in use"
    case .fileSystems: "File systems in use"
    case .temperature: "Temperature"
    case .raspberryPi: "Raspberry Pi: supply and throttling"
    case .pressure: "Time in which tasks wait"
    case .processCPU: "CPU of processes"
    case .processMemory: "Memory of processes"
    }
  }

  /// How the page writes the values.
  enum Unit: String, Codable, Sendable {
    case number, ratio, hertz, bytes, bytesPerSecond, perSecond, decibelMilliwatts, celsius, flag
  }

  var unit: Unit {
    switch self {
    case .load: .number
    case .cpu, .diskBusy, .fileSystems, .pressure, .processCPU: .ratio
    case .frequency: .hertz
    case .memory, .freeMemory, .processMemory: .bytes
    case .network, .diskBytes: .bytesPerSecond
    case .networkLosses: .perSecond
    case .wireless: .decibelMilliwatts
    case .temperature: .celsius
    case .raspberryPi: .flag
    }
  }
}
