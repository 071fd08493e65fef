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
  static func check(device: String?) throws(ValidationError) {
    guard let device else { return }
    if device.isEmpty || device.contains(where: { "/+#\0".contains($0) }) {
      throw ValidationError("--device \(device): a device's id is without / + #")
    }
  }
}
