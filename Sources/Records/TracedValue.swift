/// What an aggregation of a tracing program got in an interval: a count or a sum.
///
/// Body in format version 1, 214 bytes:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | | see ``TracedAggregation`` |
/// | 206 | i64 | value |
public struct TracedValue: RecordBody {
  public static let kind = RecordKind.traceValue

  public var aggregation = TracedAggregation()
  public var value: Int64 = 0

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    aggregation.visit(&visitor)
    visitor.signed(
      Field("value", .none, .gauge, "What was counted, or the sum, in this time"), &value)
  }

  public static var topic: StaticString { "value/{program}/{aggregation}/{key}" }
}
