import CLinux
import Linux
import Records

extension Outbox {
  /// What the outbox is to be.
  struct Place {
    /// nil: memory that goes with the bridge.
    let path: Text?
    let byteCount: Int
    let messageSize: Int
    /// The boot and its clock as they are now.
    let stamp: BootStamp
  }

  /// Opens the outbox with what an earlier bridge left in it.
  ///
  /// A file that cannot be had or trusted is no reason not to work: then it is memory alone, and
  /// `notes` says why, as it says what was found damaged. `keeps` says of a record that was found
  /// whether it is still wanted. Errors: those of mmap(2); EWOULDBLOCK if another bridge has the file.
  static func open(
    _ place: Place, _ notes: inout [Text], _ keeps: (Slot) -> Bool = { _ in true }
  ) throws(SystemError) -> Outbox {
    if let path = place.path {
      do throws(SystemError) {
        return try open(path, place, &notes, keeps)
      } catch {
        if error.errno == EWOULDBLOCK { throw error }
        notes.append("the outbox is in memory alone, a restart loses it: \(error.description)")
      }
    }
    return try Outbox(byteCount: place.byteCount, messageSize: place.messageSize)
  }

  private static func open(
    _ path: Text, _ place: Place, _ notes: inout [Text], _ keeps: (Slot) -> Bool
  ) throws(SystemError) -> Outbox {
    let file = try openFile(path)
    var status = stat()
    guard fstat(file.raw, &status) == 0 else { throw SystemError("fstat", path) }
    if status.st_size == 0 { return try make(file, path, place) }
    guard let head = readHead(file, Int64(status.st_size)) else {
      try setAside(path)
      notes.append("\(path) is no outbox of this version: set aside as \(path).damaged")
      return try make(try openFile(path), path, place)
    }
    // What is missing at its end is put back, empty.
    guard status.st_size == head.fileSize || ftruncate(file.raw, off_t(head.fileSize)) == 0 else {
      throw SystemError("ftruncate", path)
    }
    let outbox = Outbox(
      try OutboxMemory(
        file, path, slotCount: Int(head.slotCount), inboxSize: Int(head.inboxSize) - 8,
        isNew: false))
    let recovery = outbox.recover(fileSize: Int64(status.st_size), keeps)
    outbox.adoptInbox()
    if recovery.damaged > 0 {
      notes.append(
        """
        \(path): \(recovery.damaged) records were damaged and are lost, \(outbox.count) are whole; \
        the file is set aside as \(path).damaged
        """)
    }
    // A file in memory is of this boot, whatever its damaged stamp says.
    let isOfThisBoot = head.stamp == nil || head.stamp?.bootID == place.stamp.bootID
    if recovery.damaged == 0 && isOfThisBoot && head.slotCount == slots(place.byteCount)
      && Int(head.inboxSize) >= place.messageSize + 8
    {
      return outbox
    }
    let new = Text("\(path).new")
    _ = unlink(new.c)
    do throws(SystemError) {
      let other = try make(try openFile(new), new, place)
      return try outbox.moved(into: other, new, path, isOfThisBoot, recovery.damaged > 0)
    } catch {
      _ = unlink(new.c)
      guard isOfThisBoot, Int(head.inboxSize) >= place.messageSize + 8 else { throw error }
      notes.append("\(path) stays as it is: \(error.description)")
    }
    return outbox
  }

  /// A regular file of this user's, open to nobody else, locked. Errors: those of open(2), EACCES
  /// if others have a hand in it, EWOULDBLOCK if another bridge has it.
  private static func openFile(_ path: Text) throws(SystemError) -> FileDescriptor {
    let file = try FileDescriptor.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
    var status = stat()
    guard fstat(file.raw, &status) == 0 else { throw SystemError("fstat", path) }
    guard status.st_mode & mode_t(S_IFMT) == mode_t(S_IFREG), status.st_uid == geteuid(),
      status.st_mode & 0o077 == 0
    else { throw SystemError("not a file of this user's alone:", errno: EACCES, path) }
    guard flock(file.raw, LOCK_EX | LOCK_NB) == 0 else { throw SystemError("flock", path) }
    return file
  }

  private static func make(
    _ file: consuming FileDescriptor, _ path: Text, _ place: Place
  ) throws(SystemError) -> Outbox {
    let memory: OutboxMemory
    do throws(SystemError) {
      memory = try OutboxMemory(
        file, path, slotCount: slots(place.byteCount), inboxSize: place.messageSize, isNew: true)
    } catch {
      // Half a file would be found damaged by the next bridge.
      _ = unlink(path.c)
      throw error
    }
    memory.head.stamp = place.stamp
    // Above whatever another outbox has given out: a segment of the spill may be of that one, and must not
    // be taken for one that has come back already.
    memory.head.nextArrival = min(
      UInt64(max(1, place.stamp.clock.realTimeNanoseconds)), OutboxMemory.lastArrival / 4)
    return Outbox(memory)
  }

