/// The programs that make records. The name is that of the executable, the queue and the topic.
public enum Program: UInt8, CaseIterable, Sendable {
  case cyclicSysinfo = 1
  case cyclicFileRead = 2
  case epollPsi = 3
  case inotifyCoredump = 4
  case inotifyPacct = 5
  case dbusSystemdSignals = 6

  public var name: StaticString {
    switch self {
    case .cyclicSysinfo: "cyclic-sysinfo"
    case .cyclicFileRead: "cyclic-file-read"
    case .epollPsi: "epoll-psi"
    case .inotifyCoredump: "inotify-coredump"
    case .inotifyPacct: "inotify-pacct"
    case .dbusSystemdSignals: "dbus-systemd-signals"
    }
  }

}

/// What a record is about. A number is never used again; a changed meaning is a new kind.
public enum RecordKind: UInt16, CaseIterable, Sendable {
  case systemInformation = 1
  case sourceState = 2
  case cpuTimes = 32
  case cpuActivity = 33
  case cpuFrequency = 34
  case memory = 35
  case pageActivity = 36
  case networkInterface = 37
  case sockets = 38
  case wireless = 39
  case disk = 40
  case fileSystem = 41
  case flashWear = 42
  case processCounts = 43
  case process = 44
  case thermalZone = 45
  case sensor = 46
  case raspberryPi = 47
  case pressureStall = 16
  case pressureSample = 17
  case coreDump = 56
  case processExit = 64
  case processSummary = 65
  case accountingState = 66
  case unitState = 80
  case jobResult = 81
  case managerEvent = 82

  public var name: StaticString {
    switch self {
    case .systemInformation: "system_information"
    case .sourceState: "source_state"
    case .cpuTimes: "cpu_times"
    case .cpuActivity: "cpu_activity"
    case .cpuFrequency: "cpu_frequency"
    case .memory: "memory"
    case .pageActivity: "page_activity"
    case .networkInterface: "network_interface"
    case .sockets: "sockets"
    case .wireless: "wireless"
    case .disk: "disk"
    case .fileSystem: "file_system"
    case .flashWear: "flash_wear"
    case .processCounts: "process_counts"
    case .process: "process"
    case .thermalZone: "thermal_zone"
    case .sensor: "sensor"
    case .raspberryPi: "raspberry_pi"
    case .pressureStall: "pressure_stall"
    case .pressureSample: "pressure_sample"
    case .coreDump: "core_dump"
    case .processExit: "process_exit"
    case .processSummary: "process_summary"
    case .accountingState: "accounting_state"
    case .unitState: "unit_state"
    case .jobResult: "job_result"
    case .managerEvent: "manager_event"
    }
  }

  /// The only program that may send it, or nil: the bridge refuses it from another one's queue.
  public var program: Program? {
    switch self {
    case .systemInformation: .cyclicSysinfo
    case .sourceState: nil
    case .cpuTimes, .cpuActivity, .cpuFrequency, .memory, .pageActivity, .networkInterface,
      .sockets, .wireless, .disk, .fileSystem, .flashWear, .processCounts, .process,
      .thermalZone, .sensor, .raspberryPi:
      .cyclicFileRead
    case .pressureStall, .pressureSample: .epollPsi
    case .coreDump: .inotifyCoredump
    case .processExit, .processSummary, .accountingState: .inotifyPacct
    case .unitState, .jobResult, .managerEvent: .dbusSystemdSignals
    }
  }
}

/// A record: the header and one of the bodies.
public struct Record: Sendable {
  public var header: RecordHeader
  public var body: Body

  public enum Body: Sendable {
    case systemInformation(SystemInformation)
    case sourceState(SourceState)
    case cpuTimes(CPUTimes)
    case cpuActivity(CPUActivity)
    case cpuFrequency(CPUFrequency)
    case memory(Memory)
    case pageActivity(PageActivity)
    case networkInterface(NetworkInterface)
    case sockets(Sockets)
    case wireless(Wireless)
    case disk(Disk)
    case fileSystem(FileSystem)
    case flashWear(FlashWear)
    case processCounts(ProcessCounts)
    case process(ProcessUsage)
    case thermalZone(ThermalZone)
    case sensor(Sensor)
    case raspberryPi(RaspberryPi)
    case pressureStall(PressureStall)
    case pressureSample(PressureSample)
    case coreDump(CoreDump)
    case processExit(ProcessExit)
    case processSummary(ProcessSummary)
    case accountingState(AccountingState)
    case unitState(UnitState)
    case jobResult(JobResult)
    case managerEvent(ManagerEvent)
  }

