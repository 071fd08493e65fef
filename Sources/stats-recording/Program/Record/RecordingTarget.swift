/// Where records are written to.
protocol RecordingTarget: AnyObject {
  /// What it is called in lines for people.
  var path: String { get }
  /// The latest arrival that is in it already; 0 if there is none.
  var lastReceived: Int64 { get }
  /// Writes them now. What cannot be written is counted and told as a notice, and may be written again.
  func write(_ arrivals: [Arrival], failed: inout [Arrival]) -> RecordingCount
  /// Rotates and removes what is due. Called about once a second.
  func tidy()
  func close()
  /// What a person should hear of, one line each, since it was asked for last.
  func takeNotices() -> [String]
  /// What was removed to keep within the limits, in words; nil where there are none.
  var removed: String? { get }
}

extension RecordingTarget {
  func write(_ arrivals: [Arrival]) -> RecordingCount {
    var failed: [Arrival] = []
    return write(arrivals, failed: &failed)
  }
}

/// What became of records that were to be written.
struct RecordingCount: Equatable, Sendable {
  var written = 0
  var duplicated = 0
  /// There was no room, or the disk failed.
  var notWritten = 0

  static func += (left: inout RecordingCount, right: RecordingCount) {
    left.written += right.written
    left.duplicated += right.duplicated
    left.notWritten += right.notWritten
  }
}

/// How much of a recording is kept. All are off where they are nil.
struct RecordingLimits: Sendable {
  var rotateSize: Int?
  var rotateAge: Int64?
  var keepSize: Int?
  var keepAge: Int64?
}

/// Tells a fault once, and when it is over how many records it cost.
struct RecordingFault {
  /// What could not be written is tried again until it can.
  let isHeld: Bool
  private var notWritten = 0

  init(isHeld: Bool) { self.isHeld = isHeld }

  /// A line to be told, if any.
  mutating func failed(_ failure: RecordingFailure, records: Int) -> String? {
    defer { notWritten += max(records, 1) }
    let what = isHeld ? "records wait with the broker" : "records are not written"
    return notWritten == 0 ? "\(failure); \(what) until that is over" : nil
  }

  mutating func succeeded(_ path: String) -> String? {
    defer { notWritten = 0 }
    guard notWritten > 0 else { return nil }
    return "\(path): writing again" + (isHeld ? "" : "; \(notWritten) records were not written")
  }
}
