/// The programs that make records. The name is that of the executable, the queue and the topic.
public enum Program: UInt8, CaseIterable, Sendable {
  case cyclicSysinfo = 1
  case cyclicFileRead = 2
  case epollPsi = 3
  case inotifyCoredump = 4
  case inotifyPacct = 5
  case dltProcWatch = 7
  case dbusSystemdSignals = 6
  case traceConsumer = 8

  public static let highestNumber = 8

  public var name: StaticString {
    switch self {
    case .cyclicSysinfo: "cyclic-sysinfo"
    case .cyclicFileRead: "cyclic-file-read"
    case .epollPsi: "epoll-psi"
    case .inotifyCoredump: "inotify-coredump"
    case .inotifyPacct: "inotify-pacct"
    case .dltProcWatch: "dlt-proc-watch"
    case .dbusSystemdSignals: "dbus-systemd-signals"
    case .traceConsumer: "trace-consumer"
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
  case processLoad = 96
  case processLifecycle = 97
  case dltLoss = 98
  case unitState = 80
  case jobResult = 81
  case managerEvent = 82
  case traceValue = 112
  case traceHistogram = 113
  case traceEvent = 114
  case traceLoss = 115

  public var name: StaticString {
    @inline(never) get { constantName }
  }

  /// The same, of a kind that is known when it is compiled: nothing of the other names is linked then.
  public var constantName: StaticString {
    @inline(__always) get { allNames }
  }

  @inline(__always)
  private var allNames: StaticString {
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
    case .processLoad: "process_load"
    case .processLifecycle: "process_lifecycle"
    case .dltLoss: "dlt_loss"
    case .unitState: "unit_state"
    case .jobResult: "job_result"
    case .managerEvent: "manager_event"
    case .traceValue: "trace_value"
    case .traceHistogram: "trace_histogram"
    case .traceEvent: "trace_event"
    case .traceLoss: "trace_loss"
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
    case .processLoad, .processLifecycle, .dltLoss: .dltProcWatch
    case .unitState, .jobResult, .managerEvent: .dbusSystemdSignals
    case .traceValue, .traceHistogram, .traceEvent, .traceLoss: .traceConsumer
    }
  }
}

/// Something to be done with a body whose type only its kind tells.
protocol BodyUse {
  associatedtype Result
  mutating func use<Body: RecordBody>(_ type: Body.Type) -> Result
}

extension RecordKind {
  /// The one place that knows which body is of which kind.
  func withBody<Use: BodyUse>(_ use: inout Use) -> Use.Result {
    switch self {
    case .systemInformation: return use.use(SystemInformation.self)
    case .sourceState: return use.use(SourceState.self)
    case .cpuTimes: return use.use(CPUTimes.self)
    case .cpuActivity: return use.use(CPUActivity.self)
    case .cpuFrequency: return use.use(CPUFrequency.self)
    case .memory: return use.use(Memory.self)
    case .pageActivity: return use.use(PageActivity.self)
    case .networkInterface: return use.use(NetworkInterface.self)
    case .sockets: return use.use(Sockets.self)
    case .wireless: return use.use(Wireless.self)
    case .disk: return use.use(Disk.self)
    case .fileSystem: return use.use(FileSystem.self)
    case .flashWear: return use.use(FlashWear.self)
    case .processCounts: return use.use(ProcessCounts.self)
    case .process: return use.use(ProcessUsage.self)
    case .thermalZone: return use.use(ThermalZone.self)
    case .sensor: return use.use(Sensor.self)
    case .raspberryPi: return use.use(RaspberryPi.self)
    case .pressureStall: return use.use(PressureStall.self)
    case .pressureSample: return use.use(PressureSample.self)
    case .coreDump: return use.use(CoreDump.self)
    case .processExit: return use.use(ProcessExit.self)
    case .processSummary: return use.use(ProcessSummary.self)
    case .accountingState: return use.use(AccountingState.self)
    case .processLoad: return use.use(ProcessLoad.self)
    case .processLifecycle: return use.use(ProcessLifecycle.self)
    case .dltLoss: return use.use(DLTLoss.self)
    case .unitState: return use.use(UnitState.self)
    case .jobResult: return use.use(JobResult.self)
    case .managerEvent: return use.use(ManagerEvent.self)
    case .traceValue: return use.use(TracedValue.self)
    case .traceHistogram: return use.use(TracedHistogram.self)
    case .traceEvent: return use.use(TracedEvent.self)
    case .traceLoss: return use.use(TracedLoss.self)
    }
  }
}
