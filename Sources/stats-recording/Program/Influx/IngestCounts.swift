/// What has become of the messages.
struct IngestCounts: Equatable, Sendable {
  var messages: UInt64 = 0
  var records: UInt64 = 0
  var statuses: UInt64 = 0
  /// Last wills, which have no time.
  var statusesWithoutTime: UInt64 = 0
  /// Messages that are no records of ours.
  var notUnderstood: UInt64 = 0
  /// Values of records that a point cannot hold.
  var valuesLeftOut: UInt64 = 0
  /// Points that the database has taken.
  var pointsStored: UInt64 = 0
  /// Points that it never will take.
  var pointsRefused: UInt64 = 0
  /// Writes that had to be tried again.
  var retries: UInt64 = 0

  var readable: String {
    var parts = [
      "\(messages) messages", "\(records) records", "\(pointsStored) points stored",
      "\(pointsRefused) refused",
    ]
    func add(_ count: UInt64, _ what: String) { if count > 0 { parts.append("\(count) \(what)") } }
    add(notUnderstood, "messages not understood")
    add(valuesLeftOut, "values left out")
    add(statusesWithoutTime, "statuses without a time")
    add(retries, "writes tried again")
    return parts.joined(separator: ", ")
  }
}

/// Says the same thing at once and then at most once a minute, with how often it has happened since.
struct RareComplaint {
  private var last: ContinuousClock.Instant?
  private var count: UInt64 = 0

  static let pause = Duration.seconds(60)

  /// `words` of the newest case; it is made only if it is said.
  mutating func tell(
    count more: UInt64 = 1, at now: ContinuousClock.Instant = .now, _ words: (UInt64) -> String
  ) -> String? {
    count += more
    if let last, now - last < Self.pause { return nil }
    defer {
      last = now
      count = 0
    }
    return words(count)
  }
}
