import CLinux
import Daemon
import Linux
import Records

/// How many processes there are, and those that use most CPU time and memory: /proc/PID.
struct ProcessGroup: ~Copyable, Group {
  private var scan: ProcessScan
  private let units: ProcessUnits
  private var hasWarned = false

  init(procfs: Text, sysfs: Text) throws(SystemError) {
    try self.init(procfs: procfs, count: 10)
  }

  init(_ options: GroupOptions) throws(SystemError) {
    let interval = options.interval(of: .processes)?.nanoseconds ?? .max
    try self.init(
      procfs: options.procfs, count: options.processCount,
      keepsFiles: interval <= ProcessFiles.oftenNanoseconds)
  }

  /// `count` processes by CPU time and as many by memory; one may be among both.
  init(procfs: Text, count: Int, keepsFiles: Bool = false) throws(SystemError) {
    let scan = try ProcessScan(procfs: procfs, count: count, keepsFiles: keepsFiles)
    guard exists("\(procfs)/self/stat") else {
      throw SystemError("open", errno: ENOENT, "\(procfs)/self/stat")
    }
    self.scan = scan
    units = .ofThisMachine
  }

  mutating func sample(_ sender: inout RecordSender, _ log: Log) throws(SystemError) {
    do throws(SystemError) {
      try scan.run()
    } catch {
      warn(error.description, log)
      return
    }
    if let error = scan.error { warn("a process is left out: its stat " + Text(error.reason), log) }
    try sender.send(scan.counts, log)
    for rank in 0..<scan.byCPU.count { try send(scan.byCPU[rank], &sender, log) }
    for rank in 0..<scan.byMemory.count {
      let place = scan.byMemory[rank]
      if !scan.byCPU.contains(place.status.processID) { try send(place, &sender, log) }
    }
  }

  private mutating func send(
    _ place: ProcessRanking.Place, _ sender: inout RecordSender, _ log: Log
  ) throws(SystemError) {
    var status = place.status
    status.residentPages = scan.residentPages(of: status.processID) ?? status.residentPages
    var usage = ProcessUsage(status, units)
    usage.cpuTenThousandths = units.cpuTenThousandths(place.ticks, scan.elapsed)
    usage.userID = scan.user(of: place.status.processID)
    if let storage = scan.storage(of: place.status.processID) {
      usage.readBytes = storage.readBytes
      usage.writeBytes = storage.writeBytes
    }
    try sender.send(usage, log)
  }

  private mutating func warn(_ text: Text, _ log: Log) {
    if !hasWarned { log.warning(text) }
    hasWarned = true
  }
}

/// What the numbers of /proc/PID/stat are counted in.
struct ProcessUnits {
  let ticksPerSecond: UInt64
  let pageBytes: UInt64

  static var ofThisMachine: ProcessUnits {
    ProcessUnits(
      ticksPerSecond: UInt64(max(1, sysconf(Int32(_SC_CLK_TCK)))),
      pageBytes: UInt64(max(1, sysconf(Int32(_SC_PAGESIZE)))))
  }

  /// The use of CPUs over a time in ten-thousandths of one; nil without a time.
  func cpuTenThousandths(_ ticks: UInt64, _ nanoseconds: UInt64?) -> UInt32? {
    guard let nanoseconds, nanoseconds > 0 else { return nil }
    let time = CPUTimes.hundredths(ticks, ticksPerSecond).multipliedSaturated(by: 10_000_000)
    // Below the number that stands for an absent one.
    return UInt32(min(time.multipliedSaturated(by: 10_000) / nanoseconds, UInt64(UInt32.max - 1)))
  }
}

extension ProcessUsage {
  init(_ status: ProcessStatus, _ units: ProcessUnits) {
    self.init()
    processID = UInt32(status.processID)
    parentProcessID = status.parentProcessID
    startHundredths = CPUTimes.hundredths(status.startTicks, units.ticksPerSecond)
    name = status.name
    state = status.state
    userHundredths = CPUTimes.hundredths(status.userTicks, units.ticksPerSecond)
    systemHundredths = CPUTimes.hundredths(status.systemTicks, units.ticksPerSecond)
    residentBytes = status.residentPages.multipliedSaturated(by: units.pageBytes)
    virtualBytes = status.virtualBytes
    threadCount = status.threadCount
    minorFaultCount = status.minorFaultCount
    majorFaultCount = status.majorFaultCount
    nice = status.nice
  }
}
