extension [UInt8] {
  /// Appends a value as a bridge writes it: without spaces, digits as they are, and of characters
  /// only those escaped that JSON does not allow, and DEL.
  mutating func append(json value: JSONValue) {
    switch value {
    case .null: append(contentsOf: "null".utf8)
    case .boolean(let value): append(contentsOf: (value ? "true" : "false").utf8)
    case .number(let digits): append(contentsOf: digits.utf8)
    case .text(let text): append(json: text)
    case .array(let values):
      append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { append(UInt8(ascii: ",")) }
        append(json: value)
      }
      append(UInt8(ascii: "]"))
    case .object(let members): append(json: members)
    }
  }

  mutating func append(json members: [JSONMember]) {
    append(UInt8(ascii: "{"))
    for (index, member) in members.enumerated() {
      if index > 0 { append(UInt8(ascii: ",")) }
      append(json: member.name)
      append(UInt8(ascii: ":"))
      append(json: member.value)
    }
    append(UInt8(ascii: "}"))
  }

  private mutating func append(json text: String) {
    append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        append(UInt8(ascii: "\\"))
        append(byte)
      case 0..<0x20, 0x7F:
        append(contentsOf: "\\u00".utf8)
        for digit in [byte >> 4, byte & 15] {
          append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
      default: append(byte)
      }
    }
    append(UInt8(ascii: "\""))
  }
}

extension PublishedRecord {
  /// All members, as a bridge writes them.
  var members: [JSONMember] {
    [
      JSONMember(name: "v", value: .number("1")),
      JSONMember(name: "kind", value: .text(kind)),
      JSONMember(name: "time", value: .number(Self.seconds(timeNanoseconds))),
      JSONMember(name: "boot_id", value: .text(bootID)),
      JSONMember(name: "instance", value: .number("\(instance)")),
      JSONMember(name: "seq", value: .number("\(sequence)")),
      JSONMember(name: "dropped", value: .number("\(dropped)")),
      JSONMember(name: "clock_synced", value: .boolean(clockSynchronized)),
    ] + fields
  }

  /// Nanoseconds as seconds, without zeros at the end.
  static func seconds(_ nanoseconds: Int64) -> String {
    let magnitude = nanoseconds.magnitude
    let sign = nanoseconds < 0 ? "-" : ""
    let rest = magnitude % 1_000_000_000
    guard rest > 0 else { return "\(sign)\(magnitude / 1_000_000_000)" }
    var digits = "\(rest)"
    digits = String(repeating: "0", count: 9 - digits.utf8.count) + digits
    while digits.utf8.last == UInt8(ascii: "0") { digits.removeLast() }
    return "\(sign)\(magnitude / 1_000_000_000).\(digits)"
  }
}
