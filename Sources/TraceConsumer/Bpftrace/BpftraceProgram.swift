/// A bpftrace program and what must be known of it to read its output.
///
/// bpftrace prints maps without saying what they are, and lines without saying which probe
/// printed them. So the program that runs is not quite the one that was given:
///
/// - each `printf` also prints its probe, CPU, time and process, in front;
/// - `avg` becomes `stats`, which is the same with the count that makes averages exact;
/// - maps are renamed, and two more in front of and behind them, in the order in which bpftrace prints
///   them, say where a snapshot begins and ends.
struct BpftraceProgram: Sendable {
  enum Function: String, CaseIterable, Sendable {
    case count, sum, min, max, avg, stats, hist, lhist
    /// A variable: anything but an aggregation.
    case none
  }

  struct Map: Sendable {
    var id: TraceAggregationID
    var function = Function.none
    /// For each part of the key whether it surely is a text; nil if no key was seen.
    var keyIsText: [Bool]?
    /// The program itself empties it.
    var isCleared = false
  }

  /// What stands before each printed line, up to `tagEnd`.
  static let tagBegin: UInt8 = 0x1E
  static let tagSeparator: UInt8 = 0x1F
  static let tagEnd: UInt8 = 0x1D

  static let firstMap = "@a_snapshot"
  static let lastMap = "@z_snapshot"
  private static let prefix = "m_"

  private(set) var maps: [String: Map] = [:]
  /// What bpftrace is given.
  private(set) var source: [UInt8] = []
  private var edits: [Edit] = []

  /// From `at` on, positions of the running program on this line are `shift` columns off.
  private struct Edit {
    var line: Int
    var column: Int
    var shift: Int
  }

  /// `tagged` is false for programs whose stack has no room for what each `printf` prints in front.
  init(_ text: String, tagged: Bool = true) {
    var scanner = BpftraceScanner(text)
    var line = 1
    var lineStart = 0
    var shift = 0
    var hasBegin = false
    while let token = scanner.next() {
      let old = source.count
      switch token.kind {
      case .map:
        let name = note(token, scanner)
        source += Array("@\(Self.prefix)\(name.dropFirst())".utf8)
      case .average: source += Array("stats".utf8)
      case .printf where tagged: source += Self.tagging(token.bytes)
      case .begin:
        hasBegin = true
        source += token.bytes
        source += Array(" \(Self.markers) ".utf8)
      default: source += token.bytes
      }
      for position in old..<source.count where source[position] == UInt8(ascii: "\n") {
        line += 1
        lineStart = position + 1
        shift = 0
      }
      let grown = source.count - old - token.bytes.count
      if grown != 0 {
        shift += grown
        edits.append(Edit(line: line, column: source.count - lineStart + 1, shift: shift))
      }
    }
    if !hasBegin { source += Array("\nBEGIN { \(Self.markers) }".utf8) }
  }

  private static let markers = "\(firstMap) = 1; \(lastMap) = 1;"

  /// The map as the user knows it.
  static func userName(_ name: String) -> String {
    name.hasPrefix("@\(prefix)") ? "@\(name.dropFirst(prefix.count + 1))" : name
  }

  /// bpftrace's words with the maps' own names.
  static func userWords(_ words: String) -> String {
    words.split(separator: "@\(prefix)", omittingEmptySubsequences: false).joined(separator: "@")
  }

  /// The column of the given program for one of the running program.
  func userColumn(line: Int, column: Int) -> Int {
    let shift = edits.last { $0.line == line && $0.column <= column }?.shift ?? 0
    return max(1, column - shift)
  }

  private mutating func note(_ token: BpftraceScanner.Token, _ scanner: BpftraceScanner) -> String {
    let name = String(decoding: token.bytes, as: UTF8.self)
    let id = TraceAggregationID(number: maps.count + 1, name: name)
    var map = maps[name] ?? Map(id: id)
    let use = scanner.useOfMap()
    if let function = use.function { map.function = function }
    if let key = use.keyIsText {
      // A part is surely a text where any use says so.
      let known = map.keyIsText ?? []
      map.keyIsText =
        known.count == key.count ? zip(known, key).map { $0 || $1 } : known.isEmpty ? key : known
    }
    if token.isCleared { map.isCleared = true }
    maps[name] = map
    return name
  }

  /// `printf("x", y` with what comes in front; the bytes are `printf("x"`.
  private static func tagging(_ bytes: [UInt8]) -> [UInt8] {
    guard let quote = bytes.firstIndex(of: UInt8(ascii: "\"")) else { return bytes }
    let format = #"\x1e%s\x1f%d\x1f%llu\x1f%d\x1f%s\x1d"#
    return bytes[...quote] + Array(format.utf8) + bytes[(quote + 1)...]
      + Array(", probe, cpu, nsecs, pid, comm".utf8)
  }
}
