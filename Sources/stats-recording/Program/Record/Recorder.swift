import Foundation

/// Takes messages from the broker into one recording or several, and counts what becomes of them.
final class Recorder {
  private let broker: BrokerOptions
  private let targets: [any RecordingTarget]
  private var clock: ArrivalClock
  private var pending: [Arrival] = []
  private var pendingSince = ContinuousClock.now
  private var lastTidy = ContinuousClock.now
  /// The last status of each bridge: a retained one comes again with each connection.
  private var statuses: [String: [UInt8]] = [:]
  private(set) var counts = RecorderCounts()
  private let say: (String) -> Void

  /// A batch is written when it has so many records, or its first has waited so long.
  static let batchSize = 2000
  static let batchTime = Duration.milliseconds(200)

  init(
    _ broker: BrokerOptions, into targets: [any RecordingTarget], say: @escaping (String) -> Void
  ) {
    self.broker = broker
    self.targets = targets
    self.say = say
    clock = ArrivalClock(after: targets.map(\.lastReceived).max() ?? 0)
    counts.targets = targets.map { _ in RecordingCount() }
    tellNotices()
  }

  /// Runs until the end is asked for; `tellsCounts` asks for them meanwhile. With a `session` messages
  /// are acknowledged when they are written.
  func run(
    topics: [String], session: String?, until ended: OneWaySwitch,
    tellsCounts: @escaping () -> Bool
  ) {
    let afterTurn = { [self] in
      if .now - lastTidy >= .seconds(1) { tidy() }
      if tellsCounts() { tellCounts() }
    }
    if let session {
      keep(topics, session, until: ended, afterTurn)
    } else {
      follow(topics, until: ended, afterTurn)
    }
    write()
    tidy()
    for target in targets { target.close() }
    tellNotices()
    tellCounts()
  }

  private func keep(
    _ topics: [String], _ session: String, until ended: OneWaySwitch,
    _ afterTurn: @escaping () -> Void
  ) {
    SessionReader(
      SessionSettings(
        broker: broker, topics: topics, session: session, batchSize: Self.batchSize,
        batchTime: Self.batchTime), until: ended,
      .init(
        take: { [unowned self] in take($0) },
        isFull: { [unowned self] in pending.count >= Self.batchSize },
        store: { [unowned self] in hold(until: ended, afterTurn) }, afterTurn: afterTurn,
        subscribed: { [unowned self] in say("recording from \(broker.address)") }, say: say)
    ).run()
  }

  private func follow(
    _ topics: [String], until ended: OneWaySwitch, _ afterTurn: () -> Void
  ) {
    Subscription.follow(
      broker, topics: topics, until: ended,
      afterTurn: { [self] in
        if !pending.isEmpty
          && (pending.count >= Self.batchSize || .now - pendingSince >= Self.batchTime)
        {
          write()
        }
        afterTurn()
      }
    ) { [self] in
      switch $0 {
      case .subscribed: say("recording from \(broker.address)")
      case .lost(let failure): say("\(failure); trying again")
      case .message(let message): take(message)
      }
    }
  }

  private func take(_ message: Message) {
    counts.messages += 1
    do throws(RecordingFailure) {
      let arrivals = try Arrival.arrivals(message, prefix: broker.topicPrefix, clock: &clock)
      if let source = arrivals.first?.message.source, source.isStatus {
        if message.isRetained && statuses[source.text] == message.payload {
          counts.statusesAgain += 1
          return
        }
        statuses[source.text] = message.payload
        counts.statuses += 1
      } else {
        counts.records += arrivals.count
      }
      if pending.isEmpty { pendingSince = .now }
      pending += arrivals
    } catch {
      counts.unreadable += 1
      // The first few, then ever fewer: a flood of them shall not fill the log.
      if counts.unreadable <= 5 || counts.unreadable.nonzeroBitCount == 1 {
        say("\(error) (unreadable message \(counts.unreadable))")
      }
    }
  }

  private func write() {
    guard !pending.isEmpty else { return }
    for (index, target) in targets.enumerated() {
      counts.targets[index] += target.write(pending)
    }
    pending.removeAll(keepingCapacity: true)
    tellNotices()
  }

  /// Writes what is pending, and what could not be written again and again until it can. False: the end
  /// was asked for before that; it stays with the broker.
  private func hold(until ended: OneWaySwitch, _ afterTurn: () -> Void) -> Bool {
    guard !pending.isEmpty else { return true }
    var rest = targets.map { _ in pending }
    pending.removeAll(keepingCapacity: true)
    while true {
      for (index, target) in targets.enumerated() where !rest[index].isEmpty {
        var failed: [Arrival] = []
        var count = target.write(rest[index], failed: &failed)
        count.notWritten = 0
        counts.targets[index] += count
        rest[index] = failed
      }
      tellNotices()
      if rest.allSatisfy(\.isEmpty) { return true }
      for _ in 0..<20 where !ended.isSet {
        usleep(50_000)
        afterTurn()
      }
      if ended.isSet { break }
    }
    for (index, rest) in rest.enumerated() { counts.targets[index].notWritten += rest.count }
    return false
  }

  private func tidy() {
    lastTidy = .now
    for target in targets { target.tidy() }
    tellNotices()
  }

  private func tellNotices() {
    for target in targets { for notice in target.takeNotices() { say(notice) } }
  }

  private func tellCounts() {
    say(counts.words)
    for (target, count) in zip(targets, counts.targets) {
      say("\(target.path): \(count.words)\(target.removed.map { ", \($0)" } ?? "")")
    }
  }
}

/// What has come, and what has become of it.
struct RecorderCounts: Equatable, Sendable {
  var messages = 0
  var records = 0
  var statuses = 0
  /// Retained statuses that came again with a connection.
  var statusesAgain = 0
  /// Messages that hold no record.
  var unreadable = 0
  var targets: [RecordingCount] = []

  var words: String {
    "received \(messages) messages: \(records) records, \(statuses) statuses"
      + (statusesAgain > 0 ? ", \(statusesAgain) statuses again" : "")
      + ", \(unreadable) unreadable"
  }
}

extension RecordingCount {
  var words: String {
    "\(written) written, \(duplicated) duplicates left out, \(notWritten) not written"
  }
}
