/// That a tracing program could not keep all it saw: its maps or buffers were full.
///
/// Body in format version 1, 42 bytes:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | text, 32 | program |
/// | 34 | u64 | count |
public struct TracedLoss: RecordBody {
  public static let kind = RecordKind.traceLoss

  public var program = FixedText<32>()
  public var lostCount: UInt64 = 0

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.text(Field("program", .none, .identity, "The tracing program"), &program)
    visitor.unsigned(
      Field(
        "lost_count", .count, .gauge,
        "Records and counts that found no room since the last record of this kind"), &lostCount)
  }

  public static let eventRule = EventRule.always

  public static var topic: StaticString { "loss/{program}" }
}
