import ArgumentParser
import Foundation

/// `stats-recording fields`: all that devices publish, from the programs' own list.
struct Fields: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists topics and fields, with their names in OpenTelemetry and node_exporter.",
    discussion: """
      Examples:
        stats-recording fields
        stats-recording fields 'temperature*' cyclic-sysinfo
        stats-recording fields 'cyclic-file-read/disk/*/*_bytes'
      """)

  @Flag(help: "The whole reference in Markdown.")
  var markdown = false

  @Flag(help: "The whole reference as a page of the manual, mdoc(7).")
  var man = false

  @Option(help: ArgumentHelp("The date of that page. (default: today)", valueName: "yyyy-mm-dd"))
  var date: String?

  @Argument(
    help: "Only these fields; globs, alone or behind program and place, or a program, or a kind.")
  var patterns: [String] = []

  func validate() throws {
    if markdown && man { throw ValidationError("--markdown or --man, not both") }
    if (markdown || man) && !patterns.isEmpty {
      throw ValidationError("--markdown and --man are of all fields")
    }
    _ = try pageDate()
  }

  func run() throws {
    if markdown { return print(FieldMarkdown.page, terminator: "") }
    if man { return print(FieldManual.page(date: try pageDate()), terminator: "") }
    let kinds = KindReference.matching(patterns.map(FieldPattern.init))
    if kinds.isEmpty {
      for pattern in patterns { try FieldCatalog.check(pattern) }
      throw ValidationError("no field matches \(patterns.joined(separator: ", "))")
    }
    for line in FieldText.lines(kinds).dropLast() { print(line) }
  }

  /// As mdoc(7) wants it, `November 25, 2026`.
  private func pageDate() throws -> String {
    let format = Date.ISO8601FormatStyle().year().month().day()
    let day: Date
    if let date {
      guard let given = try? format.parse(date) else {
        throw ValidationError("--date \(date): a day such as 2026-11-25")
      }
      day = given
    } else {
      day = Date()
    }
    let parts = Calendar(identifier: .gregorian)
      .dateComponents(in: TimeZone(identifier: "UTC") ?? .current, from: day)
    let months = [
      "January", "February", "March", "April", "May", "June", "July", "August", "September",
      "October", "November", "December",
    ]
    return "\(months[(parts.month ?? 1) - 1]) \(parts.day ?? 1), \(parts.year ?? 1970)"
  }
}
