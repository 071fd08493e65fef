import ArgumentParser
import Records

/// The topics that a command asks the broker for.
enum RecordTopics {
  /// Of some programs, of one device or all of them. A program whose name is not known asks for all.
  static func of(_ programs: Set<String>, device: String?, prefix: String) -> [String] {
    let known = Set(Program.allCases.map { "\($0.name)" })
    let start = "\(prefix)/\(device ?? "+")/"
    // `a/b/#` is also for `a/b`.
    return programs == known ? [start + "#"] : programs.sorted().map { start + $0 + "/#" }
  }

  /// Errors: it is no level of a topic.
  static func check(device: String?) throws(ValidationError) { try check(device, "--device") }

  /// Errors: no program is called so.
  static func check(program: String?) throws(ValidationError) {
    guard let program, program != "status" else { return }
    let names = Program.allCases.map { "\($0.name)" }
    if !names.contains(program) {
      throw ValidationError("--program \(program): one of \(names.joined(separator: ", "))")
    }
  }

  private static func check(_ level: String?, _ option: String) throws(ValidationError) {
    guard let level else { return }
    if level.isEmpty || level.contains(where: { "/+#\0".contains($0) }) {
      throw ValidationError("\(option) \(level): a level of a topic, so without / + #")
    }
  }
}
