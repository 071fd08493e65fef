import CLinux
import Daemon
import Linux
import Records

/// Records of a program that were taken from the outbox and are to be one message.
struct Batch {
  var tickets: [Outbox.Ticket] = []
  /// When the first of them has waited long enough.
  var due = UInt64.max
}

extension Bridge {
  // MARK: From the outbox to the broker

  /// So much may be on its way at once, however large the messages are: libmosquitto keeps it all.
  private static let mostBytesInFlight = 1 << 20

  private var mayPublish: Bool { inFlight.count < window && bytesInFlight < Self.mostBytesInFlight }

  /// Takes records from the outbox and publishes each, or those batches that are full or have waited.
  mutating func publishWaiting() {
    batchDue = .max
    guard let connection, connection.isConnected, mayPublish else { return }
    refill(window * options.batch)
    // All that was taken and not published is in a batch.
    guard outbox.count > outbox.inFlight || batches.contains(where: { !$0.tickets.isEmpty }) else {
      return
    }
    envelope.clock = clock.read()
    let now = monotonicNanoseconds()
    for index in batches.indices {
      while mayPublish, isReady(batches[index], now), publish(index) {}
    }
    while mayPublish, let entry = outbox.take() {
      guard let program = Program(rawValue: entry.origin) else {
        refuse(nil, entry.ticket, "a program that this version does not know", reason: 0)
        continue
      }
      let index = Int(program.rawValue)
      if batches[index].tickets.isEmpty {
        batches[index].due = now + options.batchTime.nanoseconds
      }
      batches[index].tickets.append(entry.ticket)
      if isReady(batches[index], now), !publish(index) { return }
    }
    guard mayPublish else { return }
    for batch in batches where !batch.tickets.isEmpty { batchDue = min(batchDue, batch.due) }
  }

  private func isReady(_ batch: borrowing Batch, _ now: UInt64) -> Bool {
    let count = batch.tickets.count
    return count >= options.batch || count > 0 && (now >= batch.due || isFinishing)
  }

  /// Publishes the batch of the program with this number, or as much of it as can be one message; false:
  /// the connection is lost, and nothing is in a batch any more.
  private mutating func publish(_ index: Int) -> Bool {
    guard let connection, let program = Program(rawValue: UInt8(index)) else { return false }
    var tickets = spareTickets.popLast() ?? []
    let taken = writePayload(batches[index].tickets, of: program, connection, &tickets)
    guard !tickets.isEmpty else {
      leave(index, taken)
      recycle(&tickets)
      return true
    }
    do throws(BrokerConnection.PublishError) {
      if inFlight.isEmpty { acknowledgedAt = monotonicNanoseconds() }
      let count = payload.bytes.count
      let message = try connection.publish(
        topic.bytes, payload.bytes, connection.recordProperties, retain: false)
      leave(index, taken)
      bytesInFlight += count
      inFlight.append(
        InFlight(message: message, program: program, tickets: tickets, byteCount: count))
      log.detail("published \(program.name), \(count) bytes")
      return true
    } catch {
      switch error {
      case .notTaken(let words) where tickets.count == 1:
        refuse(program, tickets[0], words, reason: 0)
        leave(index, taken)
        recycle(&tickets)
        return true
      case .notTaken:
        // Fewer at once, from now on; those that were refused are gone.
        connection.largestPayload = payload.bytes.count / 2
        batches[index].tickets.replaceSubrange(0..<taken, with: tickets)
        recycle(&tickets)
        return true
      case .connectionLost(let error):
        recycle(&tickets)
        lose(error)
        return false
      }
    }
  }

  /// Writes the records into `payload`, as many as the broker takes in one packet, and as are of one boot
  /// where the message tells that for all of them.
  ///
  /// Returns how many that were; in `sent` are those that were no damaged ones.
  private mutating func writePayload(
    _ tickets: [Outbox.Ticket], of program: Program, _ connection: BrokerConnection,
    _ sent: inout [Outbox.Ticket]
  ) -> Int {
    var taken = 0
    // Once, instead of for each record: references are counted.
    let (envelope, outbox) = (envelope, outbox)
    var isOfThisBoot = false
    let isBatchOfRecords =
      switch options.payload {
      case .record: options.batch > 1
      case .json, .lineProtocol: false
      }
    payload.begin(program, isBatch: options.batch > 1)
    if options.batch > 1 { options.topics.name(nil, of: program, &topic) }
    while taken < tickets.count {
      let entry = outbox.entry(tickets[taken])
      do throws(RecordError) {
        let isFirst = sent.isEmpty
        if entry.list == .spilled {
          outbox.copy(entry.ticket, into: &buffer)
          let (record, envelope) = try spilledRecord(entry)
          guard mayJoin(envelope, connection, isFirst) else { break }
          isOfThisBoot = false
          append(record, envelope, of: program)
        } else {
          guard isOfThisBoot || mayJoin(envelope, connection, isFirst) else { break }
          isOfThisBoot = true
          if isBatchOfRecords {
            // It was checked when it came from its queue, and is not copied twice.
            payload.append(checked: entry.length) { outbox.copy(entry.ticket, into: &$0) }
          } else {
            outbox.copy(entry.ticket, into: &buffer)
            append(try Record(decoding: buffer, count: entry.length), envelope, of: program)
          }
        }
        if !isFirst && payload.bytes.count > connection.largestPayload {
          payload.removeLast()
          break
        }
        sent.append(tickets[taken])
      } catch {
        // Checked when it came from its queue: the outbox itself would have to be damaged.
        refuse(program, tickets[taken], "the record \(error.description)", reason: 0)
      }
      taken += 1
    }
    payload.end()
    return taken
  }

  /// False: a record with this envelope does not go into the same message as the first.
  private func mayJoin(
    _ envelope: Envelope, _ connection: BrokerConnection, _ isFirst: Bool
  ) -> Bool {
    guard case .record = options.payload else { return true }
    guard isFirst else { return connection.describes(envelope) }
    connection.describe(envelope)
    return true
  }

  private mutating func append(_ record: Record, _ envelope: Envelope, of program: Program) {
    payload.append(record, envelope)
    if options.batch == 1 { options.topics.name(record, of: program, &topic) }
  }

  /// So many records have left the batch; what is left of it goes next.
  private mutating func leave(_ index: Int, _ count: Int) {
    batches[index].tickets.removeSubrange(..<count)
    batches[index].due = batches[index].tickets.isEmpty ? .max : 0
  }

  /// Keeps the list's memory for another message.
  @inline(never)
  mutating func recycle(_ tickets: inout [Outbox.Ticket]) {
    guard tickets.capacity > 0 else { return }
    // Nobody else may have it, or to empty it would make another one.
    tickets.removeAll(keepingCapacity: true)
    spareTickets.append(tickets)
    tickets = []
  }

  /// The connection is lost: what was in a batch or in flight waits again.
  mutating func forgetBatches() {
    for index in batches.indices {
      batches[index].tickets.removeAll(keepingCapacity: true)
      batches[index].due = .max
    }
    batchDue = .max
    while var entry = inFlight.popLast() { recycle(&entry.tickets) }
    inFlight.removeAll(keepingCapacity: true)
    bytesInFlight = 0
    outbox.returnInFlight()
  }
}