  public init(header: RecordHeader, body: Body) {
    self.header = header
    self.body = body
  }

  /// Reads the record that is the whole of the first `count` bytes. Errors: see ``RecordError``.
  public init(decoding bytes: [UInt8], count: Int) throws(RecordError) {
    header = try RecordHeader(decoding: bytes.span.extracting(first: count))
    guard let kind = RecordKind(rawValue: header.kind) else { throw .unknownKind(header.kind) }
    var decoder = FieldDecoder(bytes, header)
    switch kind {
    case .systemInformation: body = .systemInformation(try decoder.body())
    case .sourceState: body = .sourceState(try decoder.body())
    case .cpuTimes: body = .cpuTimes(try decoder.body())
    case .cpuActivity: body = .cpuActivity(try decoder.body())
    case .cpuFrequency: body = .cpuFrequency(try decoder.body())
    case .memory: body = .memory(try decoder.body())
    case .pageActivity: body = .pageActivity(try decoder.body())
    case .networkInterface: body = .networkInterface(try decoder.body())
    case .sockets: body = .sockets(try decoder.body())
    case .wireless: body = .wireless(try decoder.body())
    case .disk: body = .disk(try decoder.body())
    case .fileSystem: body = .fileSystem(try decoder.body())
    case .flashWear: body = .flashWear(try decoder.body())
    case .processCounts: body = .processCounts(try decoder.body())
    case .process: body = .process(try decoder.body())
    case .thermalZone: body = .thermalZone(try decoder.body())
    case .sensor: body = .sensor(try decoder.body())
    case .raspberryPi: body = .raspberryPi(try decoder.body())
    case .pressureStall: body = .pressureStall(try decoder.body())
    case .pressureSample: body = .pressureSample(try decoder.body())
    case .coreDump: body = .coreDump(try decoder.body())
    case .processExit: body = .processExit(try decoder.body())
    case .processSummary: body = .processSummary(try decoder.body())
    case .accountingState: body = .accountingState(try decoder.body())
    case .unitState: body = .unitState(try decoder.body())
    case .jobResult: body = .jobResult(try decoder.body())
    case .managerEvent: body = .managerEvent(try decoder.body())
    }
  }

  public var kind: RecordKind {
    switch body {
    case .systemInformation: .systemInformation
    case .sourceState: .sourceState
    case .cpuTimes: .cpuTimes
    case .cpuActivity: .cpuActivity
    case .cpuFrequency: .cpuFrequency
    case .memory: .memory
    case .pageActivity: .pageActivity
    case .networkInterface: .networkInterface
    case .sockets: .sockets
    case .wireless: .wireless
    case .disk: .disk
    case .fileSystem: .fileSystem
    case .flashWear: .flashWear
    case .processCounts: .processCounts
    case .process: .process
    case .thermalZone: .thermalZone
    case .sensor: .sensor
    case .raspberryPi: .raspberryPi
    case .pressureStall: .pressureStall
    case .pressureSample: .pressureSample
    case .coreDump: .coreDump
    case .processExit: .processExit
    case .processSummary: .processSummary
    case .accountingState: .accountingState
    case .unitState: .unitState
    case .jobResult: .jobResult
    case .managerEvent: .managerEvent
    }
  }

