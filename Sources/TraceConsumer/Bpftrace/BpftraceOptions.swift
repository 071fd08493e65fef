import Foundation

/// The options of the bpftrace engine.
struct BpftraceOptions: Sendable {
  private(set) var environment: [String: String] = [:]
  private(set) var arguments: [String] = []
  private(set) var attachSeconds = 60.0
  private(set) var stopSeconds = 60.0
  private(set) var checksHelpers = true

  /// Those whose value bpftrace takes from its environment.
  private static let variables = [
    "map_keys": ["BPFTRACE_MAP_KEYS_MAX"], "string_bytes": ["BPFTRACE_STRLEN"],
    "buffer_pages": ["BPFTRACE_PERF_RB_PAGES"],
    "probes": ["BPFTRACE_MAX_PROBES", "BPFTRACE_MAX_BPF_PROGS"],
  ]
  static let known =
    (variables.keys + [
      "attach_timeout", "stop_timeout", "helper_errors", "include", "pid", "unsafe",
    ]).sorted()

  mutating func set(_ name: String, _ value: String) throws(TraceError) {
    func refuse(_ wanted: String) -> TraceError {
      .badValue(option: name, value: value, wanted: wanted)
    }
    switch name {
    case _ where Self.variables[name] != nil:
      guard let number = Int(value), number > 0 else { throw refuse("a number above 0") }
      for variable in Self.variables[name] ?? [] { environment[variable] = value }
    case "attach_timeout", "stop_timeout":
      guard let seconds = Double(value), seconds > 0, seconds < 86_400 else {
        throw refuse("seconds above 0")
      }
      if name == "stop_timeout" { stopSeconds = seconds } else { attachSeconds = seconds }
    case "helper_errors":
      guard ["on", "off"].contains(value) else { throw refuse("on or off") }
      checksHelpers = value == "on"
    case "include":
      guard !value.isEmpty else { throw refuse("a file") }
      arguments += ["--include", value]
    case "pid":
      guard let number = Int(value), number > 0 else { throw refuse("a process id") }
      arguments += ["-p", value]
    case "unsafe":
      guard value.isEmpty || value == "on" else { throw refuse("on") }
      arguments.append("--unsafe")
    default: throw .unknownOption(name, known: Self.known)
    }
  }
}