  /// The head, if the file begins with one of this version and is no longer than that says.
  private static func readHead(
    _ file: borrowing FileDescriptor, _ size: Int64
  ) -> OutboxMemory.Head? {
    var head = OutboxMemory.Head()
    let length = MemoryLayout<OutboxMemory.Head>.size
    guard pread(file.raw, &head, length, 0) == length,
      head.magic == OutboxMemory.Head.currentMagic,
      head.version == OutboxMemory.Head.currentVersion,
      head.inboxSize >= 4096, head.inboxSize <= 1 << 24, head.inboxSize % 4096 == 0,
      head.slotCount >= 8, head.slotCount <= OutboxMemory.mostSlots, size <= head.fileSize
    else { return nil }
    return head
  }

  private static func setAside(_ path: Text) throws(SystemError) {
    guard rename(path.c, Text("\(path).damaged").c) == 0 else { throw SystemError("rename", path) }
  }

  /// The same records in another outbox, whose file takes this one's path; this one's is set aside or
  /// gone. Errors: those of link(2) and rename(2), and everything is as it was.
  private func moved(
    into empty: Outbox, _ new: Text, _ path: Text, _ isOfThisBoot: Bool, _ setAside: Bool
  ) throws(SystemError) -> Outbox {
    let outbox = empty
    outbox.memory.head.nextArrival = memory.head.nextArrival
    outbox.memory.head.spillProgress = memory.head.spillProgress
    outbox.memory.head.lost = memory.head.lost
    if isOfThisBoot {
      for program in Program.allCases {
        let state = memory.keptState(of: program.rawValue)
        if !state.isEmpty { outbox.memory.keepState(state, state.count, of: program.rawValue) }
      }
    }
    var stamp: [UInt8] = []
    (memory.head.stamp ?? BootStamp()).encode(into: &stamp)
    var buffer = [UInt8](repeating: 0, count: memory.inboxSize + BootStamp.encodedSize)
    defer { returnInFlight() }
    while let entry = take(into: &buffer) {
      if entry.list != .spilled && isOfThisBoot {
        outbox.append(
          buffer, entry.length, origin: entry.origin, entry.list == .events ? .event : .sample)
        continue
      }
      let bytes = entry.list == .spilled ? buffer : stamp + buffer[..<entry.length]
      let length = entry.list == .spilled ? entry.length : bytes.count
      if !outbox.appendSpilled(
        bytes, length, origin: entry.origin, arrival: entry.ticket.arrival, carriedOver: true)
      {
        outbox.countLoss(kind: Self.kind(bytes, behind: BootStamp.encodedSize))
      }
    }
    if setAside {
      let aside = Text("\(path).damaged")
      _ = unlink(aside.c)
      guard CLinux.link(path.c, aside.c) == 0 else { throw SystemError("link", aside) }
    }
    guard rename(new.c, path.c) == 0 else { throw SystemError("rename", path) }
    return outbox
  }

  /// What a program says of itself is kept for the next bridge.
  func keepState(_ record: [UInt8], _ length: Int, origin: UInt8) {
    guard Self.kind(record) == RecordKind.sourceState.rawValue else { return }
    memory.keepState(record, length, of: origin)
  }

  /// A bridge that was killed while it took a message from a queue has left it in the inbox.
  private func adoptInbox() {
    var buffer = [UInt8](repeating: 0, count: memory.inboxSize)
    memory.readInbox(buffer.count, into: &buffer)
    memory.clearInbox()
    // Header and body say how long they are, see RecordHeader.
    let length =
      Int(buffer[6]) + Int(buffer[7]) << 8 + Int(buffer[10]) + Int(buffer[11]) << 8
    guard length < buffer.count - 8, let record = try? Record(decoding: buffer, count: length)
    else { return }
    var newest = [UInt8](repeating: 0, count: memory.inboxSize)
    if let count = self.newest(into: &newest), newest[..<count] == buffer[..<length] {
      return keepState(buffer, length, origin: memory.inboxOrigin)
    }
    append(buffer, length, origin: memory.inboxOrigin, record.isEvent ? .event : .sample)
    keepState(buffer, length, origin: memory.inboxOrigin)
  }
}
