/// A line of bpftrace's output, `-f json`.
///
/// ```
/// {"type": "attached_probes", "data": {"probes": 1}}
/// {"type": "printf", "data": "hi\n"}
/// {"type": "value", "data": [1,2]}
/// {"type": "map", "data": {"@c": {"foo,1,-2": 1}}}
/// {"type": "stats", "data": {"@st": {"count": 2, "average": 16, "total": 32}}}
/// {"type": "hist", "data": {"@h": [{"max": -1, "count": 1}, {"min": 4, "max": 7, "count": 2}]}}
/// {"type": "lost_events", "data": {"events": 28}}
/// {"type": "helper_error", "helper": "map_update_elem", "retcode": -7, "line": 1, "col": 34}
/// ```
enum BpftraceMessage {
  case printed(TraceProbe, String)
  case values([TraceKey])
  case map(name: String, [(key: [TraceKey], value: TraceValue)], ambiguous: Int64)
  case lostEvents(Int64)
  case helperError(helper: String, code: Int64, line: Int, column: Int)
  /// That the program began, or an empty line.
  case nothing
  /// What is no such line, such as `No probes to attach`.
  case words(String)

  init(_ line: [UInt8], of program: BpftraceProgram) {
    guard !line.isEmpty else {
      self = .nothing
      return
    }
    guard let json = BpftraceJSON(parsing: line), let type = json["type"]?.text else {
      self = .words(String(decoding: line, as: UTF8.self))
      return
    }
    switch type {
    case "attached_probes": self = .nothing
    case "printf": self = Self.printed(json["data"])
    case "map", "hist", "stats":
      guard let member = json["data"]?.members?.first else {
        self = .nothing
        return
      }
      let name = BpftraceProgram.userName(String(decoding: member.name, as: UTF8.self))
      let content = BpftraceMapContent(member.value, program.maps[name])
      self = .map(name: name, content.entries, ambiguous: content.ambiguous)
    case "lost_events": self = .lostEvents(json["data"]?["events"]?.integer ?? 1)
    case "helper_error":
      self = .helperError(
        helper: json["helper"]?.text ?? "", code: json["retcode"]?.integer ?? 0,
        line: Int(json["line"]?.integer ?? 0), column: Int(json["col"]?.integer ?? 0))
    case "value": self = .values(Self.values(json["data"]))
    default:
      // time, cat, join, system: what a program prints without a probe of its own.
      self = .printed(Self.engine, json["data"]?.text ?? "")
    }
  }

  /// Where what comes from has not been said.
  static let engine = TraceProbe(provider: "bpftrace")

  private static func printed(_ data: BpftraceJSON?) -> Self {
    guard case .text(let bytes) = data else { return .nothing }
    guard bytes.first == BpftraceProgram.tagBegin,
      let end = bytes.firstIndex(of: BpftraceProgram.tagEnd)
    else { return .printed(engine, String(decoding: bytes, as: UTF8.self)) }
    let parts = bytes[1..<end].split(
      separator: BpftraceProgram.tagSeparator, maxSplits: 4, omittingEmptySubsequences: false
    ).map { String(decoding: $0, as: UTF8.self) }
    var probe = parts.first.map { TraceProbe(bpftrace: $0) } ?? engine
    if parts.count == 5 {
      probe.cpu = Int(parts[1])
      probe.nanoseconds = UInt64(parts[2])
      probe.processID = Int(parts[3])
      probe.command = parts[4]
    }
    return .printed(probe, String(decoding: bytes[(end + 1)...], as: UTF8.self))
  }

  private static func values(_ data: BpftraceJSON?) -> [TraceKey] {
    switch data {
    case .integer(let number): [.integer(number)]
    case .text(let bytes): [.text(String(decoding: bytes, as: UTF8.self))]
    case .array(let elements): elements.flatMap { values($0) }
    case .object(let members):
      members.flatMap { [.text(String(decoding: $0.name, as: UTF8.self))] + values($0.value) }
    default: []
    }
  }
}

extension TraceProbe {
  /// From bpftrace's `probe`, such as `tracepoint:syscalls:sys_enter_read`.
  init(bpftrace name: String) {
    let parts = name.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    let last = parts.last ?? ""
    switch (parts[0], parts.count) {
    case ("kprobe", 2...), ("kfunc", 2...):
      self.init(provider: parts[0], function: last, name: "entry")
    case ("kretprobe", 2...), ("kretfunc", 2...):
      self.init(provider: parts[0], function: last, name: "return")
    case ("uprobe", 3...):
      self.init(provider: parts[0], module: parts[1], function: last, name: "entry")
    case ("uretprobe", 3...):
      self.init(provider: parts[0], module: parts[1], function: last, name: "return")
    case ("usdt", 4...):
      self.init(provider: parts[0], module: parts[1], function: parts[2], name: last)
    case ("tracepoint", 3...): self.init(provider: parts[0], module: parts[1], name: last)
    case (let provider, 2...):
      self.init(provider: provider, name: parts.dropFirst().joined(separator: ":"))
    default: self.init(provider: "bpftrace", name: name)
    }
  }
}
