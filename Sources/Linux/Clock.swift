import CLinux

/// Nanoseconds since the machine started, time asleep included: CLOCK_BOOTTIME, clock_gettime(2).
public func bootTimeNanoseconds() -> UInt64 {
  nanoseconds(CLOCK_BOOTTIME)
}

/// Nanoseconds that only grow, for measuring: CLOCK_MONOTONIC, clock_gettime(2).
public func monotonicNanoseconds() -> UInt64 {
  nanoseconds(CLOCK_MONOTONIC)
}

/// Nanoseconds since 1970 as the machine's clock has it: CLOCK_REALTIME, clock_gettime(2).
public func realTimeNanoseconds() -> Int64 {
  Int64(nanoseconds(CLOCK_REALTIME))
}

/// Whether NTP or another source keeps the clock right: adjtimex(2) without STA_UNSYNC.
public func clockIsSynchronized() -> Bool {
  var state = timex()
  return adjtimex(&state) >= 0 && state.status & STA_UNSYNC == 0
}

private func nanoseconds(_ clock: Int32) -> UInt64 {
  var time = timespec()
  _ = clock_gettime(clock, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
