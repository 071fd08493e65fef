import CLinux
import Linux
import Records

/// Goes through all processes: /proc/PID/stat of each.
///
/// What it knows of the last scan stays in tables that are used again, so that none of them allocates
/// memory as long as there are not more processes than before.
struct ProcessScan: ~Copyable {
  private struct Known {
    let processID: Int32
    /// See ``ProcessFiles/readStatus(_:_:)``.
    var descriptor: Int32 = -1
    var startTicks: UInt64 = 0
    var ticks: UInt64 = 0
  }

  private let folder: Directory
  private var files: ProcessFiles
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

  /// Ranks the first `count` processes of each kind; with `keepsFiles` files stay open as in
  /// ``ProcessFiles``. Errors: those of open(2) on the folder.
  init(procfs: Text, count: Int, keepsFiles: Bool = false) throws(SystemError) {
    let folder = try Directory(procfs)
    let files = try ProcessFiles(procfs: procfs, staysOpen: keepsFiles)
    self.folder = folder
    self.files = files
    byCPU = ProcessRanking(count: count)
    byMemory = ProcessRanking(count: count)
    // More than a small machine has, so that there the tables never grow.
    processIDs.reserveCapacity(Self.usualCount)
    known.reserveCapacity(Self.usualCount)
    next.reserveCapacity(Self.usualCount)
  }

  deinit {
    for process in known where process.descriptor >= 0 { _ = close(process.descriptor) }
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
      while index < known.count && known[index].processID < processID {
        files.close(&known[index].descriptor)
        index += 1
      }
      if index < known.count && known[index].processID == processID {
        take(known[index])
        index += 1
      } else {
        take(Known(processID: processID))
      }
    }
    while index < known.count {
      files.close(&known[index].descriptor)
      index += 1
    }
    swap(&known, &next)
  }

  private mutating func list() throws(SystemError) {
    processIDs.removeAll(keepingCapacity: true)
    var ids = processIDs
    processIDs = []
    var (last, isInOrder) = (Int32(0), true)
    try folder.forEachEntry(&entries) { entries, name in
      guard let id = entries.span.number(name).flatMap({ Int32(exactly: $0) }) else { return }
      if id < last { isInOrder = false }
      last = id
      ids.append(id)
    }
    // procfs is; a copy in another file system need not be.
    if !isInOrder { ids.sortInPlace() }
    processIDs = ids
  }

  private mutating func take(_ before: Known) {
    var process = before
    let count = files.readStatus(process.processID, &process.descriptor)
    guard count > 0 else {
      files.close(&process.descriptor)
      counts.endedCount += 1
      return
    }
    do throws(ParseError) {
      let status = try ProcessStatus(parsing: files.text.span.extracting(first: count))
      counts.count(status.state)
      counts.threadCount = counts.threadCount.addingSaturated(status.threadCount)
      if status.isKernelThread { counts.kernelThreadCount += 1 }
      // A process id that is used again starts anew, and so does what was not there before.
      var ticks = status.ticks
      if process.startTicks == status.startTicks {
        ticks = ticks >= process.ticks ? ticks - process.ticks : 0
      }
      byCPU.offer(status, score: ticks, ticks: ticks)
      byMemory.offer(status, score: status.residentPages, ticks: ticks)
      process.startTicks = status.startTicks
      process.ticks = status.ticks
    } catch {
      self.error = error
    }
    next.append(process)
  }

  /// The resident memory of a process in pages, exactly: the sum that its stat has is that of each CPU
  /// at some time. nil if it has ended.
  mutating func residentPages(of processID: Int32) -> UInt64? {
    let count = files.read(processID, "/statm")
    guard count > 0 else { return nil }
    return ProcessStatus.residentPages(parsing: files.text.span.extracting(first: count))
  }

  /// What a process read from and wrote to storage; nil if we may not know.
  mutating func storage(of processID: Int32) -> ProcessStorage? {
    let count = files.read(processID, "/io")
    return count > 0 ? ProcessStorage(parsing: files.text.span.extracting(first: count)) : nil
  }

  /// See ``ProcessFiles/user(of:)``.
  mutating func user(of processID: Int32) -> UInt32? { files.user(of: processID) }
}

extension [Int32] {
  /// Shell's method: short, and without memory of its own.
  fileprivate mutating func sortInPlace() {
    var gap = count / 2
    while gap > 0 {
      for start in gap..<count {
        let value = self[start]
        var index = start
        while index >= gap && self[index - gap] > value {
          self[index] = self[index - gap]
          index -= gap
        }
        self[index] = value
      }
      gap /= 2
    }
  }
}

extension UInt32 {
  func addingSaturated(_ other: UInt32) -> UInt32 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
