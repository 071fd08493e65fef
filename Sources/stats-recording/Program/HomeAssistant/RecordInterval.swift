/// How far the records of one thing are apart, from the last few of them.
struct RecordInterval: Sendable {
  private var last: Double?
  private var gaps: [Double] = []
  /// What was told last: it changes only when the interval does, not with every delay.
  private(set) var expireAfterSeconds: Int?

  static let minimumSeconds = 10

  /// Takes the time of the last record of a message. Returns whether a new value should be told.
  mutating func take(time: Double) -> Bool {
    defer { last = time }
    guard let last, time > last else { return false }
    gaps.append(time - last)
    if gaps.count > 5 { gaps.removeFirst() }
    let median = gaps.sorted()[gaps.count / 2]
    let seconds = max(Self.minimumSeconds, Int(min(median * 3, 1e7).rounded(.up)))
    if let told = expireAfterSeconds, seconds * 2 >= told, seconds * 2 <= told * 3 { return false }
    expireAfterSeconds = seconds
    return true
  }
}
