import CLinux
import Daemon
import Linux
import Records

/// What a descriptor in the event loop stands for.
struct Source: RawRepresentable, Equatable {
  let rawValue: UInt32
  static var deadline: Source { Source(rawValue: 0) }
  static var sampling: Source { Source(rawValue: 1) }
  static var cgroups: Source { Source(rawValue: 2) }
  /// From here on a watch.
  static var firstWatch: UInt32 { 16 }
}

/// All that is watched, and the records of it.
struct Monitor: ~Copyable {
  private let settings: Settings
  private let log: Log
  private let deadline: Timer
  private let sampling: Timer
  private var tree: CgroupTree
  private var cgroups: [Place] = []
  private var watches: [Watch] = []
  private var samples: [SampledFile] = []
  private var nextID = Source.firstWatch
  private var rescanDue: UInt64?
  /// Inodes of cgroups that could not be watched: told once, tried again at each scan.
  private var unwatchable: [UInt64] = []
  private var told = Told()

  /// What was told once and holds for all places.
  private struct Told {
    var polling = false
    var inotify = false
    var shortened: [Trigger] = []
  }

  init(_ settings: Settings, _ log: Log) throws(SystemError) {
    let deadline = try Timer()
    let sampling = try Timer()
    let root = settings.cgroupfs
    let tree = try CgroupTree(
      root: root ?? Text(""), root == nil ? [] : settings.cgroups, follows: true)
    self.deadline = deadline
    self.sampling = sampling
    self.tree = tree
    self.settings = settings
    self.log = log
  }

  // MARK: What is watched

  /// Sets all triggers. nil if there is something to watch; otherwise why there is not.
  mutating func begin(
    _ loop: borrowing ServiceLoop<Source>, _ sender: inout RecordSender
  ) throws(SystemError) -> Text? {
    if let reason = missingPressure(settings.procfs) { return reason }
    let failures = add(Place(procfs: settings.procfs), loop)
    if watches.isEmpty && samples.isEmpty { return failures.first ?? "there is nothing to watch" }
    for failure in failures { log.warning(failure) }
    try loop.events.add(deadline.descriptor.raw, .deadline)
    try loop.events.add(sampling.descriptor.raw, .sampling)
    if !settings.cgroups.isEmpty {
      if settings.cgroupfs == nil { log.warning("--cgroup takes cgroup v2, which is not mounted") }
      if let changes = tree.descriptor { try loop.events.add(changes, .cgroups) }
      try scan(loop, &sender)
    }
    if settings.interval > 0 { try sampling.set(after: 1, every: settings.interval) }
    try setDeadline()
    return nil
  }

  /// For the service manager.
  var status: Text {
    var running: UInt64 = 0
    for watch in watches where watch.episode.isRunning { running += 1 }
    return "triggers: \(watches.count), cgroups: \(cgroups.count), under pressure: \(running)"
  }

  /// Watches a place; returns what could not be watched there.
  @inline(never)
  private mutating func add(
    _ place: Place, _ loop: borrowing ServiceLoop<Source>
  ) -> [Text] {
    var failures: [Text] = []
    for trigger in settings.triggers {
      if place.isSystem && trigger.resource == .cpu && trigger.scope == .full {
        // psi.rst: undefined for the system, and always zero there.
        if settings.cgroups.isEmpty {
          failures.append("cpu:full says nothing about the whole system: it is for --cgroup")
        }
        continue
      }
      do throws(Watch.Failure) {
        try add(Watch.set(trigger, at: place, id: nextID), asked: trigger, loop)
      } catch {
        let path = place.file(trigger.resource)
        failures.append("\(trigger.description) on \(path): \(error.description)")
      }
    }
    guard settings.interval > 0 else { return failures }
    for resource in PressureResource.known {
      do throws(SystemError) {
        samples.append(try SampledFile.open(place, resource))
      } catch {
        // Most kernels do not account interrupts.
        if !(resource == .irq && error.errno == ENOENT) { failures.append(error.description) }
      }
    }
    return failures
  }

  @inline(never)
  private mutating func add(

    _ watch: Watch, asked: Trigger, _ loop: borrowing ServiceLoop<Source>
  ) throws(Watch.Failure) {
    nextID += 1
    switch watch.polling {
    case .no:
      do throws(SystemError) {
        try loop.events.add(watch.file.descriptor.raw, Source(rawValue: watch.id), .priority)
      } catch {
        throw .system(error)
      }
    case .refused(let error):
      if !told.polling {
        log.warning(
          """
          no trigger there, so it is read once per window: \(error.description); \
          before Linux 6.5 triggers take CAP_SYS_RESOURCE, those of a cgroup the right to write
          """)
      }
      told.polling = true
    case .copy:
      log.detail("\(watch.place.name) is a copy: it is read once per window")
    }
    if watch.trigger != asked && !told.shortened.contains(asked) {
      told.shortened.append(asked)
      log.warning(
        """
        without CAP_SYS_RESOURCE windows are multiples of 2s: \(asked.description) becomes \
        \(watch.trigger.description)
        """)
    }
    watches.append(watch)
  }

