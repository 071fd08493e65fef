import Daemon
import Linux
import Records

/// A record as it comes out of a queue.
func record(_ bytes: [UInt8]) -> CInt {
  guard let record = try? Record(decoding: bytes, count: bytes.count) else { return 0 }
  expectJSON(record)
  _ = record.isEvent
  var levels = TopicLevels()
  record.appendTopic(to: &levels)
  expectTopic(levels.bytes)
  return 0
}

/// A configuration file, and each of its values as a time.
func configuration(_ bytes: [UInt8]) -> CInt {
  guard let file = try? ConfigurationFile(parsing: bytes.span) else { return 0 }
  for entry in file.entries {
    expect(!entry.key.isEmpty, "no key")
    expect(entry.line > 0, "no line")
    if let interval = Interval(entry.value) {
      expect(
        Interval(interval.description) == interval, "\(entry.value) is \(interval.description)")
    }
  }
  return 0
}

/// What the kernel writes into an inotify descriptor.
func inotifyEvents(_ bytes: [UInt8]) -> CInt {
  var offset = 0
  while offset < bytes.count,
    let event = InotifyEvent(parsing: bytes.span.extracting(offset...), at: offset)
  {
    expect(event.end > offset && event.end <= bytes.count, "an event beyond its bytes")
    expect(event.name.lowerBound >= offset && event.name.upperBound <= event.end, "its name")
    offset = event.end
  }
  return 0
}
