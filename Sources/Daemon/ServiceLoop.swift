import Linux

/// What a daemon runs in: waits for its sources, feeds the watchdog, ends at SIGTERM or SIGINT.
public struct ServiceLoop<Source: RawRepresentable>: ~Copyable where Source.RawValue == UInt32 {
  public var events: EventLoop<Source>
  public let notifier: ServiceNotifier
  private var watchdogDue: UInt64 = 0

  public init() throws(SystemError) {
    let events = try EventLoop<Source>()
    let notifier = try ServiceNotifier()
    self.events = events
    self.notifier = notifier
  }

  /// The next source that is ready and what for; nil when it is time to end.
  @inline(never)
  public mutating func next() throws(SystemError) -> (source: Source, readiness: Readiness)? {
    while true {
      switch try events.next(milliseconds: feedWatchdog()) {
      case .ready(let source, let readiness): return (source, readiness)
      case .timeout: continue
      case .terminated:
        notifier.stopping()
        return nil
      }
    }
  }

  /// Feeds the watchdog if it is due; returns for how long it is not.
  private mutating func feedWatchdog() -> Int32 {
    guard let period = notifier.watchdogNanoseconds else { return -1 }
    let now = monotonicNanoseconds()
    if now >= watchdogDue {
      notifier.watchdog()
      watchdogDue = now + period
    }
    return Int32(clamping: (watchdogDue - now) / 1_000_000 + 1)
  }
}
