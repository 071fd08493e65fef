import Foundation

/// What a database says to a write, by what has to be done about it.
enum DatabaseReply: Equatable, Sendable {
  /// It has taken all points.
  case stored
  /// It will never take some of them, or all; `dropped` says how many, where the database does.
  case refused(words: String, dropped: Int?)
  /// Too much at once.
  case tooLarge(words: String)
  /// Not now: it is away, busy, or somebody has to mend something. Nothing is wrong with the points.
  case later(words: String, afterSeconds: Double?)

  /// Of an answer by HTTP, from the references of InfluxDB's `/write` and `/api/v2/write`.
  ///
  /// 204 alone is a yes. 400 and 422 in InfluxDB's own words are about the points; some of them may
  /// have been stored. The rest, also a wrong token or database, or what a proxy before it says, can
  /// be mended while the points wait.
  init(status: UInt, body: [UInt8], retryAfter: String? = nil) {
    let error = Self.error(body)
    let words = Self.line(error ?? String(decoding: body, as: UTF8.self))
    switch (status, error) {
    case (204, _): self = .stored
    case (400, _?), (422, _?): self = .refused(words: words, dropped: Self.dropped(words))
    case (413, _): self = .tooLarge(words: words.isEmpty ? "HTTP status 413" : words)
    default:
      var told = words.isEmpty ? "HTTP status \(status)" : "\(words) (HTTP status \(status))"
      if 200..<400 ~= status { told += ": is this the address of InfluxDB?" }
      self = .later(words: told, afterSeconds: retryAfter.flatMap(Double.init).map { max(0, $0) })
    }
  }

  /// `{"error":"…"}` of version 1, `{"code":"…","message":"…"}` of version 2.
  private static func error(_ body: [UInt8]) -> String? {
    let members = (try? JSONValue(parsing: body))?.members
    return members?["error"]?.text ?? members?["message"]?.text
  }

  private static func line(_ text: String) -> String {
    let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
    return line.count > 300 ? line.prefix(300) + "…" : line
  }

  /// `partial write: field type conflict: … dropped=3`: the other points were stored.
  private static func dropped(_ words: String) -> Int? {
    guard words.contains("partial write"), let match = words.firstMatch(of: #/dropped=(\d+)/#)
    else { return nil }
    return Int(match.1)
  }
}
