/// Where a kernel puts the fields of a tracepoint.
///
/// events/GROUP/NAME/format in tracefs:
///
/// ```
/// name: sched_switch
/// ID: 315
/// format:
/// 	field:unsigned char common_flags;	offset:2;	size:1;	signed:0;
///
/// 	field:char prev_comm[16];	offset:8;	size:16;	signed:0;
/// 	field:pid_t prev_pid;	offset:24;	size:4;	signed:1;
/// 	field:__data_loc char[] filename;	offset:8;	size:4;	signed:0;
///
/// print fmt: "prev_comm=%s prev_pid=%d", REC->prev_comm, REC->prev_pid
/// ```
public struct TracepointFormat: Equatable, Sendable {
  public struct Field: Equatable, Sendable {
    public let name: [UInt8]
    public let offset: Int
    public let bytes: Int

    public init(name: [UInt8], offset: Int, bytes: Int) {
      self.name = name
      self.offset = offset
      self.bytes = bytes
    }
  }

  public private(set) var fields: [Field] = []

  public init(parsing text: [UInt8]) {
    for line in text.split(separator: UInt8(ascii: "\n")) {
      var parts = line.split(separator: UInt8(ascii: ";")).makeIterator()
      guard let declaration = parts.next()?.value(of: "field"),
        let offset = parts.next()?.value(of: "offset")?.number,
        let bytes = parts.next()?.value(of: "size")?.number
      else { continue }
      fields.append(Field(name: declaration.declaredName, offset: offset, bytes: bytes))
    }
  }

  /// Nil if there is none of this name.
  public func field(named name: [UInt8]) -> Field? {
    for field in fields where field.name == name { return field }
    return nil
  }
}

extension Manifest.Tracepoint {
  /// The first field that this kernel does not have where the program reads it.
  public func difference(
    from format: TracepointFormat
  ) -> (wanted: TracepointFormat.Field, found: TracepointFormat.Field?)? {
    for wanted in fields {
      let found = format.field(named: wanted.name)
      if found != wanted { return (wanted, found) }
    }
    return nil
  }
}

extension ArraySlice<UInt8> {
  /// What stands behind `name:`, and spaces before it.
  fileprivate func value(of name: StaticString) -> ArraySlice<UInt8>? {
    let text = drop { $0 <= 0x20 }
    guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    let isNamed = name.withUTF8Buffer { text[..<colon].elementsEqual($0) }
    return isNamed ? text[(colon + 1)...] : nil
  }

  /// A few digits and nothing else.
  fileprivate var number: Int? {
    guard !isEmpty, count < 6 else { return nil }
    var number = 0
    for byte in self {
      guard (0x30...0x39).contains(byte) else { return nil }
      number = 10 * number + Int(byte - 0x30)
    }
    return number
  }

  /// `prev_comm` of `char prev_comm[16]`, `filename` of `__data_loc char[] filename`.
  fileprivate var declaredName: [UInt8] {
    var name = self
    if name.last == UInt8(ascii: "]"), let bracket = name.lastIndex(of: UInt8(ascii: "[")) {
      name = name[..<bracket]
    }
    guard let space = name.lastIndex(of: UInt8(ascii: " ")) else { return Array(name) }
    return Array(name[(space + 1)...])
  }
}
