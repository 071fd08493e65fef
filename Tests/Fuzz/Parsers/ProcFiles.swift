import Records

@testable import cyclic_file_read

/// Files of /proc and /sys: each parser gets each file, as none may rely on the right one.
func procFiles(_ bytes: [UInt8]) -> CInt {
  let text = bytes.span
  if let body = try? CPUActivity(parsing: text) { expectPublishable(body) }
  if let body = try? Memory(parsing: text) { expectPublishable(body) }
  if let body = try? PageActivity(parsing: text) { expectPublishable(body) }
  var offset = 0
  while let line = text.nextLine(&offset) {
    let line = text.extracting(line)
    if let body = try? CPUTimes(parsing: line, ticksPerSecond: 100) { expectPublishable(body) }
    if let body = try? Disk(parsing: line) { expectPublishable(body) }
    if let body = try? NetworkInterface(parsing: line) { expectPublishable(body) }
    if let body = try? Wireless(parsing: line) { expectPublishable(body) }
  }
  var sockets = Sockets()
  try? sockets.take(usage: text, pageSize: 4096)
  try? sockets.take(counters: text)
  expectPublishable(sockets)
  _ = try? text.headingLength()
  _ = NetworkInterface.State(parsing: text)
  if let status = try? ProcessStatus(parsing: text) { expect(status == status, "unlike itself") }
  _ = ProcessStatus.residentPages(parsing: text)
  _ = ProcessStorage(parsing: text)
  var mounts = MountTable(showsAll: true)
  mounts.choose(from: text)
  return 0
}
