/// What a look at one thing has found, and the command that mends it.
struct Finding: Equatable, Sendable {
  enum Level: String, Sendable {
    case ok
    /// Something is not there, or less than it could be; what runs does not need it.
    case warning
    case problem
  }

  let check: String
  let level: Level
  let words: String
  let remedy: String?

  init(_ check: String, _ level: Level, _ words: String, mend remedy: String? = nil) {
    self.check = check
    self.level = level
    self.words = words
    self.remedy = remedy
  }

  var line: String {
    let name = level.rawValue + String(repeating: " ", count: 8 - level.rawValue.count)
    let subject = check + String(repeating: " ", count: max(1, 14 - check.count))
    return name + subject + words + (remedy.map { "; to mend it: \($0)" } ?? "")
  }

  var json: JSONValue {
    .object(
      [
        JSONMember("check", check), JSONMember("level", level.rawValue),
        JSONMember("message", words),
      ] + (remedy.map { [JSONMember("remedy", $0)] } ?? []))
  }
}
