/// What the memory is used for: /proc/meminfo, proc_meminfo(5).
///
/// What a kernel does not tell is absent.
///
/// Body in format version 1, 176 bytes; of an optional field (?) that is absent all bits are set:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u64 | memory_total_bytes |
/// | 8 | u64 | memory_free_bytes |
/// | 16 | u64? | memory_available_bytes |
/// | 24 | u64? | memory_buffer_bytes |
/// | 32 | u64? | memory_cached_bytes |
/// | 40 | u64? | memory_shared_bytes |
/// | 48 | u64? | memory_dirty_bytes |
/// | 56 | u64? | memory_writeback_bytes |
/// | 64 | u64? | memory_anonymous_bytes |
/// | 72 | u64? | memory_mapped_bytes |
/// | 80 | u64? | memory_slab_bytes |
/// | 88 | u64? | memory_slab_reclaimable_bytes |
/// | 96 | u64? | memory_kernel_stack_bytes |
/// | 104 | u64? | memory_page_tables_bytes |
/// | 112 | u64? | memory_commit_limit_bytes |
/// | 120 | u64? | memory_committed_bytes |
/// | 128 | u64? | swap_total_bytes |
/// | 136 | u64? | swap_free_bytes |
/// | 144 | u64? | swap_cached_bytes |
/// | 152 | u64? | huge_pages_total |
/// | 160 | u64? | huge_pages_free |
/// | 168 | u64? | huge_page_size_bytes |
public struct Memory: RecordBody {
  public static let kind = RecordKind.memory

  public var memoryTotalBytes: UInt64 = 0
  public var memoryFreeBytes: UInt64 = 0
  public var memoryAvailableBytes: UInt64?
  public var memoryBufferBytes: UInt64?
  public var memoryCachedBytes: UInt64?
  public var memorySharedBytes: UInt64?
  public var memoryDirtyBytes: UInt64?
  public var memoryWritebackBytes: UInt64?
  public var memoryAnonymousBytes: UInt64?
  public var memoryMappedBytes: UInt64?
  public var memorySlabBytes: UInt64?
  public var memorySlabReclaimableBytes: UInt64?
  public var memoryKernelStackBytes: UInt64?
  public var memoryPageTablesBytes: UInt64?
  public var memoryCommitLimitBytes: UInt64?
  public var memoryCommittedBytes: UInt64?
  public var swapTotalBytes: UInt64?
  public var swapFreeBytes: UInt64?
  public var swapCachedBytes: UInt64?
  public var hugePagesTotal: UInt64?
  public var hugePagesFree: UInt64?
  public var hugePageSizeBytes: UInt64?

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.unsigned(
      Field("memory_total_bytes", .bytes, .gauge, "Usable memory"), &memoryTotalBytes)
    visitor.unsigned(
      Field("memory_free_bytes", .bytes, .gauge, "Memory that nothing uses"), &memoryFreeBytes)
    visitor.optional(
      Field(
        "memory_available_bytes", .bytes, .gauge, "Memory that programs could get without swapping"),
      &memoryAvailableBytes)
    visitor.optional(
      Field("memory_buffer_bytes", .bytes, .gauge, "Memory in block device buffers"),
      &memoryBufferBytes)
    visitor.optional(
      Field("memory_cached_bytes", .bytes, .gauge, "Files held in memory"), &memoryCachedBytes)
    visitor.optional(
      Field("memory_shared_bytes", .bytes, .gauge, "Shared memory and tmpfs"), &memorySharedBytes)
    visitor.optional(
      Field("memory_dirty_bytes", .bytes, .gauge, "Waits to be written to disk"), &memoryDirtyBytes)
    visitor.optional(
      Field("memory_writeback_bytes", .bytes, .gauge, "Is being written to disk"),
      &memoryWritebackBytes)
    visitor.optional(
      Field("memory_anonymous_bytes", .bytes, .gauge, "Memory of programs that is in no file"),
      &memoryAnonymousBytes)
    visitor.optional(
      Field("memory_mapped_bytes", .bytes, .gauge, "Files that programs have mapped"),
      &memoryMappedBytes)
    visitor.optional(
      Field("memory_slab_bytes", .bytes, .gauge, "The kernel's own data"), &memorySlabBytes)
    visitor.optional(
      Field("memory_slab_reclaimable_bytes", .bytes, .gauge, "The part of it that could be freed"),
      &memorySlabReclaimableBytes)
    visitor.optional(
      Field(
        "memory_kernel_stack_bytes", .bytes, .gauge, "Stacks of the kernel, one for each thread"),
      &memoryKernelStackBytes)
    visitor.optional(
      Field("memory_page_tables_bytes", .bytes, .gauge, "Page tables"), &memoryPageTablesBytes)
    visitor.optional(
      Field(
        "memory_commit_limit_bytes", .bytes, .gauge,
        "What could be promised to programs under strict overcommit"),
      &memoryCommitLimitBytes)
    visitor.optional(
      Field("memory_committed_bytes", .bytes, .gauge, "What is promised to programs"),
      &memoryCommittedBytes)
    visitor.optional(Field("swap_total_bytes", .bytes, .gauge, "Swap space"), &swapTotalBytes)
    visitor.optional(
      Field("swap_free_bytes", .bytes, .gauge, "Swap space that nothing uses"), &swapFreeBytes)
    visitor.optional(
      Field("swap_cached_bytes", .bytes, .gauge, "Memory that is in swap space as well"),
      &swapCachedBytes)
    visitor.optional(
      Field("huge_pages_total", .count, .gauge, "Huge pages set aside"), &hugePagesTotal)
    visitor.optional(
      Field("huge_pages_free", .count, .gauge, "Huge pages that nothing uses"), &hugePagesFree)
    visitor.optional(
      Field("huge_page_size_bytes", .bytes, .gauge, "The default size of a huge page"),
      &hugePageSizeBytes)
  }

  public static var topic: StaticString { "memory" }
}
