import Dispatch

/// Time that no setting of the clock changes.
enum MonotonicClock {
  static var seconds: Double { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 }
}
