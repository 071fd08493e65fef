import ArgumentParser
import Foundation

/// A point in time on the command line: `2026-11-25T21:45:00Z` or with `+01:00`; `2026-11-25T21:45`
/// and `2026-11-25`, where this is run; or Unix time in seconds.
struct PointInTime: ExpressibleByArgument, Equatable, Sendable {
  let nanoseconds: Int64

  init?(argument: String) {
    if let nanoseconds = JSONValue.number(argument).nanoseconds {
      self.nanoseconds = nanoseconds
      return
    }
    let form =
      #/(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d))?(?:(Z)|([+-])(\d\d):?(\d\d))?)?/#
    guard let match = argument.wholeMatch(of: form)?.output,
      let year = Int32(match.1), let month = Int32(match.2), let day = Int32(match.3),
      1...12 ~= month, 1...31 ~= day
    else { return nil }
    func number(_ digits: Substring?) -> Int32 { digits.flatMap { Int32($0) } ?? 0 }
    var parts = tm()
    parts.tm_year = year - 1900
    parts.tm_mon = month - 1
    parts.tm_mday = day
    parts.tm_hour = number(match.4)
    parts.tm_min = number(match.5)
    parts.tm_sec = number(match.6)
    parts.tm_isdst = -1
    guard parts.tm_hour < 24, parts.tm_min < 60, parts.tm_sec < 61 else { return nil }
    let seconds: Int
    if let sign = match.8 {
      let offset = Int(number(match.9)) * 3600 + Int(number(match.10)) * 60
      seconds = timegm(&parts) - (sign == "-" ? -offset : offset)
    } else {
      seconds = match.7 != nil ? timegm(&parts) : mktime(&parts)
    }
    // A 31st of February has become another day.
    guard parts.tm_mday == day else { return nil }
    let (nanoseconds, overflow) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow else { return nil }
    self.nanoseconds = nanoseconds
  }
}
