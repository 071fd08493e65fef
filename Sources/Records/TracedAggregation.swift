/// Of what the records of an aggregation are, whatever it aggregates.
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | text, 32 | program |
/// | 34 | text, 32 | aggregation |
/// | 68 | text, 128 | key |
/// | 198 | u64 | interval, in microseconds |
public struct TracedAggregation: Equatable, Sendable {
  public var program = FixedText<32>()
  public var name = FixedText<32>()
  public var key = FixedText<128>()
  public var intervalMicroseconds: UInt64 = 0

  public init() {}

  mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.text(Field("program", .none, .identity, "The tracing program"), &program)
    visitor.text(
      Field("aggregation", .none, .identity, "Which of its aggregations"), &name)
    visitor.text(
      Field("key", .none, .identity, "The aggregation's key, a comma between its parts"), &key)
    visitor.unsigned(
      Field(
        "interval_seconds", .seconds, .gauge, decimals: 6, "The time in which the value came up"),
      &intervalMicroseconds)
  }
}
