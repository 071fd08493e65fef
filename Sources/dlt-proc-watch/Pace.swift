/// When the messages of a trace are due: by their timestamps, never by when they were stored.
struct Pace {
  /// 0: all at once.
  let speed: UInt64
  private var begin: (timestamp: UInt32, time: UInt64)?
  private var last: UInt32 = 0

  init(speed: UInt64) {
    self.speed = speed
  }

  /// How long to wait for a message of this timestamp, in nanoseconds.
  mutating func delay(to timestamp: UInt32?, now: UInt64) -> UInt64 {
    guard speed > 0, let timestamp else { return 0 }
    defer { last = timestamp }
    // A step back, or of more than an hour, is another recording: go on with it at once.
    let step = Int32(bitPattern: timestamp &- last)
    guard let begin, step > -10_000, step < 36_000_000 else {
      begin = (timestamp, now)
      return 0
    }
    let sinceBegin = Int32(bitPattern: timestamp &- begin.timestamp)
    if sinceBegin <= 0 { return 0 }
    if sinceBegin > 1 << 29 { self.begin = (timestamp, max(now, due(begin, sinceBegin))) }
    let due = due(begin, sinceBegin)
    return due > now ? due - now : 0
  }

  private func due(_ begin: (timestamp: UInt32, time: UInt64), _ sinceBegin: Int32) -> UInt64 {
    begin.time + UInt64(sinceBegin) * 100_000 / speed
  }
}
