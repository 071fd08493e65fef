import Foundation

/// From the broker into the database: a message is acknowledged when the database has its points.
final class Ingest {
  private let settings: SessionSettings
  private let writer: BatchWriter
  private let ended: OneWaySwitch
  private let say: (String) -> Void
  private var counts = IngestCounts()
  private var batch = LineBatch()
  private var misfits = RareComplaint()
  private var leftOut = RareComplaint()
  private var told = IngestCounts()
  private var toldAt = ContinuousClock.now

  init(
    _ settings: SessionSettings, _ database: TimeSeriesDatabase, ended: OneWaySwitch,
    say: @escaping (String) -> Void
  ) {
    self.settings = settings
    self.ended = ended
    self.say = say
    writer = BatchWriter(database, ended: ended, say: say)
  }

  /// Runs until the end is asked for; returns what has become of the messages.
  func run() -> IngestCounts {
    SessionReader(
      settings, until: ended,
      .init(
        take: { [unowned self] in take($0) },
        isFull: { [unowned self] in batch.count >= settings.batchSize },
        store: { [unowned self] in
          guard writer.write(batch) else { return false }
          batch.removeAll()
          return true
        },
        afterTurn: { [unowned self] in report() },
        subscribed: { [unowned self] in say("connected to \(settings.broker.address)") }, say: say)
    ).run()
    return currentCounts
  }

  private var currentCounts: IngestCounts {
    var counts = counts
    counts.pointsStored = writer.stored
    counts.pointsRefused = writer.refused
    counts.retries = writer.retries
    return counts
  }

  private func take(_ message: Message) {
    counts.messages += 1
    switch MessageContent(message, prefix: settings.broker.topicPrefix) {
    case .records(let records):
      counts.records += UInt64(records.count)
      for record in records { append(RecordPoint(record), message.topic) }
    case .status(let topic, let members):
      counts.statuses += 1
      if let point = RecordPoint(status: members, topic) {
        append(point, message.topic)
      } else {
        counts.statusesWithoutTime += 1
      }
    case .other(let words):
      counts.notUnderstood += 1
      if let line = misfits.tell({ "\($0) messages are no records: \(words)" }) { say(line) }
    }
  }

  private func append(_ point: RecordPoint, _ topic: String) {
    batch.append(point.line)
    guard point.valuesLeftOut > 0 else { return }
    counts.valuesLeftOut += UInt64(point.valuesLeftOut)
    let line = leftOut.tell(count: UInt64(point.valuesLeftOut)) {
      "\($0) values are left out, the last in \(topic): arrays, objects, or of another type than they should be"
    }
    if let line { say(line) }
  }

  /// Once a minute, if anything has come.
  private func report() {
    guard ContinuousClock.now - toldAt >= RareComplaint.pause else { return }
    let now = currentCounts
    if now != told { say(now.readable) }
    told = now
    toldAt = .now
  }
}
