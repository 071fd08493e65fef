import Records

/// What of a bridge's status becomes an entity: whether records were lost, and what does not run.
enum StatusEntity {
  static func entity(_ field: String, _ topic: RecordTopic, prefix: String) -> Entity? {
    if let name = numbers[field] {
      let isPresent = field == "records_waiting" || field == "spill_bytes"
      var form = EntityForm.diagnostic(
        .sensor, stateClass: isPresent ? "measurement" : "total_increasing")
      if field == "spill_bytes" { (form.unit, form.deviceClass) = ("B", "data_size") }
      return Entity(
        status: field, name: name, form, template: EntityTemplate.status(field), topic,
        prefix: prefix)
    }
    guard field.hasSuffix("_state") else { return nil }
    let program = String(field.dropLast("_state".count))
    guard let known = Program.allCases.first(where: { key(of: $0) == program }) else { return nil }
    return Entity(
      status: field, name: "\(known.name) unavailable",
      .diagnostic(.binarySensor, deviceClass: "problem"),
      template: EntityTemplate.isUnavailable(program), topic, prefix: prefix)
  }

  private static let numbers = [
    "records_waiting": "Records waiting", "records_lost": "Records lost",
    "records_refused": "Records refused", "spill_bytes": "Records on disk",
    "messages_invalid": "Messages invalid", "connections": "Connections",
  ]

  /// As the status writes it.
  private static func key(of program: Program) -> String {
    "\(program.name)".replacing("-", with: "_")
  }
}
