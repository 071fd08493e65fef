/// The reference for a terminal.
enum FieldText {
  static func lines(_ kinds: [KindReference]) -> [String] {
    kinds.flatMap { reference in
      var lines = reference.topics.map { "stats/<device>/\($0)  \(reference.name)" }
      for entry in reference.entries {
        lines.append("  \(entry.name)  \(entry.unitName), \(entry.nature): \(entry.meaning)")
        let names = [
          ("OpenTelemetry", entry.openTelemetry), ("node_exporter", entry.nodeExporter),
        ].filter { $0.1 != FieldCatalog.Entry.none }.map { "\($0.0) \($0.1)" }
        if !names.isEmpty { lines.append("      \(names.joined(separator: "; "))") }
      }
      return lines + [""]
    }
  }
}

/// The same as a page in Markdown.
enum FieldMarkdown {
  static var page: String {
    var lines = [
      "# Topics and fields", "",
      "All that devices publish, from the list that the programs themselves use. Made by",
      "`stats-recording fields --markdown`; a test holds it equal.", "",
      "A topic stands behind `stats/<device>/`; what is in `<…>` is a field of the record. A `?` means",
      "that some machines do not have the field; it has no key then. What begins every record is in",
      "[README.md](../README.md#what-arrives). A counter only grows, until its source starts anew.",
      "`-`: there is no equivalent. Units may differ: node_exporter counts what was paged in KiB, what was",
      "discarded in sectors, and the speed of a link in bytes per second.", "",
    ]
    for reference in KindReference.all {
      lines += ["## \(reference.name)", ""]
      lines += reference.topics.map { "`\($0)`" } + [""]
      lines += [
        "| field | unit | nature | meaning | OpenTelemetry | node_exporter |",
        "|---|---|---|---|---|---|",
      ]
      lines += reference.entries.map { entry in
        let cells = [
          "`\(entry.name)`", entry.unitName, entry.nature, escaped(entry.meaning),
          code(entry.openTelemetry), code(entry.nodeExporter),
        ]
        return "| \(cells.joined(separator: " | ")) |"
      }
      lines.append("")
    }
    return lines.dropLast().joined(separator: "\n") + "\n"
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("|", with: "\\|").replacing("<", with: "\\<")
  }

  private static func code(_ names: String) -> String {
    if names == FieldCatalog.Entry.none { return names }
    return names.split(separator: ", ").map { "`\($0)`" }.joined(separator: " ")
  }
}
