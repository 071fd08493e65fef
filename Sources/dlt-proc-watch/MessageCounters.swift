/// Finds gaps in the counters of messages: one byte that counts the messages of one context in one
/// session (dlt_user.h: DltContext.mcnt), here those of SYS/PROC alone.
struct MessageCounters {
  private struct Session {
    let ecu: UInt32
    let session: UInt32?
    var next: UInt8
    var timestamp: UInt32?
  }

  private var sessions: [Session] = []
  private static var capacity: Int { 16 }

  /// How many messages are missing before this one, modulo 256; nil if none.
  mutating func take(_ message: DLTMessage, _ sender: Identifier) -> UInt32? {
    for index in sessions.indices
    where sessions[index].ecu == sender.bigEndian && sessions[index].session == message.session {
      let gap = message.counter &- sessions[index].next
      let isOlder = Self.isOlder(message.timestamp, sessions[index].timestamp)
      sessions[index].next = message.counter &+ 1
      sessions[index].timestamp = message.timestamp
      // A message from before the last one: a trace that was put together, or a machine that
      // started anew; a base to count from, no loss.
      return gap == 0 || isOlder ? nil : UInt32(gap)
    }
    if sessions.count == Self.capacity { sessions.remove(at: 0) }
    sessions.append(
      Session(
        ecu: sender.bigEndian, session: message.session, next: message.counter &+ 1,
        timestamp: message.timestamp))
    return nil
  }

  private static func isOlder(_ one: UInt32?, _ other: UInt32?) -> Bool {
    guard let one, let other else { return false }
    return Int32(bitPattern: one &- other) < 0
  }
}
