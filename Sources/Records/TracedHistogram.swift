/// What an aggregation of a tracing program got in an interval: how values are distributed.
///
/// Body in format version 1, 718 bytes:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | | see ``TracedAggregation`` |
/// | 206 | 64 of u64 | counts, see ``Buckets`` |
public struct TracedHistogram: RecordBody {
  public static let kind = RecordKind.traceHistogram

  public var aggregation = TracedAggregation()
  public var counts = Buckets()

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    aggregation.visit(&visitor)
    visitor.buckets(
      Field(
        "counts", .count, .gauge,
        "How many values each bucket got; upper_bounds has the largest value of each"), &counts)
  }

  public static var topic: StaticString { "histogram/{program}/{aggregation}/{key}" }
}
