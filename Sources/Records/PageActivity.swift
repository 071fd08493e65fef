/// How memory moves: /proc/vmstat.
///
/// Counters since the machine started, which begin again at 0 on 32-bit machines when they reach 2^32.
///
/// Body in format version 1, 64 bytes; of an optional field (?) that is absent all bits are set:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u64 | page_faults |
/// | 8 | u64 | major_page_faults |
/// | 16 | u64? | paged_in_bytes |
/// | 24 | u64? | paged_out_bytes |
/// | 32 | u64? | swapped_in_pages |
/// | 40 | u64? | swapped_out_pages |
/// | 48 | u64? | oom_kills |
/// | 56 | u64? | allocation_stalls |
public struct PageActivity: RecordBody {
  public static let kind = RecordKind.pageActivity

  public var pageFaults: UInt64 = 0
  public var majorPageFaults: UInt64 = 0
  public var pagedInBytes: UInt64?
  public var pagedOutBytes: UInt64?
  public var swappedInPages: UInt64?
  public var swappedOutPages: UInt64?
  public var oomKills: UInt64?
  public var allocationStalls: UInt64?

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.unsigned(
      Field("page_faults", .count, .counter, "Accesses to pages that were not mapped"), &pageFaults)
    visitor.unsigned(
      Field("major_page_faults", .count, .counter, "Those that had to read from a disk"),
      &majorPageFaults)
    visitor.optional(Field("paged_in_bytes", .bytes, .counter, "Read from disks"), &pagedInBytes)
    visitor.optional(Field("paged_out_bytes", .bytes, .counter, "Written to disks"), &pagedOutBytes)
    visitor.optional(
      Field("swapped_in_pages", .count, .counter, "Pages read from swap space"), &swappedInPages)
    visitor.optional(
      Field("swapped_out_pages", .count, .counter, "Pages written to swap space"), &swappedOutPages)
    visitor.optional(
      Field("oom_kills", .count, .counter, "Processes that were killed because memory ran out"),
      &oomKills)
    visitor.optional(
      Field(
        "allocation_stalls", .count, .counter,
        "Times that a program had to free memory itself to get some"),
      &allocationStalls)
  }

  public static var topic: StaticString { "page_activity" }
}
