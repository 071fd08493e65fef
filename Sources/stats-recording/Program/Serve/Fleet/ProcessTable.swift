import Records

/// A row of the table of processes.
struct ProcessRow: Encodable, Equatable, Sendable {
  let pid: Int
  let name: String
  /// The ECU, of processes that a DLT daemon tells of.
  let ecu: String?
  let state: String?
  let userID: Int?
  let cpuRatio: Double?
  let residentBytes: Double?
  let threads: Int?
  let time: Double
}

/// The processes of a device as they were told last.
struct ProcessTable: Sendable {
  static let limit = 1000
  private var rows: [String: ProcessRow] = [:]
  /// When the last sample was taken of which the counts are known.
  private var lastSample: Double?
  private(set) var isChanged = false

  /// From the one that uses most CPU time on.
  mutating func sorted() -> [ProcessRow] {
    isChanged = false
    return rows.values.sorted { ($0.cpuRatio ?? 0, $1.pid) > ($1.cpuRatio ?? 0, $0.pid) }
  }

  mutating func take(_ record: PublishedRecord, _ kind: RecordKind) {
    let fields = Dictionary(record.fields)
    switch kind {
    case .processCounts:
      // One for each sample: who is in neither of the last two is gone, or uses little.
      if let lastSample { removeRows(before: lastSample - 0.5) }
      lastSample = record.time
    case .process, .processLoad:
      guard let pid = fields["pid"]?.double.flatMap({ Int(exactly: $0) }) else { return }
      let ecu = fields["ecu"]?.text
      let name = (fields["name"] ?? fields["process"])?.text ?? ""
      let whole = { (name: String) in fields[name]?.double.flatMap { Int(exactly: $0) } }
      let number = { (name: String) in fields[name]?.double.flatMap { $0.isFinite ? $0 : nil } }
      rows["\(ecu ?? "") \(pid)"] = ProcessRow(
        pid: pid, name: name, ecu: ecu, state: fields["state"]?.text, userID: whole("uid"),
        cpuRatio: number("cpu_ratio"), residentBytes: number("memory_resident_bytes"),
        threads: whole("thread_count"), time: record.time)
      isChanged = true
      if rows.count > Self.limit {
        let oldest = rows.min { $0.value.time < $1.value.time }
        if let oldest { rows[oldest.key] = nil }
      }
    default: break
    }
  }

  private mutating func removeRows(before time: Double) {
    let count = rows.count
    rows = rows.filter { $0.value.ecu != nil || $0.value.time >= time }
    if rows.count != count { isChanged = true }
  }
}
