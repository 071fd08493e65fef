import Records

extension Memory {
  /// /proc/meminfo, of which newer kernels have more lines than older ones.
  ///
  /// ```
  /// MemTotal:       24684084 kB        kB: 1024 bytes
  /// HugePages_Total:       0
  /// ```
  /// MemAvailable came with Linux 3.14, Shmem and KernelStack with 2.6.32; a kernel without huge
  /// pages has none of theirs.
  init(parsing content: Span<UInt8>) throws(ParseError) {
    self.init()
    var (hasTotal, hasFree) = (false, false)
    var offset = 0
    while var rest = content.nextLine(&offset) {
      guard let key = content.nextWord(&rest) else { continue }
      guard let number = content.nextNumber(&rest) else {
        throw ParseError("has a line that is not a name and a number")
      }
      if content.holds(key, "HugePages_Total:") {
        hugePagesTotal = number
      } else if content.holds(key, "HugePages_Free:") {
        hugePagesFree = number
      } else {
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1024)
        if overflow { throw ParseError("has a number that is too large") }
        take(content, key, bytes)
        if content.holds(key, "MemTotal:") { hasTotal = true }
        if content.holds(key, "MemFree:") { hasFree = true }
      }
    }
    guard hasTotal else { throw ParseError("has no line MemTotal") }
    guard hasFree else { throw ParseError("has no line MemFree") }
  }

  private mutating func take(_ content: Span<UInt8>, _ key: Range<Int>, _ bytes: UInt64) {
    if content.holds(key, "MemTotal:") {
      memoryTotalBytes = bytes
    } else if content.holds(key, "MemFree:") {
      memoryFreeBytes = bytes
    } else if content.holds(key, "MemAvailable:") {
      memoryAvailableBytes = bytes
    } else if content.holds(key, "Buffers:") {
      memoryBufferBytes = bytes
    } else if content.holds(key, "Cached:") {
      memoryCachedBytes = bytes
    } else if content.holds(key, "Shmem:") {
      memorySharedBytes = bytes
    } else if content.holds(key, "Dirty:") {
      memoryDirtyBytes = bytes
    } else if content.holds(key, "Writeback:") {
      memoryWritebackBytes = bytes
    } else if content.holds(key, "AnonPages:") {
      memoryAnonymousBytes = bytes
    } else if content.holds(key, "Mapped:") {
      memoryMappedBytes = bytes
    } else if content.holds(key, "Slab:") {
      memorySlabBytes = bytes
    } else if content.holds(key, "SReclaimable:") {
      memorySlabReclaimableBytes = bytes
    } else if content.holds(key, "KernelStack:") {
      memoryKernelStackBytes = bytes
    } else if content.holds(key, "PageTables:") {
      memoryPageTablesBytes = bytes
    } else if content.holds(key, "CommitLimit:") {
      memoryCommitLimitBytes = bytes
    } else if content.holds(key, "Committed_AS:") {
      memoryCommittedBytes = bytes
    } else if content.holds(key, "SwapTotal:") {
      swapTotalBytes = bytes
    } else if content.holds(key, "SwapFree:") {
      swapFreeBytes = bytes
    } else if content.holds(key, "SwapCached:") {
      swapCachedBytes = bytes
    } else if content.holds(key, "Hugepagesize:") {
      hugePageSizeBytes = bytes
    }
  }
}
