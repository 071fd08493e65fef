import Foundation

/// Writes batches until the database has taken or refused every point of them.
///
/// What it refuses is found by halves, so that one bad point costs the others a few more requests and
/// nothing else. A point that comes twice is one point: whatever may have been stored is written again
/// without harm.
final class BatchWriter {
  private let database: TimeSeriesDatabase
  private let ended: OneWaySwitch
  private let say: (String) -> Void
  private var refusals = RareComplaint()
  private var delays = RareComplaint()
  private(set) var stored: UInt64 = 0
  private(set) var refused: UInt64 = 0
  private(set) var retries: UInt64 = 0

  /// Below this, "partial write … dropped=N" is believed: the others are stored. In a larger piece
  /// such an answer of one shard may hide what happened in another one.
  static let smallestPiece = 64
  static let longestDelay = 30.0
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
      case .stored: stored += UInt64(piece.count)
      case .tooLarge(let words):
        if piece.count == 1 { refuse(1, words) } else { pieces += Self.halves(piece) }
      case .refused(let words, let dropped):
        if let dropped, 0...piece.count ~= dropped,
          dropped == piece.count || piece.count <= Self.smallestPiece
        {
          stored += UInt64(piece.count - dropped)
          refuse(dropped, words)
        } else if piece.count == 1 {
          refuse(1, words)
        } else {
          pieces += Self.halves(piece)
        }
      case .later: preconditionFailure("waited for")
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
      wasAway = true
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
