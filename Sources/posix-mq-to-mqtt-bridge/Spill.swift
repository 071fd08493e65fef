import CLinux
import Linux

/// Records on disk, for an outbox that the broker is too long away from, and for the next boot.
///
/// A folder of segments, each written once, from beginning to end, and then synchronized; nothing is
/// written while the broker is there. Samples and events are segments of their own, so that the
/// samples can go first where the folder has grown to its limit. Reading merges them in the order of
/// arrival, see Spill+Reading.swift; a segment goes when the broker has all its records.
struct Spill: ~Copyable {
  /// What may be done where the folder or the disk has no room.
  enum Room {
    /// Nothing: the rest waits in the outbox.
    case left
    /// The oldest samples make room for events.
    case forEvents
    /// The outbox is full: the oldest samples make room for everything, the oldest events for events.
    case made
  }

  let folder: Text
  private let limit: UInt64
  /// In the order of arrival.
  private(set) var segments: [SpillSegment] = []
  /// Bytes that this bridge has written.
  private(set) var bytesWritten: UInt64 = 0
  var samples: SpillReader?
  var events: SpillReader?
  /// Keeps another bridge out, as long as this one is there.
  private var lock: FileDescriptor?
  /// The descriptor of the folder; -1 as long as there is none.
  private var rawFolder: Int32 = -1

  /// The spill in this folder, with what is there already; a folder that is missing is made when it
  /// is needed.
  ///
  /// Errors: those of opendir(3), access(2) and flock(2), EWOULDBLOCK if another bridge has the folder,
  /// EACCES if others may write there.
  init(_ folder: Text, limit: UInt64) throws(SystemError) {
    self.folder = folder
    self.limit = limit
    lock = nil
    guard let stream = opendir(folder.c) else {
      guard clinux_errno() == ENOENT else { throw SystemError("opendir", folder) }
      // Said now, not when it is needed.
      let parent = Self.parent(of: folder)
      guard access(parent.c, W_OK | X_OK) == 0 else { throw SystemError("access", parent) }
      return
    }
    defer { closedir(stream) }
    let lock = try Self.locked(folder)
    guard access(folder.c, W_OK | X_OK) == 0 else { throw SystemError("access", folder) }
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

  private static func parent(of path: Text) -> Text {
    guard let slash = path.bytes.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == 0 ? "/" : Text(path.bytes[..<slash])
  }

  private static func locked(_ folder: Text) throws(SystemError) -> FileDescriptor {
    let lock = try FileDescriptor.open(folder, O_RDONLY | O_DIRECTORY)
    var status = stat()
    guard fstat(lock.raw, &status) == 0 else { throw SystemError("fstat", folder) }
    guard status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else {
      throw SystemError("not a folder that this user alone writes to:", errno: EACCES, folder)
    }
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

  /// Moves what waits in the outbox to disk, events first, as far as there is room.
  ///
  /// Returns how many records, and why no more could be written where that is the disk's fault.
  /// Nothing leaves the outbox before it is on the disk. Errors: those of mkdir(2), open(2),
  /// write(2), fsync(2) and rename(2), such as EROFS.
  mutating func write(
    _ outbox: Outbox, _ stamp: BootStamp, _ buffer: inout [UInt8], _ room: Room
  ) throws(SystemError) -> (count: Int, diskIsFull: SystemError?) {
    try makeFolder()
    var (written, trouble) = (0, SystemError?.none)
    for list in [Outbox.ListName.events, .samples] {
      while outbox.waits(list) {
        let (segment, error) = try writeSegment(list, outbox, stamp, &buffer)
        if let segment {
          outbox.removeWaiting(list, upTo: segment.last)
          insert(segment)
          written += Int(segment.count)
          continue
        }
        trouble = error ?? trouble
        let isFull = room == .made && outbox.isUsed(percent: Self.fullPercent)
        guard isFull || room != .left && list == .events else { break }
        guard giveUpOldest(outbox, samplesOnly: list == .samples || !isFull) else { break }
      }
    }
    return (written, trouble)
  }

  /// From here on an outbox counts as full.
  static let fullPercent = 90

  private mutating func makeFolder() throws(SystemError) {
    guard rawFolder < 0 else { return }
    guard mkdir(folder.c, 0o700) == 0 || clinux_errno() == EEXIST else {
      throw SystemError("mkdir", folder)
    }
    let lock = try Self.locked(folder)
    rawFolder = lock.raw
    self.lock = consume lock
  }

  /// Small enough that to give one up is not to give up all.
  private var segmentLimit: UInt64 { min(4 << 20, limit / 8) }

  /// Writes the oldest that wait in this list; neither a segment nor an error: the limit is reached.
  private mutating func writeSegment(
    _ list: Outbox.ListName, _ outbox: Outbox, _ stamp: BootStamp,
    _ buffer: inout [UInt8]
  ) throws(SystemError) -> (SpillSegment?, SystemError?) {
    let room = limit - min(limit, byteCount)
    guard room >= segmentLimit / 2 else { return (nil, nil) }
    let most = min(room, segmentLimit)
    let partial = Text("\(folder)/partial")
    var file = SpillFile(
      try FileDescriptor.open(
        partial, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600), partial)
    SpillEntry.encodeHeader(stamp, into: &file.bytes)
    do throws(SystemError) {
      try outbox.forEachWaiting(list, &buffer) { (slot, record) throws(SystemError) in
        let length = Int(slot.length)
        guard file.size + UInt64(file.bytes.count + SpillEntry.size(length)) <= most else {
          return false
        }
        SpillEntry.encode(
          record, length, origin: slot.origin, arrival: slot.arrival, into: &file.bytes)
        file.note(slot.arrival)
        if file.bytes.count < 1 << 16 { return true }
        return try file.write()
      }
      _ = try file.write()
      try file.synchronize()
    } catch {
      _ = unlink(partial.c)
      throw error
    }
    guard file.count > 0 else {
      _ = unlink(partial.c)
      return (nil, file.diskIsFull)
    }
    bytesWritten += file.size
    var segment = SpillSegment(list, first: file.first, last: file.last, count: file.count)
    segment.byteCount = file.size
    let path = Text("\(folder)/\(segment.name)")
    guard rename(partial.c, path.c) == 0 else { throw SystemError("rename", path) }
    _ = fsync(rawFolder)
    return (segment, nil)
  }

  /// Gives up the oldest segment of samples, or where there is none the oldest of events, and counts its
  /// records; false if there is none.
  private mutating func giveUpOldest(_ outbox: Outbox, samplesOnly: Bool) -> Bool {
    guard
      let index = segments.firstIndex(where: { $0.list == .samples })
        ?? (samplesOnly ? nil : segments.indices.first)
    else { return false }
    let reader = SpillReader(segments[index], in: folder)
    while let arrival = reader.peek() {
      let kind = reader.skip()
      if arrival > outbox.memory.head.spillProgress { outbox.countLoss(kind: kind) }
    }
    outbox.countLoss(kind: 0, times: reader.damaged)
    forget(segments[index])
    _ = unlink(reader.path.c)
    return true
  }

  /// The segment is there no more.
  mutating func forget(_ segment: SpillSegment) {
    if samples?.segment == segment { samples = nil }
    if events?.segment == segment { events = nil }
    segments.removeAll { $0 == segment }
  }
}
