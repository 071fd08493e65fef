/// What a block device, a disk or a partition, has done: one line of /proc/diskstats.
///
/// The kernel keeps some counters in 32 bits, all times among them: they begin anew at 0 there, the
/// times after 49 days. On a 32-bit machine that holds for all counters.
///
/// Body in format version 1, 179 bytes:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | text, 32 | device |
/// | 34, 38 | u32 | major and minor number |
/// | 42 | u8 | 1 a partition, 0 a whole device, 255 unknown |
/// | 43, 51 | u64 | reads completed, reads merged into another |
/// | 59 | u64 | bytes read |
/// | 67 | u64 | time spent reading, in milliseconds |
/// | 75, 83, 91, 99 | u64 | the same of writing |
/// | 107 | u64 | requests in progress |
/// | 115 | u64 | time in which there was any, in milliseconds |
/// | 123 | u64 | the same, multiplied by how many there were |
/// | 131, 139, 147, 155 | u64 | the same of discarding; all bits set before Linux 4.18 |
/// | 163 | u64 | flushes completed; all bits set before Linux 5.5 |
/// | 171 | u64 | time spent flushing, in milliseconds; as before |
public struct Disk: RecordBody {
  public static let kind = RecordKind.disk

  public var device = FixedText<32>()
  public var majorNumber: UInt32 = 0
  public var minorNumber: UInt32 = 0
  public var isPartition: Bool?
  public var readCount: UInt64 = 0
  public var readMergedCount: UInt64 = 0
  public var readBytes: UInt64 = 0
  public var readMilliseconds: UInt64 = 0
  public var writeCount: UInt64 = 0
  public var writeMergedCount: UInt64 = 0
  public var writeBytes: UInt64 = 0
  public var writeMilliseconds: UInt64 = 0
  public var inProgressCount: UInt64 = 0
  public var busyMilliseconds: UInt64 = 0
  public var weightedMilliseconds: UInt64 = 0
  public var discardCount: UInt64?
  public var discardMergedCount: UInt64?
  public var discardBytes: UInt64?
  public var discardMilliseconds: UInt64?
  public var flushCount: UInt64?
  public var flushMilliseconds: UInt64?

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.text(Field("device", .none, .identity, "Name of the block device"), &device)
    visitor.unsigned(Field("major", .none, .identity, "Its major number"), &majorNumber)
    visitor.unsigned(Field("minor", .none, .identity, "Its minor number"), &minorNumber)
    visitor.optionalBoolean(
      Field("is_partition", .none, .identity, "Part of another device, which counts it too"),
      &isPartition)
    visitor.unsigned(Field("read_count", .count, .counter, "Reads completed"), &readCount)
    visitor.unsigned(
      Field("read_merged_count", .count, .counter, "Reads merged into another one"),
      &readMergedCount)
    visitor.unsigned(Field("read_bytes", .bytes, .counter, "Bytes read"), &readBytes)
    visitor.unsigned(
      Field("read_seconds", .seconds, .counter, decimals: 3, "Time that all reads took together"),
      &readMilliseconds)
    visitor.unsigned(Field("write_count", .count, .counter, "Writes completed"), &writeCount)
    visitor.unsigned(
      Field("write_merged_count", .count, .counter, "Writes merged into another one"),
      &writeMergedCount)
    visitor.unsigned(Field("write_bytes", .bytes, .counter, "Bytes written"), &writeBytes)
    visitor.unsigned(
      Field("write_seconds", .seconds, .counter, decimals: 3, "Time that all writes took together"),
      &writeMilliseconds)
    visitor.unsigned(
      Field("in_progress_count", .count, .gauge, "Requests in progress now"), &inProgressCount)
    visitor.unsigned(
      Field("busy_seconds", .seconds, .counter, decimals: 3, "Time with a request in progress"),
      &busyMilliseconds)
    visitor.unsigned(
      Field(
        "weighted_busy_seconds", .seconds, .counter, decimals: 3,
        "The same, multiplied by the number of requests"), &weightedMilliseconds)
    visitor.optional(
      Field("discard_count", .count, .counter, "Discards completed"), &discardCount)
    visitor.optional(
      Field("discard_merged_count", .count, .counter, "Discards merged into another one"),
      &discardMergedCount)
    visitor.optional(Field("discard_bytes", .bytes, .counter, "Bytes discarded"), &discardBytes)
    visitor.optional(
      Field(
        "discard_seconds", .seconds, .counter, decimals: 3, "Time that all discards took together"),
      &discardMilliseconds)
    visitor.optional(Field("flush_count", .count, .counter, "Flushes completed"), &flushCount)
    visitor.optional(
      Field(
        "flush_seconds", .seconds, .counter, decimals: 3, "Time that all flushes took together"),
      &flushMilliseconds)
  }

  public static var topic: StaticString { "disk/{device}" }
}
