import CLinux

/// Waits on descriptors with epoll(7), and on SIGTERM and SIGINT with signalfd(2).
///
/// `Source` names what a descriptor stands for; the caller asks for the next event and acts on it.
/// Level-triggered: what was not taken is told again.
public struct EventLoop<Source: RawRepresentable>: ~Copyable where Source.RawValue == UInt32 {
  public enum Event {
    case ready(Source, Readiness)
    /// Nothing came in the time given.
    case timeout
    /// SIGTERM or SIGINT: it is time to end.
    case terminated
  }

  private let epoll: FileDescriptor
  private let signals: FileDescriptor
  private var events = [epoll_event](repeating: epoll_event(), count: 16)
  private var pending = 0..<0

  /// Blocks SIGTERM and SIGINT, which from now on come as an event; ignores SIGPIPE.
  public init() throws(SystemError) {
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGTERM)
    sigaddset(&set, SIGINT)
    _ = try check(sigprocmask(SIG_BLOCK, &set, nil), "sigprocmask")
    clinux_ignore_signal(SIGPIPE)
    let epoll = FileDescriptor(
      owning: try check(epoll_create1(Int32(EPOLL_CLOEXEC)), "epoll_create1"))
    let signals = FileDescriptor(
      owning: try check(signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK)), "signalfd"))
    _ = try check(
      clinux_epoll_ctl(
        epoll.raw, EPOLL_CTL_ADD, signals.raw, EPOLLIN.rawValue, Self.signalToken), "epoll_ctl")
    self.epoll = epoll
    self.signals = signals
  }

  /// Tells from now on when the descriptor is ready; closing the descriptor ends it.
  public borrowing func add(
    _ descriptor: Int32, _ source: Source, _ readiness: Readiness = .reading
  ) throws(SystemError) {
    try control(EPOLL_CTL_ADD, descriptor, source, readiness)
  }

  /// Waits for something else from now on; `[]` leaves errors alone.
  public borrowing func change(
    _ descriptor: Int32, _ source: Source, _ readiness: Readiness
  ) throws(SystemError) {
    try control(EPOLL_CTL_MOD, descriptor, source, readiness)
  }

  private borrowing func control(
    _ operation: Int32, _ descriptor: Int32, _ source: Source, _ readiness: Readiness
  ) throws(SystemError) {
    _ = try check(
      clinux_epoll_ctl(
        epoll.raw, operation, descriptor, readiness.rawValue, UInt64(source.rawValue)),
      "epoll_ctl")
  }

  /// The next event; waits for `milliseconds` at most, or without end if that is -1.
  public mutating func next(milliseconds: Int32 = -1) throws(SystemError) -> Event {
    while true {
      while let index = pending.first {
        pending.removeFirst()
        let token = clinux_epoll_event_data(&events[index])
        if token == Self.signalToken {
          // Told once: who finishes what it does may go on waiting.
          var signal = signalfd_siginfo()
          _ = read(signals.raw, &signal, MemoryLayout<signalfd_siginfo>.size)
          return .terminated
        }
        if let source = Source(rawValue: UInt32(truncatingIfNeeded: token)) {
          return .ready(source, Readiness(rawValue: clinux_epoll_event_events(&events[index])))
        }
      }
      let count = epoll_wait(epoll.raw, &events, Int32(events.count), milliseconds)
      if count == 0 { return .timeout }
      if count < 0 && clinux_errno() == EINTR { continue }
      pending = 0..<Int(try check(count, "epoll_wait"))
    }
  }

  private static var signalToken: UInt64 { UInt64.max }
}

/// What a descriptor is ready for.
public struct Readiness: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let reading = Readiness(rawValue: EPOLLIN.rawValue)
  public static let writing = Readiness(rawValue: EPOLLOUT.rawValue)
  /// Something exceptional, such as pressure on a trigger of /proc/pressure.
  public static let priority = Readiness(rawValue: EPOLLPRI.rawValue)
  /// The other side has closed its end: told without what it has sent before.
  public static let hangUp = Readiness(rawValue: EPOLLRDHUP.rawValue)
  /// Always told, asked for or not.
  public static let error = Readiness(rawValue: EPOLLERR.rawValue)
}
