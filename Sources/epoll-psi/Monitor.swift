import CLinux
import Daemon
import Linux
import Records

/// What a descriptor in the event loop stands for.
struct Source: RawRepresentable, Equatable {
  let rawValue: UInt32
  static let deadline = Source(rawValue: 0)
  static let sampling = Source(rawValue: 1)
  static let cgroups = Source(rawValue: 2)
  /// From here on a watch.
  static let firstWatch: UInt32 = 16
}

/// All that is watched, and the records of it.
struct Monitor: ~Copyable {
  var loop: ServiceLoop<Source>
  private let settings: Settings
  private let log: Log
  private let deadline: Timer
  private let sampling: Timer
  private var tree: CgroupTree?
  private let system: Place
  private var cgroups: [Place] = []
  private var watches: [Watch] = []
  private var samples: [SampledFile] = []
  private var nextID = Source.firstWatch
  private var rescanDue: UInt64?
  /// Inodes of cgroups that could not be watched: told once, tried again at each scan.
  private var unwatchable: [UInt64] = []
  /// What was told once and holds for all places.
  private var told = Told()

  private struct Told {
    var polling = false
    var inotify = false
    var shortened: [Trigger] = []
  }

  init(_ settings: Settings, _ log: Log) throws(SystemError) {
    let loop = try ServiceLoop<Source>()
    let deadline = try Timer()
    let sampling = try Timer()
    try loop.events.add(deadline.descriptor.raw, .deadline)
    try loop.events.add(sampling.descriptor.raw, .sampling)
    var tree: CgroupTree?
    if let root = settings.cgroupfs {
      let found = try CgroupTree(root: root, settings.cgroups, follows: true)
      switch found.changes {
      case .some(let changes): try loop.events.add(changes.raw, .cgroups)
      case .none: break
      }
      tree = consume found
    }
    self.loop = loop
    self.deadline = deadline
    self.sampling = sampling
    self.tree = tree
    self.settings = settings
    self.log = log
    system = Place(procfs: settings.procfs)
  }

  // MARK: What is watched

  /// Sets all triggers. nil if it may begin; otherwise why there is nothing to watch.
  mutating func begin(_ sender: inout RecordSender) throws(SystemError) -> String? {
    if let reason = missingPressure(settings.procfs) { return reason }
    let failures = add(system)
    for failure in failures { log.warning(failure) }
    if watches.isEmpty && samples.isEmpty { return failures.first ?? "nothing to watch" }
    if !settings.cgroups.isEmpty {
      if settings.cgroupfs == nil {
        log.warning("no cgroup v2 there: --cgroup needs it; boot with systemd.unified_cgroup_hierarchy")
      }
      try scan(&sender)
    }
    if settings.interval > 0 { try sampling.set(after: 1, every: settings.interval) }
    try setDeadline()
    return nil
  }

  /// For the service manager.
  var status: String {
    let running = watches.count { $0.episode.isRunning }
    return "\(watches.count) triggers on the system and \(cgroups.count) cgroups; "
      + (running == 0 ? "no pressure" : "pressure on \(running)")
  }

  /// Watches a place; returns what could not be watched there.
  private mutating func add(_ place: Place) -> [String] {
    var failures: [String] = []
    for trigger in settings.triggers {
      if place.isSystem && trigger.resource == .cpu && trigger.scope == .full {
        // psi.rst: undefined for the system, and always zero there.
        if settings.cgroups.isEmpty {
          failures.append("cpu:full says nothing about the whole system: it is for --cgroup")
        }
        continue
      }
      do throws(Watch.Failure) {
        let watch = try Watch(nextID, place, trigger)
        nextID += 1
        do throws(SystemError) {
          if !watch.isPolled {
            try loop.events.add(
              watch.file.descriptor.raw, Source(rawValue: watch.id), .priority)
          }
          watches.append(watch)
          tell(watch, asked: trigger)
        } catch {
          failures.append("\(place.file(trigger.resource).description): \(error.description)")
        }
      } catch {
        failures.append(
          "\(trigger.description) on \(place.file(trigger.resource).description): "
            + error.description)
      }
    }
    if settings.interval > 0 {
      for resource in PressureResource.allCases where resource != .unknown {
        do throws(SystemError) {
          samples.append(try SampledFile(place, resource))
        } catch {
          // Most kernels do not account interrupts.
          if !(resource == .irq && error.errno == ENOENT) { failures.append(error.description) }
        }
      }
    }
    return failures
  }

  /// Says once where the kernel did not do what was asked for.
  private mutating func tell(_ watch: Watch, asked: Trigger) {
    if watch.trigger != asked && !told.shortened.contains(asked) {
      told.shortened.append(asked)
      log.warning(
        "without CAP_SYS_RESOURCE windows are multiples of 2s: "
          + "\(asked.description) becomes \(watch.trigger.description)")
    }
    if case .refused(let error) = watch.polling, !told.polling {
      told.polling = true
      log.warning(
        "no trigger there, so it is read once per window: \(error.description); before Linux 6.5 "
          + "triggers take CAP_SYS_RESOURCE, and for a cgroup its file must be writable")
    }
    if case .copy = watch.polling {
      log.detail("\(watch.place.name) is a copy: it is read once per window")
    }
  }

