import Foundation
import Records
import Testing

@testable import DeviceRig
@testable import stats_recording

/// A query of a panel, with what the panel shows its values as.
private struct PanelQuery {
  let dashboard: String
  let panel: String
  let type: String
  let unit: String?
  let query: String
  /// Of a table's column.
  let columnUnits: [String: String]
}

@Suite struct DashboardTests {
  static let folder = ServerRig.source.appending(path: "grafana/dashboards")
  static let names = ["device", "fleet", "pressure-and-crashes", "process", "tracing"]

  private static func dashboard(_ name: String) throws -> [String: Any] {
    let data = try Data(contentsOf: folder.appending(path: "\(name).json"))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  private static func queries(_ name: String) throws -> [PanelQuery] {
    var queries: [PanelQuery] = []
    for panel in try dashboard(name)["panels"] as? [[String: Any]] ?? [] {
      let configuration = panel["fieldConfig"] as? [String: Any]
      let defaults = configuration?["defaults"] as? [String: Any]
      var columns: [String: String] = [:]
      for override in configuration?["overrides"] as? [[String: Any]] ?? [] {
        let matcher = override["matcher"] as? [String: Any]
        let property = (override["properties"] as? [[String: Any]])?.first
        if let column = matcher?["options"] as? String {
          columns[column] = property?["value"] as? String
        }
      }
      for target in panel["targets"] as? [[String: Any]] ?? [] {
        queries.append(
          PanelQuery(
            dashboard: name, panel: panel["title"] as? String ?? "",
            type: panel["type"] as? String ?? "", unit: defaults?["unit"] as? String,
            query: try #require(target["query"] as? String), columnUnits: columns))
      }
    }
    try #require(!queries.isEmpty, "\(name) has no queries")
    return queries
  }

  /// The names of the variables and their queries; one may use those before it.
  private static func variables(_ name: String) throws -> [(name: String, query: String)] {
    let list =
      (try dashboard(name)["templating"] as? [String: Any])?["list"] as? [[String: Any]] ?? []
    return list.compactMap {
      guard let name = $0["name"] as? String, let query = $0["query"] as? String else { return nil }
      return (name, query)
    }
  }

  // MARK: The schema

  private static let envelope: Set = ["boot_id", "instance", "seq", "dropped", "clock_synced"]

  /// Of the bridge's own status; that they exist, the queries below show.
  private static let statusFields: Set = [
    "state", "version", "records_waiting", "records_lost", "records_refused", "connections",
  ]

  /// The tags and the fields of a measurement; nil if there is no such kind.
  private static func schema(
    _ measurement: String
  ) -> (tags: Set<String>, fields: [String: ListedField?])? {
    if measurement == "bridge_status" {
      return (["device"], Dictionary(uniqueKeysWithValues: statusFields.map { ($0, nil) }))
    }
    let entries = FieldCatalog.entries.filter { "\($0.kind.name)" == measurement }
    guard !entries.isEmpty else { return nil }
    let tags = entries.filter(\.isIdentity).map {
      RecordPoint.tagName($0.name, kind: measurement)
    }
    var fields: [String: ListedField?] = [:]
    for entry in entries where !entry.isIdentity { fields[entry.name] = .some(entry.listed) }
    if entries.contains(where: { $0.listed.form == .buckets }) {
      for bits in 0..<64 { fields.updateValue(nil, forKey: "le_\(UInt64(1) << bits - 1)") }
    }
    for name in envelope { fields.updateValue(nil, forKey: name) }
    return (Set(tags).union(["device", "program"]), fields)
  }

  private static func names(_ text: Substring) -> Set<String> {
    Set(text.matches(of: #/"([^"]+)"/#).map { String($0.1) })
  }

  /// SELECT, FROM, WHERE and GROUP BY of a query.
  private static func parts(
    _ query: String
  ) throws -> (select: Substring, measurement: String, condition: Substring, group: Substring) {
    let match = try #require(
      query.wholeMatch(
        of:
          #/SELECT (.+) FROM "(\w+)" WHERE (.+?)(?: GROUP BY (.+?))?(?: fill\(null\))?(?: ORDER BY time DESC LIMIT \d+)?/#
      ), "\(query)")
    return (match.1, String(match.2), match.3, match.4 ?? "")
  }

  @Test(arguments: names) func everyQueryNamesWhatExists(_ name: String) throws {
    for query in try Self.queries(name) {
      let parts = try Self.parts(query.query)
      let schema = try #require(Self.schema(parts.measurement), "\(query)")
      let fields = Set(schema.fields.keys)
      let aliases = Set(parts.select.matches(of: #/AS "([^"]+)"/#).map { String($0.1) })
      let selected = Self.names(parts.select.replacing(#/ AS "[^"]+"/#, with: "")[...])
      #expect(!selected.isDisjoint(with: fields), "only tags: \(query)")
      // A table shows tags beside fields; a function takes fields alone.
      #expect(
        selected.isSubset(of: query.type == "table" ? fields.union(schema.tags) : fields),
        "\(query) \(aliases)")
      let compared = Self.names(parts.condition)
      #expect(compared.isSubset(of: fields.union(schema.tags)), "\(query)")
      #expect(Self.names(parts.group).isSubset(of: schema.tags), "\(query)")
    }
  }

  /// Grafana's unit for a field, drawn as it is or by its rate.
  private static func unit(_ field: Field, isRate: Bool) -> String? {
    switch (field.unit, isRate) {
    case (.seconds, false): "s"
    // Seconds in a second.
    case (.seconds, true), (.ratio, _): "percentunit"
    case (.bytes, false): "bytes"
    case (.bytes, true): "Bps"
    case (.count, false): "short"
    case (.count, true): "cps"
    case (.hertz, _): "hertz"
    case (.celsius, _): "celsius"
    case (.decibelMilliwatts, _): "dBm"
    case (.none, false): "none"
    default: nil
    }
  }

  @Test(arguments: names) func everyPanelHasTheUnitOfItsFields(_ name: String) throws {
    var compared = 0
    for query in try Self.queries(name) {
      let parts = try Self.parts(query.query)
      let schema = try #require(Self.schema(parts.measurement))
      let isRate = parts.select.contains("derivative")
      for field in Self.names(parts.select.replacing(#/ AS "[^"]+"/#, with: "")[...]) {
        guard let listed = schema.fields[field] ?? nil else { continue }
        compared += 1
        switch query.type {
        case "table":
          let unit = Self.unit(listed.field, isRate: false)
          let shown = query.columnUnits[field]
          #expect(shown == (["s", "bytes"].contains(unit) ? unit : nil), "\(field) \(query)")
        case "timeseries":
          #expect(query.unit == Self.unit(listed.field, isRate: isRate), "\(field) \(query)")
          #expect(isRate == (listed.field.nature == .counter), "\(field) \(query)")
        case "heatmap": Issue.record("a heat map shows buckets, not \(field)")
        default: #expect(query.unit == (listed.form == .boolean ? "bool" : "none"), "\(query)")
        }
      }
    }
    #expect(compared > 5)
  }

  // MARK: The queries themselves

  /// Every query, with its variables filled in as Grafana does, has rows of records of all kinds.
  @Test(
    .needs(command: "mosquitto"), .needs(command: "mosquitto_pub"), .needs(command: "influxd"),
    .timeLimit(.minutes(3)))
  func everyQueryHasAnAnswer() throws {
    let rig = try Rig()
    let database = try InfluxServer(in: rig.folder)
    try database.create()
    let tool = try rig.influx(database)
    // The status of a real bridge, and two records of each kind.
    let bridge = try rig.bridge()
    for kind in RecordKind.allCases { try publish(kind, rig) }
    try bridge.stop()
    try eventually("all kinds are there", within: 20) {
      try RecordKind.allCases.allSatisfy { try database.count("\($0.name)") == 2 }
    }
    #expect(try tool.stop() == 0)

    var asked = 0
    for name in Self.names {
      var values: [String: String] = [:]
      for (variable, query) in try Self.variables(name) {
        let rows = try database.query(Self.filled(query, values))
        values[variable] = try #require(rows.first?["value"] as? String, "\(query)")
      }
      for query in try Self.queries(name) {
        let text = Self.filled(query.query, values)
        let rows = try database.query(text).filter { row in
          row.contains { !["time", "name"].contains($0.key) }
        }
        #expect(!rows.isEmpty, "\(query.panel): \(text)")
        asked += 1
      }
    }
    print("\(asked) queries of \(Self.names.count) dashboards answered")
    #expect(asked > 60)
  }

  private static func filled(_ query: String, _ variables: [String: String]) -> String {
    var text = query.replacing("$timeFilter", with: "time >= now() - 1h")
      .replacing("$__interval", with: "10s")
    for (name, value) in variables { text = text.replacing("$\(name)$", with: "\(value)$") }
    return text
  }

  /// Two records, 20 s apart, whose counters have grown.
  private func publish(_ kind: RecordKind, _ rig: Rig) throws {
    let program = kind.program.map { "\($0.name)" } ?? "cyclic-sysinfo"
    let now = Date().timeIntervalSince1970
    let lines = (0..<2).map { index in
      let fields = kind.fields.map { "\"\($0.field.name)\":\(Self.value($0, index))" }
      return #"{"v":1,"kind":"\#(kind.name)","time":\#(Int(now) - 40 + 20 * index),"boot_id":"b","#
        + #""instance":1,"seq":\#(index),"dropped":0,"clock_synced":true,"#
        + fields.joined(separator: ",") + "}"
    }
    let path = rig.folder.appending(path: "\(kind.name).json").path()
    try (lines.joined(separator: "\n") + "\n").write(
      toFile: path, atomically: true, encoding: .utf8)
    let publisher = try ChildProcess(
      [
        try #require(Machine.command("mosquitto_pub")), "-h", "127.0.0.1", "-p",
        "\(rig.broker().port)", "-V", "5", "-q", "1", "-l", "-t", "stats/\(rig.name)/\(program)/x",
      ], name: "mosquitto_pub", in: rig.folder, input: path)
    try #require(try publisher.wait() == 0, "\(publisher.log)")
  }

  /// Values that the conditions of the dashboards let through.
  private static func value(_ listed: ListedField, _ index: Int) -> String {
    switch ("\(listed.field.name)", listed.form) {
    case ("cpu", _): "\"total\""
    case ("resource", _): "\"cpu\""
    case ("active_state", _): "\"failed\""
    case ("is_partition", _): "false"
    // One process of one name everywhere.
    case (_, .text), (_, .name): "\"x\""
    case (_, .boolean): "true"
    case (_, .buckets): #"[\#(1 + index),2],"upper_bounds":[0,1]"#
    case (_, .integer): listed.field.nature == .identity ? "5" : "\(1 + index)"
    case (_, .decimal): listed.field.nature == .identity ? "5.5" : "\(1 + index).5"
    }
  }
}
