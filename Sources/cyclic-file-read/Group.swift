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

  /// The same, for a group that has options of its own.
  init(_ options: GroupOptions) throws(SystemError)

  /// Reads and sends. Errors: those of sending, which end the program.
  mutating func sample(_ sender: inout RecordSender, _ log: Log) throws(SystemError)
}

extension Group where Self: ~Copyable {
  init(_ options: GroupOptions) throws(SystemError) {
    try self.init(procfs: options.procfs, sysfs: options.sysfs)
  }
}

/// A group as it is on this machine: with the timer that says when to read it, or absent.
struct ScheduledGroup<Reader: Group & ~Copyable>: ~Copyable {
  private let name: GroupName
  private let interval: Interval?
  private let timer: Timer
  private var reader: Reader?

  /// Looks for the group's source, unless it is switched off.
  init(_ name: GroupName, _ options: GroupOptions, _ log: Log) throws(SystemError) {
    let interval = options.interval(of: name)
    let timer = try Timer()
    self.name = name
    self.timer = timer
    self.interval = interval
    reader = nil
    guard interval != nil else { return }
    do throws(SystemError) {
      reader = try Reader(options)
    } catch {
      log.information("no group \(name.word) on this machine: \(error.description)")
    }
  }

  var isPresent: Bool {
    switch reader {
    case .some: true
    case .none: false
    }
  }

  /// ` cpu 5s`, if it is present.
  var description: String {
    guard isPresent, let interval else { return "" }
    return " \(name.word) \(interval.description)"
  }

  /// From now on the loop tells when a sample is due, at once for the first time.
  func start(_ events: borrowing EventLoop<GroupName>) throws(SystemError) {
    guard isPresent, let interval else { return }
    try timer.set(after: 1, every: interval.nanoseconds)
    try events.add(timer.descriptor.raw, name)
  }

  mutating func sample(_ sender: inout RecordSender, _ log: Log) throws(SystemError) {
    let expirations = timer.expirations()
    if expirations > 1 {
      log.detail("\(name.word): \(expirations - 1) samples left out, the time had passed")
    }
    try reader?.sample(&sender, log)
  }
}

extension RecordSender {
  /// Sends a record, and says what there is to say of the queue.
  mutating func send<Body: RecordBody>(_ body: Body, _ log: Log) throws(SystemError) {
    let outcome = try send(body)
    if let warning = outcome.warning { log.warning(warning) }
    log.detail("one record of kind \(Body.kind.name)")
  }
}