  /// Follows the cgroups that came and went.
  private mutating func scan(_ sender: inout RecordSender) throws(SystemError) {
    rescanDue = nil
    guard let matches = tree?.scan() else { return }
    if let error = tree?.unwatched, !told.inotify {
      told.inotify = true
      log.warning("cgroups that come later may be missed: \(error.description)")
    }
    for place in cgroups where !matches.contains(where: { $0.inode == place.inode }) {
      try remove(place, &sender)
    }
    unwatchable.removeAll { inode in !matches.contains { $0.inode == inode } }
    for match in matches where !cgroups.contains(where: { $0.inode == match.inode }) {
      let place = Place(match)
      let count = watches.count + samples.count
      let failures = add(place)
      let wasTold = unwatchable.contains(match.inode)
      if !failures.isEmpty && !wasTold {
        unwatchable.append(match.inode)
        log.warning(failures[0] + (failures.count > 1 ? " (and \(failures.count - 1) more)" : ""))
      }
      guard watches.count + samples.count > count else { continue }
      cgroups.append(place)
      log.detail("watching \(place.name)")
    }
    loop.notifier.status(status)
  }

  /// Ends what is watched at a place that is gone.
  private mutating func remove(_ place: Place, _ sender: inout RecordSender) throws(SystemError) {
    for watch in watches where watch.place === place {
      if let stall = watch.end() { try send(stall, &sender) }
    }
    watches.removeAll { $0.place === place }
    samples.removeAll { $0.place === place }
    cgroups.removeAll { $0 === place }
    log.detail("\(place.name) is gone")
  }

  // MARK: What happens

  /// The event loop told that this source is ready.
  mutating func handle(
    _ source: Source, _ readiness: Readiness, _ sender: inout RecordSender
  ) throws(SystemError) {
    switch source {
    case .deadline:
      deadline.expirations()
      try checkDeadlines(&sender)
    case .sampling:
      sampling.expirations()
      try sample(&sender)
    case .cgroups:
      tree?.takeChanges()
      // Several at once are seen by one scan.
      if rescanDue == nil { rescanDue = monotonicNanoseconds() + 100_000_000 }
    default:
      // One that is gone may have been ready at the same time as the one that told of it.
      guard let watch = watches.first(where: { $0.id == source.rawValue }) else { return }
      try look(watch, fired: true, &sender)
      if readiness.contains(.error) && watches.contains(where: { $0 === watch }) {
        try lose(watch.place, &sender)
      }
    }
    try setDeadline()
  }

  private mutating func checkDeadlines(_ sender: inout RecordSender) throws(SystemError) {
    let now = monotonicNanoseconds()
    for watch in watches {
      guard let due = watch.episode.due, due <= now else { continue }
      try look(watch, fired: false, &sender)
    }
    if let rescanDue, rescanDue <= now { try scan(&sender) }
  }

  private mutating func look(
    _ watch: Watch, fired: Bool, _ sender: inout RecordSender
  ) throws(SystemError) {
    do throws(PressureFile.Failure) {
      let stall = try watch.look(fired: fired)
      watch.hasFailed = false
      guard let stall else { return }
      do throws(SystemError) { try send(stall, &sender) } catch { throw .system(error) }
      if stall.isEvent { loop.notifier.status(status) }
    } catch {
      switch error {
      case .gone: try lose(watch.place, &sender)
      case .system(let error): throw error
      case .malformed(let error):
        if !watch.hasFailed {
          log.warning("\(watch.place.file(watch.trigger.resource).description): \(error.description)")
        }
        watch.hasFailed = true
      }
    }
  }

  /// A place can no longer be read; the next scan will tell whether it is there again.
  private mutating func lose(_ place: Place, _ sender: inout RecordSender) throws(SystemError) {
    if place.isSystem { throw SystemError("read", errno: ENODEV, place.name) }
    try remove(place, &sender)
    rescanDue = monotonicNanoseconds() + 100_000_000
  }

  private mutating func sample(_ sender: inout RecordSender) throws(SystemError) {
    for file in samples {
      do throws(PressureFile.Failure) {
        let sample = try file.sample()
        file.hasFailed = false
        do throws(SystemError) { try send(sample, &sender) } catch { throw .system(error) }
      } catch {
        switch error {
        // inotify tells of it.
        case .gone: break
        case .system(let error): throw error
        case .malformed(let error):
          if !file.hasFailed {
            log.warning("\(file.place.file(file.resource).description): \(error.description)")
          }
          file.hasFailed = true
        }
      }
    }
  }

  private func send<Body: RecordBody>(
    _ body: Body, _ sender: inout RecordSender
  ) throws(SystemError) {
    let outcome = try sender.send(body)
    if let warning = outcome.warning { log.warning(warning) }
    log.detail("one record of \(Body.kind.name) sent")
  }

  /// Sets the timer to what is due first.
  private func setDeadline() throws(SystemError) {
    var first = rescanDue
    for watch in watches {
      guard let due = watch.episode.due else { continue }
      if first.map({ due < $0 }) ?? true { first = due }
    }
    guard let first else { return try deadline.set(after: 0) }
    let now = monotonicNanoseconds()
    try deadline.set(after: first > now ? first - now : 1)
  }
}
