import CLinux
import Linux

/// Records on disk, for an outbox that the broker is too long away from, and for the next boot.
///
/// A folder of segments, each written once, from beginning to end, and then synchronized; nothing is
/// written while the broker is there. Samples and events are segments of their own, so that the
/// samples can go first where the folder has grown to its limit. Reading merges them in the order of
/// arrival; a segment goes when the broker has all its records.
struct Spill: ~Copyable {
  let folder: Text
  private let limit: UInt64
  /// In the order of arrival.
  private(set) var segments: [SpillSegment] = []
  /// Bytes that this bridge has written.
  private(set) var bytesWritten: UInt64 = 0
  private var samples: SpillReader?
  private var events: SpillReader?
  /// Keeps another bridge out, as long as this one is there.
  private var lock: FileDescriptor?
  /// The descriptor of the folder; -1 as long as there is none.
  private var rawFolder: Int32 = -1

  /// The spill in this folder, with what is there already; a folder that is missing is made when it
  /// is needed.
  ///
  /// Errors: those of opendir(3) and flock(2), EWOULDBLOCK if another bridge has the folder.
  init(_ folder: Text, limit: UInt64) throws(SystemError) {
    self.folder = folder
    self.limit = limit
    lock = nil
    guard let stream = opendir(folder.c) else {
      if clinux_errno() == ENOENT { return }
      throw SystemError("opendir", folder)
    }
    defer { closedir(stream) }
    let lock = try Self.locked(folder)
    rawFolder = lock.raw
    self.lock = consume lock
    while let entry = clinux_readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) {
        Text(cString: $0.bindMemory(to: CChar.self).baseAddress!)
      }
      guard var segment = SpillSegment(name: name.bytes.span) else { continue }
      var status = stat()
      guard lstat(Text("\(folder)/\(name)").c, &status) == 0,
        status.st_mode & mode_t(S_IFMT) == mode_t(S_IFREG)
      else { continue }
      segment.byteCount = UInt64(status.st_size)
      insert(segment)
    }
  }

  private static func locked(_ folder: Text) throws(SystemError) -> FileDescriptor {
    let lock = try FileDescriptor.open(folder, O_RDONLY | O_DIRECTORY)
    guard flock(lock.raw, LOCK_EX | LOCK_NB) == 0 else { throw SystemError("flock", folder) }
    return lock
  }

  private mutating func insert(_ segment: SpillSegment) {
    let place = segments.firstIndex { $0.first > segment.first }
    segments.insert(segment, at: place ?? segments.count)
  }

  var byteCount: UInt64 { segments.reduce(0) { $0 + $1.byteCount } }
  /// Records that wait here, also those that are in the outbox again as long as their segment is.
  var count: UInt64 { segments.reduce(0) { $0 + $1.count } }
  /// The highest arrival of all.
  var lastArrival: UInt64 { segments.reduce(0) { max($0, $1.last) } }

  // MARK: Writing

  /// Moves what waits in the outbox to disk; returns how many records.
  ///
  /// Nothing leaves the outbox before it is on the disk. Errors: those of mkdir(2), open(2),
  /// write(2), fsync(2) and rename(2), such as ENOSPC and EROFS.
  mutating func write(
    _ outbox: inout Outbox, _ stamp: BootStamp, _ buffer: inout [UInt8]
  ) throws(SystemError) -> Int {
    if rawFolder < 0 {
      guard mkdir(folder.c, 0o700) == 0 || clinux_errno() == EEXIST else {
        throw SystemError("mkdir", folder)
      }
      let lock = try Self.locked(folder)
      rawFolder = lock.raw
      self.lock = consume lock
    }
    var written = 0
    for list in [Outbox.ListName.events, .samples] {
      guard let segment = try write(list, outbox, stamp, &buffer) else { continue }
      outbox.removeWaiting(list, upTo: segment.last)
      insert(segment)
      written += Int(segment.count)
    }
    try keepWithinLimit(&outbox)
    return written
  }

  private mutating func write(
    _ list: Outbox.ListName, _ outbox: borrowing Outbox, _ stamp: BootStamp,
    _ buffer: inout [UInt8]
  ) throws(SystemError) -> SpillSegment? {
    let partial = Text("\(folder)/partial")
    let file = try FileDescriptor.open(partial, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
    var bytes: [UInt8] = []
    SpillEntry.segmentMagic.withUTF8Buffer { bytes += $0 }
    stamp.encode(into: &bytes)
    var (first, last, count, size) = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
    do throws(SystemError) {
      try outbox.forEachWaiting(list, &buffer) { (slot, record) throws(SystemError) in
        SpillEntry.encode(
          record, Int(slot.length), origin: slot.origin, arrival: slot.arrival, into: &bytes)
        if count == 0 { first = slot.arrival }
        last = slot.arrival
        count += 1
        guard bytes.count >= 1 << 18 else { return }
        try Self.write(bytes, to: file, partial)
        size += UInt64(bytes.count)
        bytes.removeAll(keepingCapacity: true)
      }
      if count > 0 {
        try Self.write(bytes, to: file, partial)
        size += UInt64(bytes.count)
        guard fsync(file.raw) == 0 else { throw SystemError("fsync", partial) }
      }
    } catch {
      _ = unlink(partial.c)
      throw error
    }
    guard count > 0 else {
      _ = unlink(partial.c)
      return nil
    }
    bytesWritten += size
    var segment = SpillSegment(list, first: first, last: last, count: count)
    segment.byteCount = size
    let path = Text("\(folder)/\(segment.name)")
    guard rename(partial.c, path.c) == 0 else { throw SystemError("rename", path) }
    _ = fsync(rawFolder)
    return segment
  }

  private static func write(
    _ bytes: [UInt8], to file: borrowing FileDescriptor, _ path: Text
  ) throws(SystemError) {
    var written = 0
    while written < bytes.count {
      let rest = bytes.count - written
      let count = bytes.withUnsafeBytes { CLinux.write(file.raw, $0.baseAddress! + written, rest) }
      if count < 0 {
        let errno = clinux_errno()
        if errno == EINTR { continue }
        throw SystemError("write", errno: errno, path)
      }
      written += count
    }
  }

  /// Gives up the oldest samples, and where there are none the oldest events, and counts them.
  private mutating func keepWithinLimit(_ outbox: inout Outbox) throws(SystemError) {
    while byteCount > limit {
      guard
        let index = segments.firstIndex(where: { $0.list == .samples })
          ?? segments.indices.first
      else { return }
      let segment = segments[index]
      if samples?.segment == segment { samples = nil }
      if events?.segment == segment { events = nil }
      let reader = try SpillReader.open(segment, in: folder)
      while let arrival = try reader.peek() {
        let kind = reader.skip()
        if arrival > outbox.memory.head.spillProgress { outbox.countLoss(kind: kind) }
      }
      for _ in 0..<reader.damaged { outbox.countLoss(kind: 0) }
      _ = unlink(reader.path.c)
      segments.remove(at: index)
    }
  }

  // MARK: Reading

  /// Brings records back into the outbox, in the order of arrival, as long as there are fewer than
  /// `limit` of them; returns what is to be logged, if anything was damaged.
  ///
  /// Errors: those of open(2) and read(2).
  mutating func refill(_ outbox: inout Outbox, limit: Int) throws(SystemError) -> Text? {
    while outbox.count(.spilled) < limit {
      if samples == nil { samples = try open(.samples) }
      if events == nil { events = try open(.events) }
      let sample = try next(samples, outbox)
      let event = try next(events, outbox)
      var note: Text?
      if try finish(outbox, &note) {
        if let note { return note }
        continue
      }
      guard let reader = event == nil || (sample ?? .max) < event! ? samples : events,
        let arrival = sample.map({ min($0, event ?? .max) }) ?? event
      else { return nil }
      // Whoever is at the end waits until the broker has all of it: the order holds.
      if (samples != nil && sample == nil) || (events != nil && event == nil) { return nil }
      var record: [UInt8] = []
      reader.stamp.encode(into: &record)
      let origin = reader.take(into: &record)
      if !outbox.appendSpilled(record, record.count, origin: origin, arrival: arrival) {
        outbox.countLoss(kind: Outbox.kind(record, behind: BootStamp.encodedSize))
      }
    }
    return nil
  }

  private func open(_ list: Outbox.ListName) throws(SystemError) -> SpillReader? {
    guard let segment = segments.first(where: { $0.list == list }) else { return nil }
    return try SpillReader.open(segment, in: folder)
  }

  /// The arrival of the next record that has not come back yet.
  private func next(
    _ reader: SpillReader?, _ outbox: borrowing Outbox
  ) throws(SystemError) -> UInt64? {
    guard let reader else { return nil }
    while let arrival = try reader.peek() {
      if arrival > outbox.memory.head.spillProgress { return arrival }
      _ = reader.skip()
    }
    return nil
  }

  /// Removes the segments that were read to their end, once the broker has their records; true if
  /// there was one.
  private mutating func finish(
    _ outbox: borrowing Outbox, _ note: inout Text?
  ) throws(SystemError) -> Bool {
    guard outbox.count(.spilled) == 0 else { return false }
    var isAny = false
    for reader in [samples, events] {
      guard let reader, try next(reader, outbox) == nil else { continue }
      if reader.damaged > 0 || reader.hasForeignBytes {
        note = """
          \(reader.path): \(reader.damaged) records were damaged and are lost, \(reader.count) are \
          whole; the file is set aside as \(reader.path).damaged
          """
        for _ in 0..<reader.damaged { outbox.countLoss(kind: 0) }
        _ = rename(reader.path.c, Text("\(reader.path).damaged").c)
      } else {
        _ = unlink(reader.path.c)
      }
      segments.removeAll { $0 == reader.segment }
      if samples === reader { samples = nil } else { events = nil }
      isAny = true
    }
    return isAny
  }
}
