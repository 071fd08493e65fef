import Linux

/// What must be known of a bpftrace script to read what it prints: bpftrace does not say whether a number
/// is a count or a variable.
///
/// ```
/// tracepoint:syscalls:sys_enter_read { @calls[comm] = count(); @start[tid] = nsecs; }
/// END { clear(@start); }
/// ```
///
/// Only what is assigned to maps is looked for, and what empties or shortens them; all else is bpftrace's.
struct ScriptSource {
  /// How a map is told.
  enum Form: Equatable {
    case count, sum, histogram
    /// Their number and their sum, `NAME.count` and `NAME.total`.
    case statistics
  }

  struct Map: Equatable {
    /// Without the `@`, which is all there is of the name of some: `_`.
    let name: Text
    let form: Form
  }

  private(set) var maps: [Map] = []

  /// What cannot be told, and where.
  struct Refusal: Error {
    let line: Int
    let reason: Text
  }

  private struct Use {
    let map: Text
    let call: Text
    let line: Int
  }

  init(parsing bytes: [UInt8]) throws(Refusal) {
    var words = ScriptWords(bytes)
    var uses: [Use] = []
    // The name before the last parenthesis.
    var call: Text = ""
    var lastWord: Text = ""
    while let word = words.next() {
      switch word {
      case .name(let name): lastWord = name
      case .sign(UInt8(ascii: "(")):
        call = lastWord
        lastWord = ""
      case .sign(UInt8(ascii: ")")), .sign(UInt8(ascii: ";")), .sign(UInt8(ascii: "{")): call = ""
      case .map(let bytes):
        let name = Self.name(bytes)
        let line = words.line
        if let function = words.functionAssigned() {
          if let form = try Self.form(function, name, line), self[name] == nil {
            maps.append(Map(name: name, form: form))
          }
        } else if Self.empties(call) || (call == "print" && words.isFollowedByComma) {
          uses.append(Use(map: name, call: call, line: line))
        }
      case .sign: break
      }
    }
    for use in uses where self[use.map] != nil {
      throw Refusal(
        line: use.line,
        reason:
          "\(use.call)(@\(use.map)): take it out: maps are to grow, the difference is told at each interval"
      )
    }
  }

  /// Nil for a variable.
  subscript(name: Text) -> Form? {
    for map in maps where map.name == name { return map.form }
    return nil
  }

  static func name(_ bytes: Text) -> Text { bytes.isEmpty ? "_" : bytes }

  private static func empties(_ call: Text) -> Bool {
    call == "clear" || call == "zero" || call == "delete"
  }

  private static func form(_ function: Text, _ map: Text, _ line: Int) throws(Refusal) -> Form? {
    if function == "count" { return .count }
    if function == "sum" { return .sum }
    if function == "hist" { return .histogram }
    if function == "stats" { return .statistics }
    if function == "avg" || function == "min" || function == "max" {
      throw Refusal(
        line: line,
        reason: "@\(map) = \(function)(): cannot be told by interval: use stats() or hist()")
    }
    if function == "lhist" {
      throw Refusal(
        line: line,
        reason: "@\(map) = lhist(): its buckets do not end at powers of two: use hist()")
    }
    return nil
  }
}
