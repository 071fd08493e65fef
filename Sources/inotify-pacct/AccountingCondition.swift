import CLinux
import Linux
import Records

/// Whether the kernel writes records, as far as that can be found out from outside.
///
/// No system call tells it. That records come proves that it does. Where none come: if the file
/// system is as full as the kernel's limit, it has suspended accounting, or will at the next process
/// that ends; else a child of ours is ended to see whether that leaves a record.
struct AccountingCondition {
  private enum State { case on, off, suspended }

  private var state = State.on
  private let probes: Bool
  private let procfs: Text
  private var lastFile: UInt64 = 0
  private var lastSize: UInt64 = 0
  private var lastGrowth = monotonicNanoseconds()

  /// Without records for so long it is time to look whether accounting is on.
  private static let quietNanoseconds: UInt64 = 300_000_000_000

  init(_ options: PacctOptions) {
    probes = !options.assumesOn
    procfs = options.procfs
  }

  var text: StaticString {
    switch state {
    case .on: "reading "
    case .off: "accounting is off: "
    case .suspended: "accounting is suspended, the disk is full: "
    }
  }

  /// Records came: whatever was wrong is over.
  mutating func recordsCame(_ source: AccountingSource) {
    lastGrowth = monotonicNanoseconds()
    guard state != .on else { return }
    source.news.append(state == .off ? .on : .resumed)
    state = .on
  }

  /// Looks at the file that the kernel writes; returns the child that was ended for it, if any.
  mutating func look(_ source: AccountingSource) throws(SystemError) -> UInt32? {
    guard let file = source.backlog.last else { return nil }
    let size = try file.size()
    let grew = size != lastSize || file.inode != lastFile
    lastSize = size
    lastFile = file.inode
    let now = monotonicNanoseconds()
    if grew { lastGrowth = now }
    guard !grew, state == .on else { return nil }
    if let space = space(of: source), thresholds().suspends(space) {
      state = .suspended
      source.news.append(.suspended)
      return nil
    }
    guard probes, now - lastGrowth >= Self.quietNanoseconds else { return nil }
    lastGrowth = now
    let probe = try Probe(file)
    if !probe.leftRecord {
      state = .off
      source.news.append(.off)
    }
    return probe.process
  }

  func space(of source: AccountingSource) -> FreeSpace? {
    guard let file = source.backlog.last else { return nil }
    return try? FreeSpace(of: file.descriptor)
  }

  func thresholds() -> SpaceThresholds {
    guard let bytes = try? readFile("\(procfs)/sys/kernel/acct", limit: 256) else {
      return SpaceThresholds()
    }
    return SpaceThresholds(parsing: bytes.span) ?? SpaceThresholds()
  }
}

/// A child that ended at once, to see what that leaves in an accounting file.
struct Probe {
  let process: UInt32
  /// The file has grown: the kernel records the end of a process before its parent hears of it.
  let leftRecord: Bool

  /// Errors: those of fork(2) and fstat(2).
  init(_ file: AccountingFile) throws(SystemError) {
    let before = try file.size()
    let child = clinux_fork_and_exit()
    guard child > 0 else { throw SystemError("fork") }
    while waitpid(child, nil, 0) < 0 && clinux_errno() == EINTR {}
    process = UInt32(child)
    leftRecord = try file.size() > before
  }
}
