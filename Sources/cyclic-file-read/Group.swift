import Daemon
import Linux
import Records

/// Readings that belong together and are taken at the same moment.
///
/// It opens its files once and reads them at each sample. What is not there, or cannot be read, is
/// said once in the log and leaves its records or fields out; the rest goes on.
protocol Group: ~Copyable {
  /// Errors: this machine has no source of the group; the group is absent then.
  init(procfs: String, sysfs: String) throws(SystemError)

  /// Reads and sends. Errors: those of sending, which end the program.
  mutating func sample(_ sender: inout RecordSender, _ log: Log) throws(SystemError)
}

/// When a group is read, and what there is to say of it.
struct Schedule: ~Copyable {
  private let name: GroupName
  /// nil if the group is switched off.
  let interval: Interval?
  private let timer: Timer

  init(_ name: GroupName, _ options: GroupOptions) throws(SystemError) {
    let timer = try Timer()
    self.name = name
    self.timer = timer
    interval = options.interval(of: name)
  }

  func sayAbsent(_ error: SystemError, _ log: Log) {
    log.information(joined("no group \(name.word) on this machine: \(error.description)"))
  }

  /// ` cpu 5s`
  var description: String {
    guard let interval else { return "" }
    return joined(" \(name.word) \(interval.description)")
  }

  /// From now on the loop tells when a sample is due, at once for the first time.
  func start(_ events: borrowing EventLoop<GroupName>) throws(SystemError) {
    guard let interval else { return }
    try timer.set(after: 1, every: interval.nanoseconds)
    try events.add(timer.descriptor.raw, name)
  }

  /// A sample is being taken: the timer waits for the next one.
  func begin(_ log: Log) {
    let expirations = timer.expirations()
    if expirations > 1 {
      log.detail(joined("\(name.word): no time for \(expirations - 1) samples"))
    }
  }
}

/// A group as it is on this machine: with its schedule, or absent.
struct ScheduledGroup<Reader: Group & ~Copyable>: ~Copyable {
  private let schedule: Schedule
  private var reader: Reader?

  /// Looks for the group's source, unless it is switched off.
  init(_ name: GroupName, _ options: GroupOptions, _ log: Log) throws(SystemError) {
    let schedule = try Schedule(name, options)
    reader = nil
    if schedule.interval != nil {
      do throws(SystemError) {
        reader = try Reader(procfs: options.procfs, sysfs: options.sysfs)
      } catch {
        schedule.sayAbsent(error, log)
      }
    }
    self.schedule = schedule
  }

  var isPresent: Bool {
    switch reader {
    case .some: true
    case .none: false
    }
  }

  var description: String { isPresent ? schedule.description : "" }

  func start(_ events: borrowing EventLoop<GroupName>) throws(SystemError) {
    if isPresent { try schedule.start(events) }
  }

  mutating func sample(_ sender: inout RecordSender, _ log: Log) throws(SystemError) {
    schedule.begin(log)
    try reader?.sample(&sender, log)
  }
}

extension RecordSender {
  /// Sends a record, and says what there is to say of the queue.
  mutating func send<Body: RecordBody>(_ body: Body, _ log: Log) throws(SystemError) {
    let outcome = try send(body)
    tell(Body.kind, outcome, log)
  }
}

@inline(never)
private func tell(_ kind: RecordKind, _ outcome: RecordSender.Outcome, _ log: Log) {
  if let warning = outcome.warning { log.warning(warning) }
  log.detail(joined("one record \(kind.name)"))
}
