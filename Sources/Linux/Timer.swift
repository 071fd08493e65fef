import CLinux

/// A timerfd(2) on CLOCK_MONOTONIC: the kernel keeps the rhythm, so a periodic timer never drifts.
public struct Timer: ~Copyable, Sendable {
  public let descriptor: FileDescriptor

  /// A timer that does not run yet.
  public init() throws(SystemError) {
    descriptor = FileDescriptor(
      owning: try check(
        timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC | TFD_NONBLOCK)), "timerfd_create"))
  }

  /// A timer that fires at once and then every `interval` nanoseconds.
  public static func every(_ interval: UInt64) throws(SystemError) -> Timer {
    let timer = try Timer()
    try timer.set(after: 1, every: interval)
    return timer
  }

  /// Fires `delay` nanoseconds from now, and again every `interval` if that is not 0; a delay of 0
  /// stops it.
  public borrowing func set(after delay: UInt64, every interval: UInt64 = 0) throws(SystemError) {
    var times = itimerspec(
      it_interval: Self.timespec(interval), it_value: Self.timespec(delay))
    _ = try check(timerfd_settime(descriptor.raw, 0, &times, nil), "timerfd_settime")
  }

  /// How often it has fired since this was last asked; makes the descriptor quiet again.
  @discardableResult
  public borrowing func expirations() -> UInt64 {
    var count: UInt64 = 0
    return read(descriptor.raw, &count, 8) == 8 ? count : 0
  }

  private static func timespec(_ nanoseconds: UInt64) -> CLinux.timespec {
    CLinux.timespec(
      tv_sec: numericCast(nanoseconds / 1_000_000_000),
      tv_nsec: numericCast(nanoseconds % 1_000_000_000))
  }
}
