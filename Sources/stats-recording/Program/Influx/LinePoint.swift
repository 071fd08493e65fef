/// Writes one point of InfluxDB's line protocol.
///
///     measurement,tag=value,tag=value field=value,field=value 1795229000512000000
///
/// Source: the line protocol reference of InfluxDB 1.x and 2. Bytes of a name or a tag that would end
/// it are escaped; a newline, for which there is no escape, becomes a space.
struct LinePoint {
  private(set) var bytes: [UInt8] = []
  private var hasField = false

  init(measurement: String) {
    bytes.reserveCapacity(512)
    append(escaping: measurement, ", ")
  }

  /// Tags come before fields. Without a value there is no tag: the protocol has no empty ones.
  mutating func tag(_ name: String, _ value: String) {
    guard !name.isEmpty && !value.isEmpty else { return }
    bytes.append(UInt8(ascii: ","))
    append(escaping: name, ",= ")
    bytes.append(UInt8(ascii: "="))
    append(escaping: value, ",= ")
  }

  /// An integer of 64 bits with a sign; what is greater than that is the greatest there is.
  mutating func field(_ name: String, integer: UInt64) {
    field(name, digits: String(min(integer, UInt64(Int64.max))) + "i")
  }

  mutating func field(_ name: String, integer: Int64) { field(name, digits: String(integer) + "i") }

  /// A float, as its digits say.
  mutating func field(_ name: String, float digits: String) { field(name, digits: digits) }

  mutating func field(_ name: String, _ value: Bool) {
    field(name, digits: value ? "true" : "false")
  }

  mutating func field(_ name: String, text: String) {
    key(name)
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
      // InfluxDB takes a newline within quotes, but VictoriaMetrics loses the line.
      case UInt8(ascii: "\n"): bytes += Array(#"\n"#.utf8)
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// The end of the point; returns the whole line with its newline.
  consuming func line(nanoseconds: Int64) -> [UInt8] {
    bytes.append(UInt8(ascii: " "))
    bytes.append(contentsOf: String(nanoseconds).utf8)
    bytes.append(UInt8(ascii: "\n"))
    return bytes
  }

  private mutating func field(_ name: String, digits: String) {
    key(name)
    bytes.append(contentsOf: digits.utf8)
  }

  private mutating func key(_ name: String) {
    bytes.append(UInt8(ascii: hasField ? "," : " "))
    hasField = true
    append(escaping: name, ",= ")
    bytes.append(UInt8(ascii: "="))
  }

  /// A backslash is itself and needs no escape, but where it would become one: before a byte that is
  /// escaped, and at the end. No way of writing it there is read alike by all databases; it becomes
  /// `_`, as what a topic cannot hold does.
  private mutating func append(escaping text: String, _ special: StaticString) {
    let start = bytes.count
    func replaceBackslash(_ bytes: inout [UInt8]) {
      if bytes.count > start, bytes.last == UInt8(ascii: "\\") {
        bytes[bytes.count - 1] = UInt8(ascii: "_")
      }
    }
    for byte in text.utf8 {
      let byte = byte == UInt8(ascii: "\n") ? UInt8(ascii: " ") : byte
      if special.withUTF8Buffer({ $0.contains(byte) }) {
        replaceBackslash(&bytes)
        bytes.append(UInt8(ascii: "\\"))
      }
      bytes.append(byte)
    }
    replaceBackslash(&bytes)
  }
}
