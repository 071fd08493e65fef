import CLinux
import Daemon
import Linux
import Records

extension Bridge {
  // MARK: What the broker has taken

  /// How many messages may be on their way at once.
  var window: Int { min(options.window, connection?.receiveMaximum ?? 0) }

  /// A few acknowledgements need not wake the bridge: they are read when a record comes, or in 3 s. So a
  /// record a second is one wake-up a second.
  var acknowledgementsMayWait: Bool {
    guard let connection, connection.isConnected, !isFinishing else { return false }
    return inFlight.count <= min(4, window / 2) && connection.interest == .reading
  }

  mutating func readAcknowledgements() {
    acknowledgementDue = .max
    guard let connection, connection.isConnected else { return }
    do throws(BrokerError) { try connection.process(.reading) } catch { lose(error) }
    takeAcknowledgements()
  }

  mutating func takeAcknowledgements() {
    guard let connection, !connection.acknowledgements.isEmpty else { return }
    acknowledgedAt = monotonicNanoseconds()
    // By their indices: to walk through the list itself would hold it, and to forget them would make a new one.
    for place in connection.acknowledgements.indices {
      let acknowledgement = connection.acknowledgements[place]
      guard let index = inFlight.firstIndex(where: { $0.message == acknowledgement.message })
      else { continue }
      var entry = inFlight.remove(at: index)
      bytesInFlight -= entry.byteCount
      if acknowledgement.reason >= 0x80 {
        let words = BrokerConnection.words(of: acknowledgement.reason)
        refuse(entry, words, acknowledgement.reason)
      } else if let program = entry.program {
        for ticket in entry.tickets { outbox.acknowledge(ticket) }
        status.published += UInt64(entry.tickets.count)
        refusals[Int(program.rawValue)] = 0
      } else {
        statusIsRefused = false
      }
      recycle(&entry.tickets)
    }
    connection.forgetAcknowledgements()
  }

  private mutating func refuse(_ entry: InFlight, _ words: Text, _ reason: Int32) {
    if let program = entry.program {
      for ticket in entry.tickets { refuse(program, ticket, words, reason: reason) }
    } else {
      if !statusIsRefused { log.error("broker refused the status: \(words) (\(reason))") }
      statusIsRefused = true
    }
  }

  /// The broker will never take this record: it leaves the outbox, is counted and told.
  mutating func refuse(
    _ program: Program?, _ ticket: Outbox.Ticket, _ words: Text, reason: Int32
  ) {
    outbox.acknowledge(ticket)
    status.refused += 1
    status.refusal = (words: words, reason: reason)
    let index = Int(program?.rawValue ?? 0)
    if refusals[index] != reason || reason == 0 && status.refused == 1 {
      log.error(
        "records of \(program?.name ?? "another version") are refused: \(words)\(reason == 0 ? "" : " (\(reason))")"
          + (reason == 135 ? "; the broker's access list must allow the topic" : ""))
      refusals[index] = reason
    }
    hurryStatus()
  }
}
