import TestSupport
import Testing

@testable import TraceConsumer

struct BpftraceMessageTests {
  private func content(
    _ line: String, _ program: String
  ) -> (name: String, entries: [[TraceKey]: TraceValue], ambiguous: Int64)? {
    guard
      case .map(let name, let entries, let ambiguous) = BpftraceMessage(
        Array(line.utf8), of: BpftraceProgram(program))
    else { return nil }
    return (name, Dictionary(entries.map { ($0.key, $0.value) }) { $1 }, ambiguous)
  }

  @Test func rangesWithoutABoundAreOpen() throws {
    let map = try #require(
      content(
        #"""
        {"type": "hist", "data": {"@m_h": [{"max": -1, "count": 1}, {"min": 0, "max": 0, "count": 0}, {"min": 4, "max": 7, "count": 2}, {"min": 9, "count": 3}]}}
        """#, "BEGIN { @h = hist(1); }"))
    #expect(map.name == "@h")
    #expect(
      map.entries == [
        []: .quantize([TraceRange(nil, -1, 1), TraceRange(4, 7, 2), TraceRange(9, nil, 3)])
      ])
  }

  @Test func aTextOfAKeyMayHaveCommas() throws {
    let map = try #require(
      content(
        #"{"type": "map", "data": {"@m_c": {"1,a,b,-2": 1, "1,7,-2": 2}}}"#,
        "BEGIN { @c[1, comm, -2] = count(); }"))
    #expect(
      map.entries == [
        [.integer(1), .text("a,b"), .integer(-2)]: .count(1),
        [.integer(1), .text("7"), .integer(-2)]: .count(2),
      ])
  }

  @Test func keysThatLookTheSameAreAddedUpAndTold() throws {
    let map = try #require(
      content(
        #"{"type": "map", "data": {"@m_c": {"a,b,c": 1, "a,b,c": 2}}}"#,
        #"BEGIN { @c["a,b", "c"] = count(); }"#))
    #expect(map.entries.count == 1 && map.entries.values.first == .count(3))
    #expect(map.ambiguous == 1)
  }

  @Test func bytesBeyondASCIIComeBack() {
    guard
      case .printed(let probe, let text) = BpftraceMessage(
        Array(
          #"{"type": "printf", "data": "\u001euprobe:/bin/x:f\u001f1\u001f99\u001f7\u001fa b\u001d\uffffffc3\uffffffa9\n"}"#
            .utf8), of: BpftraceProgram(""))
    else {
      Issue.record("no printed line")
      return
    }
    #expect(text == "é\n")
    #expect(probe.description == "uprobe:/bin/x:f:entry")
    #expect(probe.cpu == 1 && probe.nanoseconds == 99 && probe.processID == 7)
    #expect(probe.command == "a b")
  }

  @Test func whatIsNoJSONIsWords() {
    guard
      case .words("No probes to attach") = BpftraceMessage(
        Array("No probes to attach".utf8), of: BpftraceProgram(""))
    else {
      Issue.record("not taken for words")
      return
    }
  }

  /// No mutation of a line ends the program.
  @Test func mutationsAreReadOrRefused() {
    let line = Array(
      #"{"type": "hist", "data": {"@m_h": {"a,1": [{"min": 4, "max": 7, "count": 1}]}}}"#.utf8)
    let program = BpftraceProgram("BEGIN { @h[comm, 1] = hist(1); }")
    var numbers = SeededNumbers(seed: 17)
    var refused = 0
    for _ in 0..<20_000 {
      var bytes = line
      for _ in 0..<Int.random(in: 1...4, using: &numbers) {
        bytes[Int.random(in: bytes.indices, using: &numbers)] = UInt8.random(
          in: 32...126, using: &numbers)
      }
      if case .words = BpftraceMessage(bytes, of: program) { refused += 1 }
    }
    #expect(refused > 1000)
  }
}
