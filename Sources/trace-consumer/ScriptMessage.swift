import Bpftrace
import Linux
import Records

/// A line of what bpftrace(8) prints with `-f json`.
///
/// ```
/// {"type": "attached_probes", "data": {"probes": 1}}
/// {"type": "printf", "data": "hi\n"}
/// {"type": "value", "data": [1,2]}
/// {"type": "map", "data": {"@c": {"foo,1,-2": 1}}}
/// {"type": "stats", "data": {"@st": {"count": 2, "average": 16, "total": 32}}}
/// {"type": "hist", "data": {"@h": [{"max": -1, "count": 1}, {"min": 4, "max": 7, "count": 2}]}}
/// {"type": "hist", "data": {"@hk": {"a,1": [{"min": 4, "max": 7, "count": 1}]}}}
/// {"type": "lost_events", "data": {"events": 28}}
/// {"type": "helper_error", "helper": "map_update_elem", "retcode": -7, "line": 1, "col": 34}
/// ```
enum ScriptMessage {
  /// `printf`, or what else prints: `time`, `join`, `cat`, `value`.
  case printed(Text)
  /// A map as it stands; the same key may come twice.
  case map(Text, [Entry])
  /// What bpftrace could not read in time, or a key that found no room in its map.
  case lost(UInt64)
  /// An empty line, that the script began, a variable.
  case nothing
  /// What is no such line: `No probes to attach`.
  case words(Text)

  struct Entry: Equatable {
    let key: [UInt8]
    /// A count or a sum; a number and a total; a number for each of ``Buckets``.
    let numbers: [UInt64]
  }

  init(parsing line: [UInt8], _ source: ScriptSource) {
    var json = BpftraceJSONReader(line)
    guard json.next != nil else {
      self = .nothing
      return
    }
    guard let message = Self.message(&json, source) else {
      self = .words(Text(line))
      return
    }
    self = message
  }

  /// Nil for what is not as above.
  private static func message(_ json: inout BpftraceJSONReader, _ source: ScriptSource) -> Self? {
    guard json.take(UInt8(ascii: "{")), let member = json.name(), member.span.equals("type"),
      let type = json.text().map(Text.init), json.take(UInt8(ascii: ","))
    else { return nil }
    if type == "helper_error" { return helperError(&json) }
    guard let data = json.name(), data.span.equals("data") else { return nil }
    if type == "attached_probes" { return .nothing }
    if type == "lost_events" {
      guard json.take(UInt8(ascii: "{")), json.name() != nil, let count = json.integer() else {
        return nil
      }
      return .lost(UInt64(clamping: count))
    }
    if type == "map" || type == "hist" || type == "stats" { return map(&json, source) }
    if json.next == UInt8(ascii: "\"") { return json.text().map { .printed(Text($0)) } }
    return json.value().map { .printed(Text($0)) }
  }

  /// The map is full, E2BIG, or there is no memory, ENOMEM; others lose nothing, such as the deletion of
  /// a key that is not there.
  private static func helperError(_ json: inout BpftraceJSONReader) -> Self? {
    repeat {
      guard let name = json.name() else { return nil }
      if name.span.equals("retcode") {
        let code = json.integer()
        return code == -7 || code == -12 ? .lost(1) : .nothing
      }
      guard json.value() != nil else { return nil }
    } while json.take(UInt8(ascii: ","))
    return nil
  }

  private static func map(_ json: inout BpftraceJSONReader, _ source: ScriptSource) -> Self? {
    guard json.take(UInt8(ascii: "{")) else { return nil }
    // Nothing is in it.
    if json.take(UInt8(ascii: "}")) { return .nothing }
    guard let given = json.name(), given.first == UInt8(ascii: "@") else { return nil }
    let name = ScriptSource.name(Text(given[1...]))
    guard let form = source[name] else { return .nothing }
    var entries: [Entry] = []
    if let isKeyed = isKeyed(json, form), isKeyed {
      _ = json.take(UInt8(ascii: "{"))
      if json.next != UInt8(ascii: "}") {
        repeat {
          guard let key = json.name(), let numbers = numbers(&json, form) else { return nil }
          entries.append(Entry(key: key, numbers: numbers))
        } while json.take(UInt8(ascii: ","))
      }
      guard json.take(UInt8(ascii: "}")) else { return nil }
    } else {
      guard let numbers = numbers(&json, form) else { return nil }
      entries.append(Entry(key: [], numbers: numbers))
    }
    // A line that was cut off is not half a reading.
    guard json.take(UInt8(ascii: "}")), json.take(UInt8(ascii: "}")) else { return nil }
    return .map(name, entries)
  }

  /// An object of keys, and not the one value of a map without any.
  private static func isKeyed(_ json: BpftraceJSONReader, _ form: ScriptSource.Form) -> Bool? {
    var json = json
    guard json.take(UInt8(ascii: "{")) else { return false }
    guard form == .statistics, json.next != UInt8(ascii: "}") else { return true }
    guard json.name() != nil else { return nil }
    return json.next == UInt8(ascii: "{")
  }

  private static func numbers(_ json: inout BpftraceJSONReader, _ form: ScriptSource.Form)
    -> [UInt64]?
  {
    switch form {
    case .count, .sum: return json.integer().map { [UInt64(bitPattern: $0)] }
    case .statistics:
      guard let members = members(&json) else { return nil }
      return [UInt64(bitPattern: members.count), UInt64(bitPattern: members.total)]
    case .histogram:
      guard json.take(UInt8(ascii: "[")) else { return nil }
      var counts = [UInt64](repeating: 0, count: Buckets.count)
      if json.take(UInt8(ascii: "]")) { return counts }
      repeat {
        guard let members = members(&json) else { return nil }
        // The range below zero has no lower end; here it is with 0.
        let bits = Int64.bitWidth - members.least.leadingZeroBitCount
        let bucket = members.least < 0 ? 0 : min(bits, Buckets.count - 1)
        counts[bucket] &+= UInt64(bitPattern: members.count)
      } while json.take(UInt8(ascii: ","))
      return json.take(UInt8(ascii: "]")) ? counts : nil
    }
  }

  /// Those of a range, or of statistics; 0 where there is none.
  private static func members(
    _ json: inout BpftraceJSONReader
  ) -> (least: Int64, count: Int64, total: Int64)? {
    var members: (least: Int64, count: Int64, total: Int64) = (0, 0, 0)
    guard json.take(UInt8(ascii: "{")) else { return nil }
    repeat {
      guard let name = json.name(), let number = json.integer() else { return nil }
      if name.span.equals("min") { members.least = number }
      if name.span.equals("count") { members.count = number }
      if name.span.equals("total") { members.total = number }
    } while json.take(UInt8(ascii: ","))
    return json.take(UInt8(ascii: "}")) ? members : nil
  }
}
