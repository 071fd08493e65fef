import Foundation

/// Whether somebody keeps the clock: records carry it as `clock_synced`.
enum ClockCheck {
  static var finding: Finding { finding(state: state) }

  /// TIME_ERROR of adjtimex(2): nobody has set the clock, or not for long.
  static func finding(state: Int32?) -> Finding {
    switch state {
    case nil: Finding("clock", .warning, "adjtimex(2) does not tell whether it is synchronized")
    case 5:
      Finding(
        "clock", .warning, "nobody synchronizes it, so times may be wrong",
        mend: "apt install systemd-timesyncd && timedatectl set-ntp true")
    default: Finding("clock", .ok, "it is synchronized")
    }
  }

  /// What adjtimex(2) returns with a struct timex that asks for no change; nil after an error.
  private static var state: Int32? {
    // The C library's module for Swift has no sys/timex.h.
    typealias Function = @convention(c) (UnsafeMutableRawPointer) -> Int32
    guard let symbol = dlsym(nil, "adjtimex") else { return nil }
    var timex = [UInt64](repeating: 0, count: 64)
    let result = timex.withUnsafeMutableBytes {
      unsafeBitCast(symbol, to: Function.self)($0.baseAddress!)
    }
    return result < 0 ? nil : result
  }
}
