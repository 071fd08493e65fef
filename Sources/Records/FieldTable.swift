/// A field where it stands in a body: what a loop needs to write its value from the record's bytes.
///
/// 16 bytes on a machine of 64 bits: the bridge has some 430 of them.
struct FieldEntry {
  enum Form: UInt8 {
    case unsigned, signed, boolean, word, text, buckets
  }

  /// All that is constant of a field but its name, in one word: each field passes it to one function.
  struct Shape {
    let bits: UInt32

    @inline(__always)
    init(_ form: Form, _ field: Field, size: Int, isOptional: Bool = false) {
      let isIdentity =
        switch field.nature {
        case .identity: true
        case .gauge, .counter: false
        }
      bits =
        UInt32(form.rawValue) | (isOptional ? 8 : 0) | (isIdentity ? 16 : 0)
        | UInt32(field.decimals) << 8 | UInt32(size) << 16
    }

    @inline(__always)
    init<T: WireInteger>(_ type: T.Type, _ field: Field, isOptional: Bool = false) {
      self.init(
        T.isSigned ? .signed : .unsigned, field, size: T.bitWidth / 8, isOptional: isOptional)
    }
  }

  let nameStart: UnsafePointer<UInt8>
  let nameLength: UInt8
  private let marks: UInt8
  private let decimalsInByte: UInt8
  /// Of a word: its place among the words of the tables.
  fileprivate(set) var word: UInt8 = 0
  /// From the beginning of the body.
  let offset: UInt16
  /// Bytes of a number or of buckets, or the capacity of a text.
  private let sizeInWord: UInt16

  init(_ name: StaticString, _ shape: Shape, offset: Int) {
    nameStart = name.utf8Start
    nameLength = UInt8(name.utf8CodeUnitCount)
    marks = UInt8(truncatingIfNeeded: shape.bits)
    decimalsInByte = UInt8(truncatingIfNeeded: shape.bits >> 8)
    self.offset = UInt16(offset)
    sizeInWord = UInt16(truncatingIfNeeded: shape.bits >> 16)
  }

  var form: Form { Form(rawValue: marks & 7) ?? .unsigned }
  /// Some machines do not have it; all bits are set then.
  var isOptional: Bool { marks & 8 != 0 }
  var isIdentity: Bool { marks & 16 != 0 }
  var decimals: Int { Int(decimalsInByte) }
  var size: Int { Int(sizeInWord) }

  /// How many bytes it takes on the wire.
  var width: Int { form == .text ? size + 2 : size }

  /// What it takes at most: a key and a value, where a text was cut a second key, or a longest word.
  var room: Int { 2 * Int(nameLength) + 6 * size + 64 }

  func isNamed(_ name: Span<UInt8>) -> Bool {
    guard name.count == Int(nameLength) else { return false }
    for index in name.indices where name[index] != nameStart[index] { return false }
    return true
  }
}

/// The fields and topics of kinds as tables that a loop reads, made once from each body's `visit`.
///
/// What a program does with records of any kind is a loop over these, not code for each kind.
final class FieldTables: @unchecked Sendable {
  static let all: FieldTables = {
    var listing = TableListing()
    for kind in RecordKind.allCases { kind.withBody(&listing) }
    return FieldTables(listing)
  }()

  private let listing: TableListing

  private init(_ listing: TableListing) {
    self.listing = listing
  }

  struct Kind {
    var firstField = 0
    var firstTopicPart = 0
    var bodyLength = 0
    /// What its fields take at most.
    var room = 0
    var eventRule = EventRule.never
  }

  var fields: [FieldEntry] { listing.fields }
  var topicParts: [TopicPart] { listing.topicParts }

  /// The place of a kind; it is there.
  func place(of kind: RecordKind) -> Int {
    let number = Int(kind.rawValue)
    return number < listing.places.count ? Int(listing.places[number]) : 0
  }

  /// What a record takes at most, in whatever format.
  func room(_ kind: RecordKind, _ envelope: Envelope) -> Int {
    320 + 6 * envelope.bootID.count + listing.kinds[place(of: kind)].room
  }

  func bodyLength(of kind: RecordKind) -> Int { listing.kinds[place(of: kind)].bodyLength }

