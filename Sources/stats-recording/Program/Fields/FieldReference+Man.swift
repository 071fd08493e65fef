/// The reference as a page of the manual in section 7, mdoc(7).
enum FieldManual {
  /// `date` as in `November 25, 2026`.
  static func page(date: String) -> String {
    var lines = [
      ".\\\" Made by stats-recording fields --man; a test holds it equal.",
      ".Dd \(date)", ".Dt STATS-RECORDING-FIELDS 7", ".Os", ".Sh NAME",
      ".Nm stats-recording-fields", ".Nd topics and fields that stats-recording publishes",
      ".Sh DESCRIPTION",
      "Topics stand behind", ".Pa stats/DEVICE/ ;",
      "what is in angle brackets is a field of the record.",
      "Behind each field are its unit and what it is: a counter only grows, until its source starts anew;",
      "an identity says which thing the record is about.",
      ".Dq if known", "means that some machines do not have it; it has no key then.",
      "OTel and NE stand before the names that OpenTelemetry and node_exporter have for it, with the attributes",
      "or labels that tell their series apart; their units may differ.", ".Pp",
      "The keys with which every record begins are in", ".Xr stats-recording 8 .",
    ]
    for reference in KindReference.all {
      lines += [".Sh \(reference.name.uppercased().replacing("_", with: " "))"]
      for (index, topic) in reference.topics.enumerated() {
        if index > 0 { lines.append(".br") }
        lines.append(".Pa \(escaped(topic))")
      }
      lines.append(".Bl -tag -width Ds -compact")
      for entry in reference.entries { lines += item(entry) }
      lines.append(".El")
    }
    lines += [
      ".Sh SEE ALSO", ".Xr stats-recording 1 ,", ".Xr posix-mq-to-mqtt-bridge 8 ,",
      ".Xr stats-recording 8",
    ]
    return lines.joined(separator: "\n") + "\n"
  }

  private static func item(_ entry: FieldCatalog.Entry) -> [String] {
    let unit = entry.unitName == FieldCatalog.Entry.none ? [] : [entry.unitName]
    let isOptional = entry.nature.hasSuffix("?")
    let nature = isOptional ? String(entry.nature.dropLast()) : entry.nature
    let remarks = unit + [nature] + (isOptional ? ["if known"] : [])
    var lines = [".It Va \(entry.name) Pq \(escaped(remarks.joined(separator: ", ")))"]
    lines += sentence(entry.meaning)
    for (word, names) in [("OTel", entry.openTelemetry), ("NE", entry.nodeExporter)]
    where names != FieldCatalog.Entry.none {
      lines += [".br", "\(word): \(escaped(names))"]
    }
    return lines
  }

  private static func sentence(_ text: String) -> [String] {
    let text = text.hasSuffix(".") ? text : text + "."
    return [escaped(text)]
  }

  /// roff takes a backslash for an escape, and a dot or a quote at the start for a request.
  private static func escaped(_ text: String) -> String {
    let text = text.replacing("\\", with: "\\e").replacing("…", with: "...")
      .replacing("°", with: "\\(de")
    return text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" + text : text
  }
}
