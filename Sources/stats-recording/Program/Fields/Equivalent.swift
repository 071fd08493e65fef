import Records

/// What OpenTelemetry and node_exporter call a field: the metric, with the attributes or labels that
/// tell its series apart.
///
/// Sources: open-telemetry/semantic-conventions, `model/system`, `model/process`, `model/hardware`;
/// the metrics of prometheus-node-exporter. Where one field is several metrics, by the quantity of a
/// sensor, all are named.
struct Equivalent: Sendable {
  let openTelemetry: String?
  let nodeExporter: String?

  init(openTelemetry: String? = nil, nodeExporter: String? = nil) {
    self.openTelemetry = openTelemetry
    self.nodeExporter = nodeExporter
  }

  static func of(_ kind: RecordKind, _ field: String) -> Equivalent {
    all[kind]?[field] ?? Equivalent()
  }

  static let all = system.merging(devices) { $1 }.merging(processes) { $1 }
}
