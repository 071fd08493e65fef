/// A field of a kind as readers may want to know it beforehand: what it is, and how its value looks.
public struct ListedField: Sendable {
  public let field: Field
  public let form: Form
  /// Whether some machines do not have it; JSON leaves it out there.
  public let isOptional: Bool

  /// How the value looks in JSON.
  public enum Form: Sendable {
    case integer, decimal, boolean
    /// One of a few words.
    case name
    case text
    /// An array, and before it another one, `upper_bounds`: see ``Buckets``.
    case buckets
  }
}

extension RecordKind {
  /// The levels of its topic behind the program's name, as `disk/{device}`: see ``RecordBody/topic``.
  public var topic: StaticString {
    var topic = TopicOfBody()
    return withBody(&topic)
  }

  /// All fields of the kind, in the order of the wire.
  public var fields: [ListedField] {
    var listing = FieldListing()
    withBody(&listing)
    return listing.fields
  }
}

private struct TopicOfBody: BodyUse {
  func use<Body: RecordBody>(_ type: Body.Type) -> StaticString { Body.topic }
}

private struct FieldListing: FieldVisitor, BodyUse {
  private(set) var fields: [ListedField] = []

  mutating func use<Body: RecordBody>(_ type: Body.Type) {
    var body = Body()
    body.visit(&self)
  }

  private mutating func list(_ field: Field, _ form: ListedField.Form, isOptional: Bool = false) {
    fields.append(ListedField(field: field, form: form, isOptional: isOptional))
  }

  private func form(_ field: Field) -> ListedField.Form { field.decimals > 0 ? .decimal : .integer }

  mutating func unsigned<T: WireInteger & UnsignedInteger>(_ field: Field, _ value: inout T) {
    list(field, form(field))
  }
  mutating func signed<T: WireInteger & SignedInteger>(_ field: Field, _ value: inout T) {
    list(field, form(field))
  }
  mutating func optional<T: WireInteger>(_ field: Field, _ value: inout T?) {
    list(field, form(field), isOptional: true)
  }
  mutating func boolean(_ field: Field, _ value: inout Bool) { list(field, .boolean) }
  mutating func optionalBoolean(_ field: Field, _ value: inout Bool?) {
    list(field, .boolean, isOptional: true)
  }
  mutating func name<T: FieldName>(_ field: Field, _ value: inout T) { list(field, .name) }
  mutating func text<let capacity: Int>(_ field: Field, _ value: inout FixedText<capacity>) {
    list(field, .text)
  }
  mutating func buckets(_ field: Field, _ value: inout Buckets) { list(field, .buckets) }
}
