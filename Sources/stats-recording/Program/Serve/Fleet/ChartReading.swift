import Records

/// A value of a record that a chart draws: which line it belongs to, and how a point is made of it.
struct ChartReading: Equatable, Sendable {
  let chart: Chart
  /// What the line is called in its chart.
  let label: String
  let input: Input

  enum Input: Equatable, Sendable {
    /// Drawn as it is.
    case gauge(Double)
    /// Its growth in a second is drawn.
    case counter(Double)
    /// Of two counters, how much of the growth of the whole is the part's.
    case share(part: Double, whole: Double)
  }

  private static let kinds = Dictionary(
    uniqueKeysWithValues: RecordKind.allCases.map { ("\($0.name)", $0) })

  /// The kind of a record; nil: of a later version.
  static func kind(of record: PublishedRecord) -> RecordKind? { kinds[record.kind] }

  /// What the charts draw of a record; nothing of a kind that has no chart.
  static func readings(of record: PublishedRecord) -> [ChartReading] {
    guard let kind = kind(of: record) else { return [] }
    var readings = Readings(fields: Dictionary(record.fields))
    switch kind {
    case .systemInformation:
      for name in ["load1", "load5", "load15"] { readings.gauge(.load, name, name) }
      readings.gauge(.freeMemory, "free", "memory_free_bytes")
      readings.gauge(.freeMemory, "buffers", "memory_buffer_bytes")
    case .cpuTimes: readings.cpuTimes()
    case .cpuFrequency:
      readings.gauge(.frequency, "CPU \(readings.text("cpu"))", "frequency_hertz")
    case .memory: readings.memory()
    case .networkInterface: readings.networkInterface()
    case .wireless: readings.gauge(.wireless, readings.text("interface"), "signal_dbm")
    case .disk: readings.disk()
    case .fileSystem: readings.fileSystem()
    case .thermalZone: readings.gauge(.temperature, readings.text("type"), "temperature_celsius")
    case .sensor:
      if readings.text("quantity") == "temperature" {
        let name = ["label", "feature"].map(readings.text).first { !$0.isEmpty } ?? ""
        readings.gauge(.temperature, "\(readings.text("chip")) \(name)", "value")
      }
    case .raspberryPi:
      for name in ["under_voltage", "frequency_capped", "throttled", "soft_temperature_limit"] {
        readings.gauge(.raspberryPi, name.replacing("_", with: " "), name)
      }
    case .pressureStall, .pressureSample: readings.pressure()
    case .process:
      let name = "\(readings.text("name")) (\(readings.text("pid")))"
      readings.gauge(.processCPU, name, "cpu_ratio")
      readings.gauge(.processMemory, name, "memory_resident_bytes")
    case .processLoad:
      let name = "\(readings.text("process")) on \(readings.text("ecu"))"
      readings.gauge(.processCPU, name, "cpu_ratio")
      readings.gauge(.processMemory, name, "memory_resident_bytes")
    case .sourceState, .cpuActivity, .pageActivity, .sockets, .flashWear, .processCounts, .coreDump,
      .processExit, .processSummary, .accountingState, .processLifecycle, .dltLoss, .unitState,
      .jobResult, .managerEvent, .traceValue, .traceHistogram, .traceEvent, .traceLoss:
      break
    }
    return readings.list
  }
}

private struct Readings {
  let fields: [String: JSONValue]
  var list: [ChartReading] = []

  func text(_ name: String) -> String { fields[name]?.readableText ?? "" }

  /// Nothing that JavaScript could not read as a number.
  func number(_ name: String) -> Double? {
    fields[name]?.double.flatMap { $0.isFinite ? $0 : nil }
  }

  mutating func add(_ chart: Chart, _ label: String, _ input: ChartReading.Input) {
    list.append(ChartReading(chart: chart, label: String(label.prefix(96)), input: input))
  }

  mutating func gauge(_ chart: Chart, _ label: String, _ name: String) {
    if let value = number(name) { add(chart, label, .gauge(value)) }
  }

  mutating func counter(_ chart: Chart, _ label: String, _ name: String) {
    if let value = number(name) { add(chart, label, .counter(value)) }
  }

  mutating func cpuTimes() {
    guard let idle = number("idle_seconds") else { return }
    let waiting = number("iowait_seconds") ?? 0
    // user_seconds and nice_seconds hold those of guests already.
    let whole = [
      "user_seconds", "nice_seconds", "system_seconds", "interrupt_seconds",
      "soft_interrupt_seconds", "steal_seconds",
    ].compactMap(number).reduce(idle + waiting, +)
    let cpu = text("cpu")
    let isTotal = cpu == "total"
    add(.cpu, isTotal ? "all" : "CPU \(cpu)", .share(part: whole - idle - waiting, whole: whole))
    if isTotal { add(.cpu, "waiting for disks", .share(part: waiting, whole: whole)) }
  }

  mutating func memory() {
    guard let total = number("memory_total_bytes") else { return }
    if let available = number("memory_available_bytes") {
      add(.memory, "in use", .gauge(total - available))
    }
    gauge(.memory, "cached", "memory_cached_bytes")
    if let swap = number("swap_total_bytes"), swap > 0, let free = number("swap_free_bytes") {
      add(.memory, "swap in use", .gauge(swap - free))
    }
    add(.memory, "installed", .gauge(total))
  }

  mutating func networkInterface() {
    let name = text("interface")
    counter(.network, "\(name) in", "receive_bytes")
    counter(.network, "\(name) out", "transmit_bytes")
    for (label, fields) in [
      ("in", ["receive_errors", "receive_dropped"]),
      ("out", ["transmit_errors", "transmit_dropped"]),
    ] {
      let counts = fields.compactMap(number)
      if !counts.isEmpty { add(.networkLosses, "\(name) \(label)", .counter(counts.reduce(0, +))) }
    }
  }

  mutating func disk() {
    // Its partitions are in the disk's own counters.
    guard fields["is_partition"] != .boolean(true) else { return }
    let name = text("device")
    counter(.diskBytes, "\(name) read", "read_bytes")
    counter(.diskBytes, "\(name) written", "write_bytes")
    counter(.diskBusy, name, "busy_seconds")
  }

  mutating func fileSystem() {
    guard let size = number("size_bytes"), size > 0, let free = number("free_bytes") else { return }
    add(.fileSystems, text("mount_point"), .gauge((size - free) / size))
  }

  /// Of the whole system; what cgroups tell is in the events.
  mutating func pressure() {
    guard text("cgroup").isEmpty else { return }
    let resource = text("resource")
    gauge(.pressure, "\(resource), some tasks", "some_avg10")
    // The kernel defines it for cgroups alone.
    if resource != "cpu" { gauge(.pressure, "\(resource), all tasks", "full_avg10") }
  }
}

extension [String: JSONValue] {
  init(_ members: [JSONMember]) {
    self.init(members.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
  }
}

extension JSONValue {
  /// Texts as they are, numbers by their digits.
  var readableText: String {
    switch self {
    case .text(let text): text
    case .number(let digits): digits
    default: ""
    }
  }
}
