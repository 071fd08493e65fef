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
    for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      var words = Words(line, line: 0)
      guard let first = words.next(), let (keyword, _) = first.divided(at: UInt8(ascii: ":")),
        case "field" = keyword
      else { continue }
      // The last word before the offset is the name.
      var name = first
      while let word = words.next() {
        if let offset = word.number(of: "offset") {
          guard let bytes = words.next()?.number(of: "size") else { break }
          fields.append(Field(name: name.declaredName, offset: offset, bytes: bytes))
          break
        }
        name = word
      }
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

extension Word {
  /// 8 of `offset:8;`
  fileprivate func number(of name: StaticString) -> Int? {
    guard bytes.last == UInt8(ascii: ";"),
      let (given, value) = Word(bytes: Array(bytes.dropLast())).divided(at: UInt8(ascii: ":")),
      case name = given
    else { return nil }
    return value.number
  }

  /// `prev_comm` of `prev_comm[16];`
  fileprivate var declaredName: [UInt8] {
    var name: [UInt8] = []
    for byte in bytes {
      if byte == UInt8(ascii: "[") || byte == UInt8(ascii: ";") { break }
      name.append(byte)
    }
    return name
  }
}
