/// What a BPF object has for its reader; a file beside the object.
///
/// ```
/// # A comment.
/// aggregate calls count comm:text16 pid:u32     a map: its kind and the fields of its key
/// aggregate microseconds quantize 64            a map of 64 buckets: 0, then each power of two
/// record started nsecs:u64 comm:text16          a ring buffer: the fields of its records
/// event killed nsecs:u64 pid:u32                the same, of something seldom that is to be noted
/// lost lost                                     a map with the number of what found no room
/// tracepoint sched/sched_switch prev_pid=24:4   where the program reads a tracepoint's fields: offset:size
/// ```
///
/// Fields stand as in C: each at a multiple of its size, a text at any place.
public struct Manifest: Equatable, Sendable {
  public struct Field: Equatable, Sendable {
    public enum Form: Equatable, Sendable {
      case unsigned(bytes: Int)
      case signed(bytes: Int)
      case text(bytes: Int)
    }

    public let name: [UInt8]
    public let form: Form
    public let offset: Int
  }

  public enum Kind: Equatable, Sendable {
    case count, sum
    /// The value is a number for each bucket.
    case quantize(buckets: Int)
  }

  public struct Aggregate: Equatable, Sendable {
    public let map: [UInt8]
    public let kind: Kind
    public let key: Layout

    /// How long a value is.
    public var valueBytes: Int {
      if case .quantize(let buckets) = kind { 8 * buckets } else { 8 }
    }
  }

  /// Fields one after the other.
  public struct Layout: Equatable, Sendable {
    public fileprivate(set) var fields: [Field] = []
    /// With what fills the end, so that another can follow.
    public var bytes: Int { (end + alignment - 1) / alignment * alignment }
    fileprivate var end = 0
    fileprivate var alignment = 1
  }

  public struct Record: Equatable, Sendable {
    public let map: [UInt8]
    public let layout: Layout
    /// Seldom and important.
    public let isNotable: Bool
  }

  /// What the program knows of a tracepoint, which a kernel may have otherwise.
  public struct Tracepoint: Equatable, Sendable {
    /// `group/name`
    public let name: [UInt8]
    public let fields: [TracepointFormat.Field]
  }

  public private(set) var aggregates: [Aggregate] = []
  public private(set) var records: [Record] = []
  public private(set) var lost: [UInt8]?
  public private(set) var tracepoints: [Tracepoint] = []

  /// Errors: `ManifestError` with the place of what is wrong.
  public init(parsing text: [UInt8]) throws(ManifestError) {
    var line = 0
    for bytes in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      line += 1
      var words = Words(bytes, line: line)
      guard let first = words.next(), first.bytes.first != UInt8(ascii: "#") else { continue }
      switch first {
      case "aggregate": try aggregate(&words)
      case "record": try record(&words, isNotable: false)
      case "event": try record(&words, isNotable: true)
      case "lost": lost = try words.name()
      case "tracepoint": try tracepoint(&words)
      default: throw words.error("aggregate, record, event, lost or tracepoint is missing")
      }
    }
    if aggregates.isEmpty && records.isEmpty {
      throw ManifestError(line: max(line, 1), column: 1, reason: "there is nothing to read")
    }
  }

  private mutating func aggregate(_ words: inout Words) throws(ManifestError) {
    let map = try words.name()
    let kind: Kind
    switch words.next() ?? Word(bytes: []) {
    case "count": kind = .count
    case "sum": kind = .sum
    case "quantize":
      guard let buckets = words.next()?.number, (1...65).contains(buckets) else {
        throw words.error("quantize needs 1 to 65 buckets")
      }
      kind = .quantize(buckets: buckets)
    default: throw words.error("the kind is count, sum or quantize")
    }
    let key = try Self.layout(&words)
    aggregates.append(Aggregate(map: map, kind: kind, key: key))
  }

  private mutating func record(
    _ words: inout Words, isNotable: Bool
  ) throws(ManifestError) {
    let map = try words.name()
    let layout = try Self.layout(&words)
    guard !layout.fields.isEmpty else { throw words.error("a record has fields") }
    records.append(Record(map: map, layout: layout, isNotable: isNotable))
  }

  private mutating func tracepoint(_ words: inout Words) throws(ManifestError) {
    guard let name = words.next(), let (group, event) = name.divided(at: UInt8(ascii: "/")),
      group.bytes[0] != UInt8(ascii: "."), let first = event.bytes.first,
      first != UInt8(ascii: ".")
    else { throw words.error("a tracepoint is GROUP/NAME") }
    var fields: [TracepointFormat.Field] = []
    while let word = words.next() {
      guard let (field, place) = word.divided(at: UInt8(ascii: "=")),
        let (offset, size) = place.divided(at: UInt8(ascii: ":")),
        let offset = offset.number, let bytes = size.number
      else { throw words.error("a tracepoint's field is name=offset:size") }
      fields.append(TracepointFormat.Field(name: field.bytes, offset: offset, bytes: bytes))
    }
    guard !fields.isEmpty else { throw words.error("a tracepoint has fields") }
    tracepoints.append(Tracepoint(name: name.bytes, fields: fields))
  }

  private static func layout(_ words: inout Words) throws(ManifestError) -> Layout {
    var layout = Layout()
    while let word = words.next() {
      guard let (name, type) = word.divided(at: UInt8(ascii: ":")), let form = type.form else {
        throw words.error("a field is name:type, of u8 to u64, i8 to i64 or text and its bytes")
      }
      layout.append(name: name.bytes, form)
    }
    return layout
  }
}

public struct ManifestError: Error, Equatable, Sendable {
  public let line: Int
  public let column: Int
  public let reason: StaticString

  public static func == (left: Self, right: Self) -> Bool {
    left.line == right.line && left.column == right.column
  }
}

extension Manifest.Layout {
  fileprivate mutating func append(name: [UInt8], _ form: Manifest.Field.Form) {
    let size: Int
    let step: Int
    switch form {
    case .unsigned(let bytes), .signed(let bytes): (size, step) = (bytes, bytes)
    case .text(let bytes): (size, step) = (bytes, 1)
    }
    let offset = (end + step - 1) / step * step
    fields.append(Manifest.Field(name: name, form: form, offset: offset))
    end = offset + size
    alignment = max(alignment, step)
  }
}
