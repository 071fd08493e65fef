import Records

/// A record or a status as a point, and how many of its values a point cannot hold.
///
/// The same as what bridges write with `--payload influx`:
///
///     <kind>,device=<id>,program=<program>[,<identity>=<value>…] <field>=<value>[,…],boot_id="…",
///       instance=…i,seq=…i,dropped=…i,clock_synced=true <Unix time in nanoseconds>
///
/// Buckets are integers named by their upper bounds, `le_0=5i,le_1=0i,le_3=2i`.
/// What tells a thing from others of its kind is a tag. Integers are integers, what has decimals is a
/// float, whatever its digits are just now: a database takes the first type that it sees for good.
struct RecordPoint {
  let line: [UInt8]
  /// Values that are arrays, objects, or not of the type that the list of fields gives them.
  private(set) var valuesLeftOut = 0

  init(_ record: PublishedRecord) {
    var point = LinePoint(measurement: record.kind)
    var leftOut = 0
    point.tag("device", record.topic.device)
    point.tag("program", record.topic.program)
    let entries = record.fields.map { FieldCatalog.entry(kind: record.kind, field: $0.name) }
    for (field, entry) in zip(record.fields, entries) where entry?.isIdentity == true {
      guard let text = field.value.tagText else {
        leftOut += field.value == .null ? 0 : 1
        continue
      }
      point.tag(Self.tagName(field.name, kind: record.kind), text)
    }
    let bounds = entries.contains { $0?.listed.form == .buckets } ? "upper_bounds" : nil
    for (field, entry) in zip(record.fields, entries) where entry?.isIdentity != true {
      if field.name == bounds { continue }
      let isTaken =
        entry?.listed.form == .buckets
        ? point.buckets(record.fields["upper_bounds"], field.value)
        : point.field(field, as: entry?.listed.form)
      leftOut += isTaken ? 0 : 1
    }
    point.field("boot_id", text: record.bootID)
    point.field("instance", integer: record.instance)
    point.field("seq", integer: record.sequence)
    point.field("dropped", integer: record.dropped)
    point.field("clock_synced", record.clockSynchronized)
    line = point.line(nanoseconds: record.timeNanoseconds)
    valuesLeftOut = leftOut
  }

  /// Of a status. Errors: nil if it has no time of its own, as the last will.
  init?(status members: [JSONMember], _ topic: RecordTopic) {
    guard let time = members["time"]?.nanoseconds else { return nil }
    var point = LinePoint(measurement: "bridge_status")
    point.tag("device", topic.device)
    var leftOut = 0
    for member in members where member.name != "v" && member.name != "time" {
      leftOut += point.field(member, as: member.value.isInteger ? .integer : nil) ? 0 : 1
    }
    line = point.line(nanoseconds: time)
    valuesLeftOut = leftOut
  }

  /// A disk's `device` is not the device that tells of it: a name that all points have as a tag gets
  /// its kind before it.
  static func tagName(_ field: String, kind: String) -> String {
    field == "device" || field == "program" ? "\(kind)_\(field)" : field
  }
}

extension FieldCatalog.Entry {
  var isIdentity: Bool { listed.field.nature == .identity }
}

extension LinePoint {
  /// Two arrays of integers of equal length. False: they are none.
  fileprivate mutating func buckets(_ bounds: JSONValue?, _ counts: JSONValue) -> Bool {
    guard case .array(let bounds) = bounds, case .array(let counts) = counts,
      bounds.count == counts.count
    else { return false }
    let integers = (bounds + counts).compactMap(\.unsigned)
    guard integers.count == 2 * counts.count else { return false }
    for (bound, count) in zip(integers, integers.dropFirst(counts.count)) {
      field("le_\(bound)", integer: count)
    }
    return true
  }

  /// Writes a value in the form that its field always has, or that JSON shows where the field is not
  /// known here. False: the point cannot hold it.
  fileprivate mutating func field(_ field: JSONMember, as form: ListedField.Form?) -> Bool {
    switch (field.value, form) {
    case (.null, _): break
    case (.number(let digits), .integer):
      if let value = Int64(digits) {
        self.field(field.name, integer: value)
      } else if let value = UInt64(digits) {
        self.field(field.name, integer: value)
      } else {
        return false
      }
    case (.number(let digits), .decimal), (.number(let digits), nil):
      guard Double(digits)?.isFinite == true else { return false }
      self.field(field.name, float: digits)
    case (.boolean(let value), .boolean), (.boolean(let value), nil): self.field(field.name, value)
    case (.text(let text), .name), (.text(let text), .text), (.text(let text), nil):
      self.field(field.name, text: text)
    case (.number, _), (.boolean, _), (.text, _), (.array, _), (.object, _): return false
    }
    return true
  }
}

extension JSONValue {
  fileprivate var tagText: String? {
    switch self {
    case .number(let digits): digits
    case .text(let text): text
    case .boolean(let value): value ? "true" : "false"
    case .null, .array, .object: nil
    }
  }

  fileprivate var isInteger: Bool {
    guard case .number(let digits) = self else { return false }
    return Int64(digits) != nil || UInt64(digits) != nil
  }
}