  /// Follows the cgroups that came and went.
  @inline(never)
  private mutating func scan(
    _ loop: borrowing ServiceLoop<Source>, _ sender: inout RecordSender
  ) throws(SystemError) {
    rescanDue = nil
    let found = tree.scan()
    if let error = tree.unwatched, !told.inotify {
      told.inotify = true
      log.warning("cgroups that come later may be missed: \(error.description)")
    }
    for place in cgroups where found.first(inode: place.inode) == nil {
      try remove(place, &sender)
    }
    var failed: [UInt64] = []
    for place in found where cgroups.first(inode: place.inode) == nil {
      let before = watches.count + samples.count
      let failures = add(place, loop)
      if let first = failures.first {
        failed.append(place.inode)
        if !unwatchable.contains(place.inode) { log.warning(first) }
      }
      guard watches.count + samples.count > before else { continue }
      cgroups.append(place)
      log.detail("watching \(place.name)")
    }
    unwatchable = failed
    loop.notifier.status(status)
  }

  /// Ends what is watched at a place that is gone.
  @inline(never)
  private mutating func remove(_ place: Place, _ sender: inout RecordSender) throws(SystemError) {
    var (index, kept) = (0, 0)
    while index < watches.count {
      let watch = watches[index]
      if watch.place !== place {
        watches[kept] = watch
        kept += 1
      } else if let stall = watch.end() {
        try send(stall, &sender)
      }
      index += 1
    }
    watches.removeLast(index - kept)
    samples.removeAll { $0.place === place }
    if let index = cgroups.first(inode: place.inode) { cgroups.remove(at: index) }
    log.detail("\(place.name) is gone")
  }

  // MARK: What happens

  /// The event loop told that this source is ready.
  mutating func handle(
    _ source: Source, _ readiness: Readiness, _ loop: borrowing ServiceLoop<Source>,
    _ sender: inout RecordSender
  ) throws(SystemError) {
    switch source {
    case .deadline:
      deadline.expirations()
      try checkDeadlines(loop, &sender)
    case .sampling:
      sampling.expirations()
      try sample(&sender)
    case .cgroups:
      try tree.takeChanges()
      // Several at once are seen by one scan.
      if rescanDue == nil { rescanDue = monotonicNanoseconds() + 100_000_000 }
    default:
      // One that is gone may have been ready at the same time as the one that told of it.
      for watch in watches where watch.id == source.rawValue {
        if readiness.contains(.error) {
          try lose(watch.place, &sender)
        } else {
          try look(watch, fired: true, loop, &sender)
        }
      }
    }
    try setDeadline()
  }

  @inline(never)
  private mutating func checkDeadlines(
    _ loop: borrowing ServiceLoop<Source>, _ sender: inout RecordSender
  ) throws(SystemError) {
    let now = monotonicNanoseconds()
    for watch in watches {
      guard let due = watch.episode.due, due <= now else { continue }
      try look(watch, fired: false, loop, &sender)
    }
    if let rescanDue, rescanDue <= now { try scan(loop, &sender) }
  }

  @inline(never)
  private mutating func look(
    _ watch: Watch, fired: Bool, _ loop: borrowing ServiceLoop<Source>,
    _ sender: inout RecordSender
  ) throws(SystemError) {
    var found: PressureStall?
    do throws(PressureFile.Failure) {
      found = try watch.look(fired: fired)
      watch.hasFailed = false
    } catch {
      switch error {
      case .gone: try lose(watch.place, &sender)
      case .system(let error): throw error
      case .malformed(let error):
        complain(watch.place.file(watch.trigger.resource), error, again: watch.hasFailed)
        watch.hasFailed = true
      }
    }
    guard let stall = found else { return }
    try send(stall, &sender)
    if stall.isEvent { loop.notifier.status(status) }
  }

  /// A place can no longer be read; the next scan will tell whether it is there again.
  @inline(never)
  private mutating func lose(_ place: Place, _ sender: inout RecordSender) throws(SystemError) {
    if place.isSystem { throw SystemError("read", errno: ENODEV, place.name) }
    try remove(place, &sender)
    rescanDue = monotonicNanoseconds() + 100_000_000
  }

  @inline(never)
  private mutating func sample(_ sender: inout RecordSender) throws(SystemError) {
    for file in samples {
      var sample: PressureSample?
      do throws(PressureFile.Failure) {
        sample = try file.sample()
        file.hasFailed = false
      } catch {
        switch error {
        // inotify tells of it.
        case .gone: break
        case .system(let error): throw error
        case .malformed(let error):
          complain(file.place.file(file.resource), error, again: file.hasFailed)
          file.hasFailed = true
        }
      }
      if let sample { tell(try sender.send(sample)) }
    }
  }

  @inline(never)
  private func send(
    _ stall: PressureStall, _ sender: inout RecordSender
  ) throws(SystemError) {
    tell(try sender.send(stall))
  }

  @inline(never)
  private func tell(_ outcome: RecordSender.Outcome) {
    if let warning = outcome.warning { log.warning(warning) }
    log.detail("one record sent")
  }

  @inline(never)
  private func complain(_ path: Text, _ error: PressureFormatError, again: Bool) {
    if !again { log.warning("\(path): \(error.description)") }
  }

  /// Sets the timer to what is due first.
  @inline(never)
  private func setDeadline() throws(SystemError) {
    var first = rescanDue ?? UInt64.max
    for watch in watches { first = min(first, watch.episode.due ?? UInt64.max) }
    guard first < UInt64.max else { return try deadline.set(after: 0) }
    let now = monotonicNanoseconds()
    try deadline.set(after: first > now ? first - now : 1)
  }
}
