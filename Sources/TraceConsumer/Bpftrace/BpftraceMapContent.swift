/// What a map has, as bpftrace prints it.
///
/// A map without keys is its value, one with keys an object of them. Which it is, and what the number
/// means, only the program tells.
struct BpftraceMapContent {
  private(set) var entries: [(key: [TraceKey], value: TraceValue)] = []
  /// How many keys looked like an earlier one.
  private(set) var ambiguous: Int64 = 0

  init(_ json: BpftraceJSON, _ map: BpftraceProgram.Map?) {
    let function = map?.function ?? .none
    guard let keyIsText = map?.keyIsText, let members = json.members else {
      if let value = Self.value(json, function) { entries.append(([], value)) }
      return
    }
    var places: [[TraceKey]: Int] = [:]
    for member in members {
      guard let value = Self.value(member.value, function) else { continue }
      let key = Self.key(member.name, keyIsText)
      if let place = places[key] {
        entries[place].value = entries[place].value.adding(value)
        ambiguous += 1
      } else {
        places[key] = entries.count
        entries.append((key, value))
      }
    }
  }

  private static func value(
    _ json: BpftraceJSON, _ function: BpftraceProgram.Function
  ) -> TraceValue? {
    switch function {
    case .count: json.integer.map { .count($0) }
    case .sum: json.integer.map { .sum($0) }
    case .min: json.integer.map { .min($0) }
    case .max: json.integer.map { .max($0) }
    case .avg, .stats:
      if let count = json["count"]?.integer, let total = json["total"]?.integer {
        .statistics(count: count, sum: total)
      } else {
        nil
      }
    case .hist: json.elements.map { .quantize($0.compactMap(range)) }
    case .lhist: json.elements.map { .lquantize($0.compactMap(range)) }
    case .none:
      switch json {
      case .integer(let number): .integer(number)
      case .text(let bytes): .text(String(decoding: bytes, as: UTF8.self))
      default: nil
      }
    }
  }

  private static func range(_ json: BpftraceJSON) -> TraceRange? {
    guard let count = json["count"]?.integer, count != 0 else { return nil }
    return TraceRange(json["min"]?.integer, json["max"]?.integer, count)
  }

  /// Cuts `foo,1,-2` into its parts; commas of a text belong to the one part that can have them.
  private static func key(_ bytes: [UInt8], _ areText: [Bool]) -> [TraceKey] {
    var pieces = bytes.split(
      separator: UInt8(ascii: ","), omittingEmptySubsequences: false
    ).map { String(decoding: $0, as: UTF8.self) }
    let surplus = pieces.count - areText.count
    guard surplus >= 0 else { return [.text(String(decoding: bytes, as: UTF8.self))] }
    if surplus > 0 {
      let place =
        areText.firstIndex(of: true) ?? pieces.firstIndex { Int64($0) == nil } ?? areText.count - 1
      let start = min(place, areText.count - 1)
      pieces[start...(start + surplus)] = [
        pieces[start...(start + surplus)].joined(separator: ",")
      ]
    }
    return zip(pieces, areText).map { piece, isText in
      if !isText, let number = Int64(piece) { .integer(number) } else { .text(piece) }
    }
  }
}
