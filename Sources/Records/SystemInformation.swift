/// What sysinfo(2) tells: load, memory, uptime.
///
/// Body in format version 1, 88 bytes:
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u64 | uptime in seconds |
/// | 8, 12, 16 | u32 | load over 1, 5, 15 minutes, in ten-thousandths |
/// | 20, 28, 36, 44 | u64 | memory total, free, shared, in buffers, in bytes |
/// | 52, 60 | u64 | swap total, free, in bytes |
/// | 68, 76 | u64 | high memory total, free, in bytes |
/// | 84 | u32 | processes |
public struct SystemInformation: RecordBody {
  public static let kind = RecordKind.systemInformation

  public var uptimeSeconds: UInt64 = 0
  public var load1TenThousandths: UInt32 = 0
  public var load5TenThousandths: UInt32 = 0
  public var load15TenThousandths: UInt32 = 0
  public var memoryTotalBytes: UInt64 = 0
  public var memoryFreeBytes: UInt64 = 0
  public var memorySharedBytes: UInt64 = 0
  public var memoryBufferBytes: UInt64 = 0
  public var swapTotalBytes: UInt64 = 0
  public var swapFreeBytes: UInt64 = 0
  public var highMemoryTotalBytes: UInt64 = 0
  public var highMemoryFreeBytes: UInt64 = 0
  public var processCount: UInt32 = 0

  public init() {}

  public mutating func visit<Visitor: FieldVisitor>(_ visitor: inout Visitor) {
    visitor.unsigned(
      Field("uptime_seconds", .seconds, .gauge, "Time since the machine started"), &uptimeSeconds)
    visitor.unsigned(
      Field("load1", .none, .gauge, decimals: 4, "Load average over 1 minute"),
      &load1TenThousandths)
    visitor.unsigned(
      Field("load5", .none, .gauge, decimals: 4, "Load average over 5 minutes"),
      &load5TenThousandths)
    visitor.unsigned(
      Field("load15", .none, .gauge, decimals: 4, "Load average over 15 minutes"),
      &load15TenThousandths)
    visitor.unsigned(
      Field("memory_total_bytes", .bytes, .gauge, "Usable memory"), &memoryTotalBytes)
    visitor.unsigned(
      Field("memory_free_bytes", .bytes, .gauge, "Memory that nothing uses"), &memoryFreeBytes)
    visitor.unsigned(
      Field("memory_shared_bytes", .bytes, .gauge, "Shared memory and tmpfs"), &memorySharedBytes)
    visitor.unsigned(
      Field("memory_buffer_bytes", .bytes, .gauge, "Memory in block device buffers"),
      &memoryBufferBytes)
    visitor.unsigned(Field("swap_total_bytes", .bytes, .gauge, "Swap space"), &swapTotalBytes)
    visitor.unsigned(
      Field("swap_free_bytes", .bytes, .gauge, "Swap space that nothing uses"), &swapFreeBytes)
    visitor.unsigned(
      Field("high_memory_total_bytes", .bytes, .gauge, "High memory, on 32-bit machines"),
      &highMemoryTotalBytes)
    visitor.unsigned(
      Field("high_memory_free_bytes", .bytes, .gauge, "High memory that nothing uses"),
      &highMemoryFreeBytes)
    visitor.unsigned(
      Field("process_count", .count, .gauge, "Processes and threads, as the kernel counts them"),
      &processCount)
  }
}