  func eventRule(of kind: RecordKind) -> EventRule { listing.kinds[place(of: kind)].eventRule }

  func fieldRange(_ place: Int) -> Range<Int> {
    let next = place + 1
    return listing.kinds[place]
      .firstField..<(next < listing.kinds.count
      ? listing.kinds[next].firstField : listing.fields.count)
  }

  func topicRange(_ place: Int) -> Range<Int> {
    let next = place + 1
    return listing.kinds[place]
      .firstTopicPart..<(next < listing.kinds.count
      ? listing.kinds[next].firstTopicPart : listing.topicParts.count)
  }

  func value(of field: FieldEntry, in body: Span<UInt8>) -> FieldValue {
    field.value(in: body) { listing.words[Int(field.word)]($0) }
  }
}

private struct TableListing: FieldVisitor, BodyUse {
  var fields: [FieldEntry] = []
  var topicParts: [TopicPart] = []
  var words: [@Sendable (UInt8) -> StaticString] = []
  var kinds: [FieldTables.Kind] = []
  /// By the number of a kind.
  var places: [UInt8] = []
  private var offset = 0

  mutating func use<Body: RecordBody>(_ type: Body.Type) {
    begin(Body.kind)
    var body = Body()
    body.visit(&self)
    end(topic: Body.topic, Body.eventRule)
  }

  @inline(never)
  private mutating func begin(_ kind: RecordKind) {
    let number = Int(kind.rawValue)
    while places.count <= number { places.append(0) }
    places[number] = UInt8(kinds.count)
    kinds.append(
      FieldTables.Kind(firstField: fields.count, firstTopicPart: topicParts.count))
    offset = 0
  }

  @inline(never)
  private mutating func end(topic: StaticString, _ eventRule: EventRule) {
    let last = kinds.count - 1
    kinds[last].eventRule = eventRule
    let range = kinds[last].firstField..<fields.count
    var room = 0
    for index in range { room += fields[index].room }
    kinds[last].room = room
    kinds[last].bodyLength = offset
    topicParts.append(topic, fields, range)
  }

  @inline(never)
  private mutating func add(_ name: StaticString, _ shape: FieldEntry.Shape) {
    let field = FieldEntry(name, shape, offset: offset)
    fields.append(field)
    offset += field.width
  }

  @inline(never)
  private mutating func add(
    _ name: StaticString, _ shape: FieldEntry.Shape,
    _ word: @escaping @Sendable (UInt8) -> StaticString
  ) {
    add(name, shape)
    fields[fields.count - 1].word = UInt8(words.count)
    words.append(word)
  }

  @inline(__always)
  mutating func unsigned<T: WireInteger & UnsignedInteger>(_ field: Field, _ value: inout T) {
    add(field.name, FieldEntry.Shape(T.self, field))
  }
  @inline(__always)
  mutating func signed<T: WireInteger & SignedInteger>(_ field: Field, _ value: inout T) {
    add(field.name, FieldEntry.Shape(T.self, field))
  }
  @inline(__always)
  mutating func optional<T: WireInteger>(_ field: Field, _ value: inout T?) {
    add(field.name, FieldEntry.Shape(T.self, field, isOptional: true))
  }
  @inline(__always)
  mutating func boolean(_ field: Field, _ value: inout Bool) {
    add(field.name, FieldEntry.Shape(.boolean, field, size: 1))
  }
  @inline(__always)
  mutating func optionalBoolean(_ field: Field, _ value: inout Bool?) {
    add(field.name, FieldEntry.Shape(.boolean, field, size: 1, isOptional: true))
  }
  @inline(__always)
  mutating func name<T: FieldName>(_ field: Field, _ value: inout T) {
    add(field.name, FieldEntry.Shape(.word, field, size: 1)) {
      (T(rawValue: $0) ?? .unknown).name
    }
  }
  @inline(__always)
  mutating func text<let capacity: Int>(_ field: Field, _ value: inout FixedText<capacity>) {
    add(field.name, FieldEntry.Shape(.text, field, size: capacity))
  }
  @inline(__always)
  mutating func buckets(_ field: Field, _ value: inout Buckets) {
    add(field.name, FieldEntry.Shape(.buckets, field, size: Buckets.bytesOnWire))
  }
}
