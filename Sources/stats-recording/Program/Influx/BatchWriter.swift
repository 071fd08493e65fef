import Foundation

/// Writes batches until the database has taken or refused every point of them.
///
/// What it refuses is found by halves, so that one bad point costs the others a few more requests and
/// nothing else. A point that comes twice is one point: whatever may have been stored is written again
/// without harm. So is what a database took in the seconds before it went away: one that keeps that in
/// memory, as VictoriaMetrics does for 5 s, has forgotten it if it was killed.
final class BatchWriter {
  private let database: TimeSeriesDatabase
  private let ended: OneWaySwitch
  private let say: (String) -> Void
  private var refusals = RareComplaint()
  private var delays = RareComplaint()
  /// What was stored in the last seconds, oldest first.
  private var recent: [(at: ContinuousClock.Instant, lines: [UInt8])] = []
  private var recentBytes = 0
  /// The database went away since the last of ``recent`` was written for certain.
  private var wentAway = false
  private(set) var stored: UInt64 = 0
  private(set) var refused: UInt64 = 0
  private(set) var retries: UInt64 = 0

  /// Below this, "partial write … dropped=N" is believed: the others are stored. In a larger piece
  /// such an answer of one shard may hide what happened in another one.
  static let smallestPiece = 64
  static let longestDelay = 30.0
  /// How long a database may keep what it has taken in memory alone.
  static let forgetfulness = Duration.seconds(10)
  /// More than this is not kept to be written again.
  static let mostRecentBytes = 64 << 20
  /// How long a write may go on after the end was asked for.
  static let lastSeconds = 5.0

  init(_ database: TimeSeriesDatabase, ended: OneWaySwitch, say: @escaping (String) -> Void) {
    self.database = database
    self.ended = ended
    self.say = say
  }

  /// Waits for the database as long as it takes. False: the end was asked for, and some points are
  /// neither stored nor refused.
  func write(_ batch: LineBatch) -> Bool {
    var pieces = [0..<batch.count]
    while let piece = pieces.popLast() {
      if piece.isEmpty { continue }
      switch reply(batch[piece]) {
      case nil: return false
      case .stored:
        stored += UInt64(piece.count)
        remember(batch[piece])
      case .tooLarge(let words):
        if piece.count == 1 { refuse(1, words) } else { pieces += Self.halves(piece) }
      case .refused(let words, let dropped):
        if let dropped, 0...piece.count ~= dropped,
          dropped == piece.count || piece.count <= Self.smallestPiece
        {
          stored += UInt64(piece.count - dropped)
          remember(batch[piece])
          refuse(dropped, words)
        } else if piece.count == 1 {
          refuse(1, words)
        } else {
          pieces += Self.halves(piece)
        }
      case .later: preconditionFailure("waited for")
      }
    }
    return writeAgain()
  }

  private func remember(_ lines: ArraySlice<UInt8>) {
    recent.append((.now, Array(lines)))
    recentBytes += lines.count
    let oldest = ContinuousClock.now - Self.forgetfulness
    while let first = recent.first,
      recentBytes > Self.mostRecentBytes || !wentAway && first.at < oldest
    {
      recentBytes -= first.lines.count
      recent.removeFirst()
    }
  }

  /// Writes what a database that was away may have forgotten. False: the end was asked for before.
  private func writeAgain() -> Bool {
    while wentAway {
      wentAway = false
      for index in recent.indices {
        guard reply(recent[index].lines[...]) != nil else {
          wentAway = true
          return false
        }
        // From now on it may forget it once more.
        recent[index].at = .now
      }
    }
    return true
  }

  /// The later half first: the last one is taken next.
  private static func halves(_ piece: Range<Int>) -> [Range<Int>] {
    let middle = piece.lowerBound + piece.count / 2
    return [middle..<piece.upperBound, piece.lowerBound..<middle]
  }

  private func refuse(_ count: Int, _ words: String) {
    refused += UInt64(count)
    if let line = refusals.tell(
      count: UInt64(count), { "the database refuses \($0) points: \(words)" })
    {
      say(line)
    }
  }

  /// Asks until it is no "later"; nil if the end was asked for meanwhile.
  private func reply(_ lines: ArraySlice<UInt8>) -> DatabaseReply? {
    var delay = 0.5
    let began = ContinuousClock.now
    var wasAway = false
    while true {
      let reply = ask(lines)
      guard case .later(let words, let afterSeconds) = reply else {
        if wasAway {
          let seconds = (ContinuousClock.now - began).components.seconds
          say("the database is back after \(seconds) s")
          delays = RareComplaint()
        }
        return reply
      }
      if ended.isSet { return nil }
      (wasAway, wentAway) = (true, true)
      retries += 1
      if let line = delays.tell({ _ in "\(database.address): \(words); trying again" }) {
        say(line)
      }
      // What the database asks for, but no longer than an hour.
      let pause = afterSeconds.map { min($0, 3600) } ?? delay * Double.random(in: 0.75...1)
      delay = min(Self.longestDelay, delay * 2)
      let until = Date(timeIntervalSinceNow: pause)
      while Date() < until {
        if ended.isSet { return nil }
        usleep(20_000)
      }
    }
  }

  /// One request. This thread has nothing else to do meanwhile.
  private func ask(_ lines: ArraySlice<UInt8>) -> DatabaseReply {
    let answered = DispatchSemaphore(value: 0)
    let answer = Answer()
    let request = Task { [database] in
      answer.reply = await database.write(lines)
      answered.signal()
    }
    var endSeen: Date?
    while answered.wait(timeout: .now() + .milliseconds(100)) == .timedOut {
      guard ended.isSet else { continue }
      let since = endSeen ?? Date()
      endSeen = since
      if -since.timeIntervalSinceNow > Self.lastSeconds { request.cancel() }
    }
    return answer.reply
  }

  /// Written before the semaphore is signalled, read after it.
  private final class Answer: @unchecked Sendable {
    var reply = DatabaseReply.later(words: "no answer", afterSeconds: nil)
  }
}
