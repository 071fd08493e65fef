import Daemon
import Linux
import Records

/// Readings that belong together and are taken at the same moment.
///
/// It opens its files once and reads them at each sample. What is not there, or cannot be read, is
/// said once in the log and leaves its records or fields out; the rest goes on.
protocol Group: ~Copyable {
  /// Errors: this machine has no source of the group; the group is absent then.
  init(procfs: Text, sysfs: Text) throws(SystemError)

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

/// Reads a group once, whichever it is.
typealias Reading = (inout RecordSender, Log) throws(SystemError) -> Void

extension Group where Self: ~Copyable {
  /// Opens the group; what is returned owns it.
  static func open(_ options: GroupOptions) throws(SystemError) -> Reading {
    let owner = Owner(try Self(options))
    return { (sender, log) throws(SystemError) in try owner.group.sample(&sender, log) }
  }
}

private final class Owner<Member: Group & ~Copyable> {
  var group: Member

  init(_ group: consuming Member) {
    self.group = group
  }
}

/// A group that this machine has, and when it is read.
final class ScheduledGroup {
  let name: GroupName
  private let interval: Interval
  private let timer: Timer
  private let read: Reading

  init(_ name: GroupName, _ interval: Interval, _ read: @escaping Reading) throws(SystemError) {
    timer = try Timer()
    self.name = name
    self.interval = interval
    self.read = read
  }

  /// ` cpu 5s`
  var description: Text { " \(name.word) \(interval.description)" }

  /// From now on the loop tells when a sample is due, at once for the first time.
  func start(_ events: borrowing EventLoop<GroupName>) throws(SystemError) {
    try timer.set(after: 1, every: interval.nanoseconds)
    try events.add(timer.descriptor.raw, name)
  }

  func sample(_ sender: inout RecordSender, _ log: Log) throws(SystemError) {
    // A sample is being taken: the timer waits for the next one.
    let expirations = timer.expirations()
    if expirations > 1 {
      log.detail("\(name.word): no time for \(expirations - 1) samples")
    }
    try read(&sender, log)
  }
}

extension RecordSender {
  /// Sends a record, and says what there is to say of the queue.
  mutating func send<Body: RecordBody>(_ body: Body, _ log: Log) throws(SystemError) {
    let outcome = try send(body)
    tell(Body.kind.constantName, outcome, log)
  }
}

@inline(never)
private func tell(_ kind: StaticString, _ outcome: RecordSender.Outcome, _ log: Log) {
  if let warning = outcome.warning { log.warning(warning) }
  log.detail("one record \(kind)")
}
