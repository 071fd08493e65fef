import Records

@testable import dlt_proc_watch

/// What a dlt-daemon sends, in chunks.
func connection(_ bytes: [UInt8]) -> CInt {
  var watch = ProcessWatch(settings)
  var framer = MessageFramer(.connection)
  var start = 0
  while start < bytes.count {
    let chunk = Array(bytes[start..<min(bytes.count, start + 1000)])
    start += chunk.count
    framer.append(chunk, chunk.count)
    while true {
      let step = framer.next()
      expect(framer.pendingBytes <= bytes.count, "more bytes than there were")
      guard case .message(let range, _) = step else {
        if step == .broken { return 0 }
        break
      }
      let held = framer.bytes
      watch.take(held.span.extracting(range), arrival: UInt64(start))
    }
  }
  expectPublishable(watch.reports)
  return 0
}

/// A file with storage headers.
func trace(_ bytes: [UInt8]) -> CInt {
  var watch = ProcessWatch(settings)
  var framer = MessageFramer(.file)
  framer.append(bytes, bytes.count)
  var pace = Pace(speed: 10)
  var inMessages = 0
  while case .message(let range, let header) = framer.next(isEnd: true) {
    inMessages += range.count + 16
    let held = framer.bytes
    let message = held.span.extracting(range)
    if let timestamp = DLTMessage(parsing: message)?.timestamp {
      _ = pace.delay(to: timestamp, now: 1_000_000_000)
    }
    watch.take(message, ecu: header?.ecu, arrival: UInt64(header?.seconds ?? 0))
  }
  expect(
    UInt64(inMessages) + framer.skippedBytes + framer.truncatedBytes == UInt64(bytes.count),
    "a byte is neither in a message nor counted")
  expectPublishable(watch.reports)
  return 0
}

private var settings: WatchSettings {
  var settings = WatchSettings()
  settings.limit = 3
  return settings
}

private func expectPublishable(_ reports: [Report]) {
  for report in reports {
    switch report {
    case .load(let body): expectPublishable(body)
    case .lifecycle(let body): expectPublishable(body)
    case .loss(let body): expectPublishable(body)
    }
  }
}
