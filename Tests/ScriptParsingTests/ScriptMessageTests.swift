import Linux
import Records
import TestSupport
import Testing

@testable import trace_consumer

struct ScriptMessageTests {
  private static let script =
    "BEGIN { @c[1] = count(); @ = sum(1); @st = stats(1); @stk[1] = stats(1); @h = hist(1); @hk[1] = hist(1); @v = 1; }"
  private let source: ScriptSource

  init() throws { source = try ScriptSource(parsing: Array(Self.script.utf8)) }

  /// What a line says, in a form that tests can write.
  private func read(_ line: String) -> String {
    switch ScriptMessage(parsing: Array(line.utf8), source) {
    case .nothing: return "nothing"
    case .printed(let text): return "printed \(text.string)"
    case .lost(let count): return "lost \(count)"
    case .words(let text): return "words \(text.string)"
    case .map(let name, let entries):
      return entries.reduce("map \(name.string)") { text, entry in
        let key = String(decoding: entry.key, as: UTF8.self)
        if entry.numbers.count < Buckets.count { return "\(text) [\(key)]=\(entry.numbers)" }
        let used = entry.numbers.enumerated().filter { $0.element != 0 }
        return "\(text) [\(key)]=\(used.map { "\($0.offset):\($0.element)" })"
      }
    }
  }

  // As bpftrace 0.17 printed them.
  private static let lines = [
    (#"{"type": "attached_probes", "data": {"probes": 2}}"#, "nothing"),
    ("", "nothing"),
    (#"{"type": "printf", "data": "hi 42 a\"b\\c\n"}"#, "printed hi 42 a\"b\\c\n"),
    (#"{"type": "printf", "data": "na\uffffffc3\uffffffafve\u001b"}"#, "printed naïve\u{1b}"),
    (#"{"type": "value", "data": [1,2]}"#, "printed [1,2]"),
    (#"{"type": "time", "data": "05\n"}"#, "printed 05\n"),
    (#"{"type": "map", "data": {"@": -1}}"#, "map _ []=[18446744073709551615]"),
    (
      #"{"type": "map", "data": {"@c": {"foo,1,-2": 1, "a": 20}}}"#, "map c [foo,1,-2]=[1] [a]=[20]"
    ),
    (#"{"type": "map", "data": {"@c": {}}}"#, "map c"),
    (#"{"type": "map", "data": {"@v": {"1": 77}}}"#, "nothing"),
    (
      #"{"type": "stats", "data": {"@st": {"count": 2, "average": 16, "total": 32}}}"#,
      "map st []=[2, 32]"
    ),
    (
      #"{"type": "stats", "data": {"@stk": {"count": {"count": 1, "average": 2, "total": 2}}}}"#,
      "map stk [count]=[1, 2]"
    ),
    (
      #"{"type": "hist", "data": {"@h": [{"max": -1, "count": 1}, {"min": 0, "max": 0, "count": 2}, {"min": 1, "max": 1, "count": 3}, {"min": 2, "max": 3, "count": 0}, {"min": 4, "max": 7, "count": 4}]}}"#,
      #"map h []=["0:3", "1:3", "3:4"]"#
    ),
    (
      #"{"type": "hist", "data": {"@hk": {"x,1": [{"min": 4611686018427387904, "max": 9223372036854775807, "count": 1}]}}}"#,
      #"map hk [x,1]=["63:1"]"#
    ),
    (#"{"type": "lost_events", "data": {"events": 2808998}}"#, "lost 2808998"),
    (
      #"{"type": "helper_error", "helper": "map_update_elem", "retcode": -7, "line": 1, "col": 50}"#,
      "lost 1"
    ),
    (
      #"{"type": "helper_error", "helper": "map_delete_elem", "retcode": -2, "line": 1, "col": 50}"#,
      "nothing"
    ),
    ("No probes to attach", "words No probes to attach"),
  ]

  @Test(arguments: lines) func aLineIsReadAsItIsPrinted(_ line: String, _ meaning: String) {
    #expect(read(line) == meaning)
  }

  /// A line that was cut off is no reading of a map: half of the keys would be missing.
  @Test(arguments: lines) func aTruncatedLineIsNoMap(_ line: String, _ meaning: String) {
    let bytes = Array(line.utf8)
    for end in bytes.indices {
      if case .map = ScriptMessage(parsing: Array(bytes[..<end]), source) {
        Issue.record("\(String(decoding: bytes[..<end], as: UTF8.self)) is a map")
      }
    }
  }

  @Test(arguments: lines) func anyBytesAreReadToTheirEnd(_ line: String, _ meaning: String) {
    let bytes = Array(line.utf8)
    for index in bytes.indices {
      for byte: UInt8 in [0, 0x22, 0x2C, 0x2D, 0x39, 0x3A, 0x5B, 0x5C, 0x5D, 0x7B, 0x7D, 0xFF] {
        var changed = bytes
        changed[index] = byte
        _ = ScriptMessage(parsing: changed, source)
      }
    }
  }

  @Test func aLineThatIsTooLongIsLeftOutAndCounted() {
    var lines = ScriptLines(limit: 5)
    var taken: [String] = []
    for part in ["a", "bc\n12", "345", "6\nxy", "z\n\n", "12345\n", "end"] {
      let cut = lines.add(Array(part.utf8)[...])
      taken += cut.map { String(decoding: $0, as: UTF8.self) }
    }
    #expect(taken == ["abc", "xyz", "12345"])
    #expect(lines.leftOut == 1)
    #expect(lines.finish().map { String(decoding: $0, as: UTF8.self) } == "end")
  }
}