  /// Shows every field of the body to a visitor.
  public func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    switch body {
    case .systemInformation(var body): body.visit(&visitor)
    case .sourceState(var body): body.visit(&visitor)
    case .cpuTimes(var body): body.visit(&visitor)
    case .cpuActivity(var body): body.visit(&visitor)
    case .cpuFrequency(var body): body.visit(&visitor)
    case .memory(var body): body.visit(&visitor)
    case .pageActivity(var body): body.visit(&visitor)
    case .networkInterface(var body): body.visit(&visitor)
    case .sockets(var body): body.visit(&visitor)
    case .wireless(var body): body.visit(&visitor)
    case .disk(var body): body.visit(&visitor)
    case .fileSystem(var body): body.visit(&visitor)
    case .flashWear(var body): body.visit(&visitor)
    case .processCounts(var body): body.visit(&visitor)
    case .process(var body): body.visit(&visitor)
    case .thermalZone(var body): body.visit(&visitor)
    case .sensor(var body): body.visit(&visitor)
    case .raspberryPi(var body): body.visit(&visitor)
    case .pressureStall(var body): body.visit(&visitor)
    case .pressureSample(var body): body.visit(&visitor)
    case .coreDump(var body): body.visit(&visitor)
    case .processExit(var body): body.visit(&visitor)
    case .processSummary(var body): body.visit(&visitor)
    case .accountingState(var body): body.visit(&visitor)
    case .unitState(var body): body.visit(&visitor)
    case .jobResult(var body): body.visit(&visitor)
    case .managerEvent(var body): body.visit(&visitor)
    }
  }

  /// Adds the topic's levels behind the program's name.
  public func appendTopic(to topic: inout TopicLevels) {
    switch body {
    case .systemInformation(let body): body.appendTopic(to: &topic)
    case .sourceState(let body): body.appendTopic(to: &topic)
    case .cpuTimes(let body): body.appendTopic(to: &topic)
    case .cpuActivity(let body): body.appendTopic(to: &topic)
    case .cpuFrequency(let body): body.appendTopic(to: &topic)
    case .memory(let body): body.appendTopic(to: &topic)
    case .pageActivity(let body): body.appendTopic(to: &topic)
    case .networkInterface(let body): body.appendTopic(to: &topic)
    case .sockets(let body): body.appendTopic(to: &topic)
    case .wireless(let body): body.appendTopic(to: &topic)
    case .disk(let body): body.appendTopic(to: &topic)
    case .fileSystem(let body): body.appendTopic(to: &topic)
    case .flashWear(let body): body.appendTopic(to: &topic)
    case .processCounts(let body): body.appendTopic(to: &topic)
    case .process(let body): body.appendTopic(to: &topic)
    case .thermalZone(let body): body.appendTopic(to: &topic)
    case .sensor(let body): body.appendTopic(to: &topic)
    case .raspberryPi(let body): body.appendTopic(to: &topic)
    case .pressureStall(let body): body.appendTopic(to: &topic)
    case .pressureSample(let body): body.appendTopic(to: &topic)
    case .coreDump(let body): body.appendTopic(to: &topic)
    case .processExit(let body): body.appendTopic(to: &topic)
    case .processSummary(let body): body.appendTopic(to: &topic)
    case .accountingState(let body): body.appendTopic(to: &topic)
    case .unitState(let body): body.appendTopic(to: &topic)
    case .jobResult(let body): body.appendTopic(to: &topic)
    case .managerEvent(let body): body.appendTopic(to: &topic)
    }
  }

  /// See ``RecordBody/isEvent``.
  public var isEvent: Bool {
    switch body {
    case .systemInformation(let body): body.isEvent
    case .sourceState(let body): body.isEvent
    case .cpuTimes(let body): body.isEvent
    case .cpuActivity(let body): body.isEvent
    case .cpuFrequency(let body): body.isEvent
    case .memory(let body): body.isEvent
    case .pageActivity(let body): body.isEvent
    case .networkInterface(let body): body.isEvent
    case .sockets(let body): body.isEvent
    case .wireless(let body): body.isEvent
    case .disk(let body): body.isEvent
    case .fileSystem(let body): body.isEvent
    case .flashWear(let body): body.isEvent
    case .processCounts(let body): body.isEvent
    case .process(let body): body.isEvent
    case .thermalZone(let body): body.isEvent
    case .sensor(let body): body.isEvent
    case .raspberryPi(let body): body.isEvent
    case .pressureStall(let body): body.isEvent
    case .pressureSample(let body): body.isEvent
    case .coreDump(let body): body.isEvent
    case .processExit(let body): body.isEvent
    case .processSummary(let body): body.isEvent
    case .accountingState(let body): body.isEvent
    case .unitState(let body): body.isEvent
    case .jobResult(let body): body.isEvent
    case .managerEvent(let body): body.isEvent
    }
  }
}
