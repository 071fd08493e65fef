import CLinux
import Daemon
import Linux
import Records

/// Opens the spill; without it the bridge works too, and says why.
///
/// Errors: EWOULDBLOCK if another bridge has it.
func openSpill(_ options: BridgeOptions, _ log: Log) throws(SystemError) -> Spill? {
  guard let folder = options.spillFolder else { return nil }
  do throws(SystemError) {
    return try Spill(folder, limit: options.spillBytes)
  } catch {
    if error.errno == EWOULDBLOCK { throw error }
    log.warning("nothing can go to disk while the broker is away: \(error.description)")
    return nil
  }
}

/// Opens the outbox with what an earlier bridge left there.
///
/// Errors: those of mmap(2); EWOULDBLOCK if another bridge has it.
func openOutbox(
  _ options: BridgeOptions, _ messageSize: Int, _ spill: borrowing Spill?, _ stamp: BootStamp,
  _ log: Log
) throws(SystemError) -> Outbox {
  var notes: [Text] = []
  let place = Outbox.Place(
    path: options.outboxPath, byteCount: options.outboxBytes, messageSize: messageSize,
    stamp: stamp)
  let (segments, last): ([SpillSegment], UInt64) =
    switch spill {
    case .some(let spill): (spill.segments, spill.lastArrival)
    case .none: ([], 0)
    }
  // A bridge that was killed between the disk and the outbox has left these in both.
  let outbox = try Outbox.open(place, &notes) { slot in !segments.contains { $0.holds(slot) } }
  outbox.memory.head.nextArrival = max(outbox.memory.head.nextArrival, last + 1)
  for note in notes { log.warning(note) }
  if outbox.count > 0 { log.information("\(outbox.count) records wait from before") }
  return outbox
}

extension Bridge {
  /// The record of the spilled that is in the buffer, and the clock and boot that it is published with.
  func spilledRecord(_ entry: Outbox.Entry) throws(RecordError) -> (Record, Envelope) {
    guard entry.length >= BootStamp.encodedSize else { throw .notARecord }
    let stamp = BootStamp(decoding: buffer.span)
    let bytes = [UInt8](buffer[BootStamp.encodedSize..<entry.length])
    let record = try Record(decoding: bytes, count: bytes.count)
    // Of this boot: the clock may have been set since.
    if stamp.bootID == FixedText(envelope.bootID.span) { return (record, envelope) }
    guard stamp.isDamaged else { return (record, stamp.envelope) }
    // Of which boot is not known; its time is the record's own reading.
    let own = ClockReading(
      bootTimeNanoseconds: record.header.bootTimeNanoseconds,
      realTimeNanoseconds: record.header.realTimeNanoseconds,
      synchronized: record.header.clockSynchronized)
    return (record, Envelope(bootID: Text("unknown").bytes, clock: own))
  }

  /// Brings records back from the disk, as many as leave half the window to those that come now; where
  /// the window is one message, they take turns.
  mutating func refill(_ window: Int) {
    let live = outbox.waits(.samples) || outbox.waits(.events)
    let half = (window + Int(status.published & 1)) / 2
    var notes: [Text] = []
    spill?.refill(outbox, limit: max(live ? 0 : 1, half), &notes)
    for note in notes { log.warning(note) }
  }

  /// Moves what waits to disk; the number of records.
  @discardableResult
  mutating func spillWaiting(_ room: Spill.Room = .left) -> Int {
    spillDue = monotonicNanoseconds() + options.spillAfter.nanoseconds
    guard outbox.waits(.samples) || outbox.waits(.events) else { return 0 }
    envelope.clock = clock.read()
    outbox.memory.head.stamp = BootStamp(envelope)
    do throws(SystemError) {
      guard let result = try spill?.write(outbox, BootStamp(envelope), &buffer, room) else {
        return 0
      }
      if let error = result.diskIsFull { tellSpillTrouble(error) }
      spillFails = result.count == 0
      guard result.count > 0 else { return 0 }
      if spilledSinceConnected {
        log.detail("\(result.count) more records went to disk")
      } else {
        log.information("\(result.count) records went to disk until the broker is back")
      }
      spilledSinceConnected = true
      return result.count
    } catch {
      tellSpillTrouble(error)
      spillFails = true
      return 0
    }
  }

  /// The same where waiting longer would lose records, but not again and again where it fails.
  mutating func spillBeforeItIsFull() {
    if !spillFails { spillWaiting(.made) }
  }

  private mutating func tellSpillTrouble(_ error: SystemError) {
    if spillTrouble != error.description {
      spillTrouble = error.description
      log.warning("not all records can go to disk: \(error.description)")
    }
  }

  mutating func noteSpill() {
    outbox.memory.head.stamp = BootStamp(envelope)
    switch spill {
    case .some(let spill):
      status.spillRecords = spill.count
      status.spillBytes = spill.byteCount
      status.spillBytesWritten = spill.bytesWritten
    case .none: break
    }
  }
}
