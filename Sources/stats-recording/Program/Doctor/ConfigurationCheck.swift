import Foundation
import Records

/// The lines of a program's configuration file, stats-recording.conf(5): `name = value`.
struct ProgramConfiguration: Equatable, Sendable {
  let entries: [(name: String, value: String)]

  /// Why a line cannot be read, as the programs say it.
  struct Mistake: Error, Equatable {
    let line: Int
    let words: String
  }

  init(parsing text: String) throws(Mistake) {
    var entries: [(name: String, value: String)] = []
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    for (index, line) in lines.enumerated() {
      let line = line.trimmingCharacters(in: .whitespaces)
      if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
      guard let equals = line.firstIndex(of: "=") else {
        throw Mistake(line: index + 1, words: "is not of the form key = value")
      }
      let name = line[..<equals].trimmingCharacters(in: .whitespaces)
      guard !name.isEmpty else {
        throw Mistake(line: index + 1, words: "has no key before the =")
      }
      let value = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
      entries.append((name, value))
    }
    self.entries = entries
  }

  init() { entries = [] }

  /// The last value counts.
  subscript(name: String) -> String? { entries.last { $0.name == name }?.value }

  func isOn(_ name: String) -> Bool { ["yes", "true", "1"].contains(self[name] ?? "") }

  static func == (left: Self, right: Self) -> Bool {
    left.entries.map { [$0.name, $0.value] } == right.entries.map { [$0.name, $0.value] }
  }
}

/// The configuration files of all programs.
struct DeviceConfigurations: Sendable {
  static let bridge = "posix-mq-to-mqtt-bridge"
  static let programs = Program.allCases.map { "\($0.name)" } + [bridge]

  private(set) var files: [String: ProgramConfiguration] = [:]
  private(set) var findings: [Finding] = []

  init(_ roots: DeviceRoots) {
    let folder = "\(roots.etc)/stats-recording"
    guard roots.exists(folder) else {
      findings.append(
        Finding(
          "configuration", .warning, "\(folder) is not there: the package is not installed",
          mend: "apt install ./stats-recording_*.deb"))
      return
    }
    for program in Self.programs where roots.exists("\(folder)/\(program).conf") {
      let path = "\(folder)/\(program).conf"
      do {
        files[program] = try ProgramConfiguration(parsing: try roots.read(path))
      } catch let mistake as ProgramConfiguration.Mistake {
        findings.append(
          Finding(
            "configuration", .problem, "\(path): line \(mistake.line) \(mistake.words)",
            mend: "editor +\(mistake.line) \(path)"))
      } catch {
        findings.append(Finding("configuration", .problem, "\(error)", mend: "chmod a+r \(path)"))
      }
    }
    if findings.isEmpty {
      findings.append(
        Finding("configuration", .ok, "\(files.count) files in \(folder) can be read"))
    }
  }

  subscript(program: String) -> ProgramConfiguration { files[program] ?? ProgramConfiguration() }
}
