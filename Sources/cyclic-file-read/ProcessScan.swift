import CLinux
import Linux
import Records

/// Goes through all processes: /proc/PID/stat of each.
///
/// What it knows of the last scan stays in tables that are used again, so that none of them allocates
/// memory as long as there are not more processes than before. A file is opened at each scan: to keep
/// it open would save 4 of 8 microseconds for each process, and hold a page and more of the kernel's
/// memory for each.
struct ProcessScan: ~Copyable {
  private struct Known {
    let processID: Int32
    let startTicks: UInt64
    let ticks: UInt64
  }

  let folder: Directory
  private(set) var counts = ProcessCounts()
  private(set) var byCPU: ProcessRanking
  private(set) var byMemory: ProcessRanking
  /// Nanoseconds since the scan before, or nil after the first one.
  private(set) var elapsed: UInt64?
  /// What was wrong with a process that was left out.
  private(set) var error: ParseError?

  private var scannedAt: UInt64?
  private var processIDs: [Int32] = []
  /// In ascending order, as the kernel lists them.
  private var known: [Known] = []
  private var next: [Known] = []
  private var entries = [UInt8](repeating: 0, count: 32_768)
  private var text = [UInt8](repeating: 0, count: 2048)
  private var name: [UInt8] = []

  /// Ranks the first `count` processes of each kind. Errors: those of open(2) on the folder.
  init(procfs: Text, count: Int) throws(SystemError) {
    let folder = try Directory(procfs)
    self.folder = folder
    byCPU = ProcessRanking(count: count)
    byMemory = ProcessRanking(count: count)
    name.reserveCapacity(32)
    // More than a small machine has, so that there the tables never grow.
    processIDs.reserveCapacity(Self.usualCount)
    known.reserveCapacity(Self.usualCount)
    next.reserveCapacity(Self.usualCount)
  }

  private static var usualCount: Int { 256 }

  /// Errors: those of getdents64(2).
  mutating func run() throws(SystemError) {
    let now = monotonicNanoseconds()
    elapsed = scannedAt.map { now - $0 }
    scannedAt = now
    counts = ProcessCounts()
    byCPU.removeAll()
    byMemory.removeAll()
    error = nil
    try list()
    next.removeAll(keepingCapacity: true)
    var index = 0
    for processID in processIDs {
      while index < known.count && known[index].processID < processID { index += 1 }
      let before = index < known.count && known[index].processID == processID ? known[index] : nil
      take(processID, before)
    }
    swap(&known, &next)
  }

  private mutating func list() throws(SystemError) {
    processIDs.removeAll(keepingCapacity: true)
    var ids = processIDs
    processIDs = []
    try folder.forEachEntry(&entries) { entries, name in
      guard let id = entries.span.number(name).flatMap({ Int32(exactly: $0) }) else { return }
      // procfs is in order, so that it belongs at the end; a copy in another file system need not be.
      var index = ids.count
      while index > 0 && ids[index - 1] > id { index -= 1 }
      ids.insert(id, at: index)
    }
    processIDs = ids
  }

  private mutating func take(_ processID: Int32, _ before: Known?) {
    let count = read(processID, "/stat")
    guard count > 0 else {
      counts.endedCount += 1
      return
    }
    do throws(ParseError) {
      let status = try ProcessStatus(parsing: text.span.extracting(first: count))
      counts.count(status.state)
      counts.threadCount = counts.threadCount.addingSaturated(status.threadCount)
      if status.isKernelThread { counts.kernelThreadCount += 1 }
      // A process id that is used again starts anew, and so does what was not there before.
      var ticks = status.ticks
      if let before, before.startTicks == status.startTicks {
        ticks = ticks >= before.ticks ? ticks - before.ticks : 0
      }
      byCPU.offer(status, score: ticks, ticks: ticks)
      byMemory.offer(status, score: status.residentPages, ticks: ticks)
      next.append(
        Known(processID: processID, startTicks: status.startTicks, ticks: status.ticks))
    } catch {
      self.error = error
    }
  }

  /// Reads a file of a process into `text`; 0 or less: it has ended, or is not for us.
  private mutating func read(_ processID: Int32, _ file: StaticString) -> Int {
    setName(processID, file)
    let descriptor = name.withUnsafeBytes {
      clinux_openat(folder.descriptor.raw, $0.baseAddress, O_RDONLY | O_CLOEXEC)
    }
    guard descriptor >= 0 else { return -1 }
    let count = CLinux.read(descriptor, &text, text.count)
    _ = close(descriptor)
    return count
  }

  /// The resident memory of a process in pages, exactly: the sum that its stat has is that of each CPU
  /// at some time. nil if it has ended.
  mutating func residentPages(of processID: Int32) -> UInt64? {
    let count = read(processID, "/statm")
    guard count > 0 else { return nil }
    return ProcessStatus.residentPages(parsing: text.span.extracting(first: count))
  }

  /// What a process read from and wrote to storage; nil if we may not know.
  mutating func storage(of processID: Int32) -> ProcessStorage? {
    let count = read(processID, "/io")
    return count > 0 ? ProcessStorage(parsing: text.span.extracting(first: count)) : nil
  }

  /// The effective user of a process, to whom the kernel gives its folder; nil if it has ended.
  mutating func user(of processID: Int32) -> UInt32? {
    setName(processID, "")
    var status = stat()
    let result = name.withUnsafeBytes {
      clinux_fstatat(folder.descriptor.raw, $0.baseAddress, &status)
    }
    return result == 0 ? status.st_uid : nil
  }

  /// `4821/stat` and a NUL.
  private mutating func setName(_ processID: Int32, _ file: StaticString) {
    name.removeAll(keepingCapacity: true)
    var divisor: Int32 = 1
    while processID / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      name.append(UInt8(ascii: "0") + UInt8(processID / divisor % 10))
      divisor /= 10
    }
    file.withUTF8Buffer { name.append(contentsOf: $0) }
    name.append(0)
  }
}

extension UInt32 {
  func addingSaturated(_ other: UInt32) -> UInt32 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
