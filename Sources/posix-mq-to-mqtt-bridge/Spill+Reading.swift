import CLinux
import Linux
import Records

extension Spill {
  /// Brings records back into the outbox, in the order of arrival, as long as there are fewer than
  /// `limit` of them and the outbox has room; `notes` is what is to be logged of damage.
  mutating func refill(_ outbox: Outbox, limit: Int, _ notes: inout [Text]) {
    while outbox.count(.spilled) < limit && outbox.hasRoom(for: Self.roomForOne) {
      if samples == nil { samples = open(.samples) }
      if events == nil { events = open(.events) }
      let sample = next(samples, outbox)
      let event = next(events, outbox)
      if finish(outbox, &notes) { continue }
      guard let reader = event == nil || (sample ?? .max) < event! ? samples : events,
        let arrival = sample.map({ min($0, event ?? .max) }) ?? event
      else { return }
      // Whoever is at the end waits until the broker has all of it: the order holds.
      if (samples != nil && sample == nil) || (events != nil && event == nil) { return }
      var record: [UInt8] = []
      reader.stamp.encode(into: &record)
      let origin = reader.take(into: &record)
      if !outbox.appendSpilled(record, record.count, origin: origin, arrival: arrival) {
        outbox.countLoss(kind: Outbox.kind(record, behind: BootStamp.encodedSize))
      }
    }
  }

  /// The longest record with its stamp.
  private static let roomForOne = RecordHeader.maximumRecordSize + BootStamp.encodedSize

  private func open(_ list: Outbox.ListName) -> SpillReader? {
    guard let segment = segments.first(where: { $0.list == list }) else { return nil }
    return SpillReader(segment, in: folder)
  }

  /// The arrival of the next record that has not come back yet.
  private func next(_ reader: SpillReader?, _ outbox: Outbox) -> UInt64? {
    guard let reader else { return nil }
    while let arrival = reader.peek() {
      if arrival > outbox.memory.head.spillProgress { return arrival }
      _ = reader.skip()
    }
    return nil
  }

  /// Removes the segments that were read to their end, once the broker has their records; true if
  /// there was one. What cannot be read is counted as lost.
  private mutating func finish(_ outbox: Outbox, _ notes: inout [Text]) -> Bool {
    guard outbox.count(.spilled) == 0 else { return false }
    var isAny = false
    for reader in [samples, events] {
      guard let reader, next(reader, outbox) == nil else { continue }
      if let complaint = reader.complaint {
        notes.append(complaint)
        outbox.countLoss(kind: 0, times: reader.damaged)
        _ = rename(reader.path.c, Text("\(reader.path).damaged").c)
      } else {
        _ = unlink(reader.path.c)
      }
      forget(reader.segment)
      isAny = true
    }
    return isAny
  }
}
