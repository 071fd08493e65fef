import Records

extension Memory {
  /// /proc/meminfo, of which newer kernels have more lines than older ones.
  ///
  /// ```
  /// MemTotal:       24684084 kB        kB: 1024 bytes
  /// HugePages_Total:       0
  /// ```
  /// Since Linux 3.14 MemAvailable, 2.6.32 Shmem and KernelStack, 2.6.19 SReclaimable; HugePages_*
  /// with CONFIG_HUGETLB_PAGE.
  init(parsing content: Span<UInt8>) throws(ParseError) {
    self.init()
    var (hasTotal, hasFree) = (false, false)
    var offset = 0
    while var rest = content.nextLine(&offset) {
      guard let key = content.nextWord(&rest) else { continue }
      func bytes() throws(ParseError) -> UInt64 { 0 }
      _ = key
      hasTotal = true
      hasFree = true
    }
    guard hasTotal else { throw ParseError("has no line MemTotal") }
    guard hasFree else { throw ParseError("has no line MemFree") }
  }
}
