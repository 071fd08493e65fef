/// One value of a record's body, as readers know it: the single place where its name stands.
///
/// JSON, line protocol, CSV columns, Home Assistant's discovery, `--print` and the field tables of
/// the man page are all made from these.
public struct Field: Sendable {
  /// snake_case, with the unit as suffix, after OpenTelemetry's units: seconds, bytes, ratios.
  public let name: StaticString
  public let unit: Unit
  public let nature: Nature
  /// The value is an integer in units of 10 to the power of minus this.
  public let decimals: Int
  /// One line for the man page.
  public let meaning: StaticString

  @inline(__always)
  public init(
    _ name: StaticString, _ unit: Unit, _ nature: Nature, decimals: Int = 0,
    _ meaning: StaticString
  ) {
    self.name = name
    self.unit = unit
    self.nature = nature
    self.decimals = decimals
    self.meaning = meaning
  }

  public enum Unit: Sendable {
    case seconds, bytes, ratio, count, hertz, celsius, volts, amperes, watts, joules
    case revolutionsPerMinute, decibelMilliwatts, bitsPerSecond, none
  }

  /// What a reader may do with the value.
  public enum Nature: Sendable {
    /// Goes up and down: draw it as it is.
    case gauge
    /// Only grows, until the source starts anew: draw its rate.
    case counter
    /// Says which thing the record is about.
    case identity
  }
}

/// Walks the fields of a body in the order in which they stand on the wire.
///
/// The encoder, the decoder, the tables by which records are published and whoever lists the fields are
/// visitors, so that the order, the types and the names are written once, in the body's `visit`.
public protocol FieldVisitor {
  mutating func unsigned<T: WireInteger & UnsignedInteger>(_ field: Field, _ value: inout T)
  mutating func signed<T: WireInteger & SignedInteger>(_ field: Field, _ value: inout T)
  /// A value that some machines do not have; on the wire all bits are set then.
  mutating func optional<T: WireInteger>(_ field: Field, _ value: inout T?)
  /// One byte, 0 or 1.
  mutating func boolean(_ field: Field, _ value: inout Bool)
  /// A boolean that some machines do not have: one byte, 0 or 1, or 255 where it is absent.
  mutating func optionalBoolean(_ field: Field, _ value: inout Bool?)
  /// One byte, the number of a name.
  mutating func name<T: FieldName>(_ field: Field, _ value: inout T)
  /// The length in two bytes, of which the highest bit says that the text was cut; then all bytes.
  mutating func text<let capacity: Int>(_ field: Field, _ value: inout FixedText<capacity>)
  /// 64 numbers of 8 bytes.
  mutating func buckets(_ field: Field, _ value: inout Buckets)
}

extension FieldVisitor {
  /// As an optional byte, for visitors to which a boolean is nothing else.
  @inline(__always)
  public mutating func optionalBoolean(_ field: Field, _ value: inout Bool?) {
    var byte: UInt8? = value.map { $0 ? 1 : 0 }
    optional(field, &byte)
    value = byte.map { $0 != 0 }
  }
}

/// An integer as it stands on the wire, little-endian.
public protocol WireInteger: FixedWidthInteger, BitwiseCopyable, Sendable {}
extension UInt8: WireInteger {}
extension UInt16: WireInteger {}
extension UInt32: WireInteger {}
extension UInt64: WireInteger {}
extension Int32: WireInteger {}
extension Int64: WireInteger {}

/// One of a few words, sent as its number.
public protocol FieldName: RawRepresentable, Sendable where RawValue == UInt8 {
  var name: StaticString { get }
  /// What a number means that this version does not know.
  static var unknown: Self { get }
}

/// A record's body: its fields, in the order of the wire.
public protocol RecordBody: Equatable, Sendable {
  static var kind: RecordKind { get }
  /// All fields zero or empty: what a decoder fills.
  init()
  mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor)
  /// The levels of the topic behind the program's name, as `disk/{device}`: see ``TopicPart``.
  static var topic: StaticString { get }
  /// Whether it tells of something that happened once: an event outlives samples where room is short.
  static var eventRule: EventRule { get }
  var isEvent: Bool { get }
}

/// What decides whether a record is an event.
public enum EventRule: Sendable {
  case never, always
  /// `isEvent` of the body says it.
  case dependsOnFields
  /// The body's first field, a boolean, says it: so it need not be decoded.
  case firstField
}

extension RecordBody {
  public static var topic: StaticString { "" }
  public static var eventRule: EventRule { .never }
  public var isEvent: Bool { Self.eventRule == .always }
}
