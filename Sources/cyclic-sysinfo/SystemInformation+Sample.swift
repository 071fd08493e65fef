import CLinux
import Records

extension SystemInformation {
  /// Asks the kernel: sysinfo(2), which cannot fail with a valid address.
  static func sample() -> SystemInformation {
    var information = sysinfo()
    _ = sysinfo(&information)
    return SystemInformation(information)
  }

  /// The kernel's answer in units that are the same everywhere.
  ///
  /// ```
  /// struct sysinfo {                       sysinfo(2)
  ///   long uptime;                         seconds since boot
  ///   unsigned long loads[3];              1, 5, 15 minutes; 65536 is a load of 1
  ///   unsigned long totalram, freeram, sharedram, bufferram, totalswap, freeswap;
  ///   unsigned short procs;
  ///   unsigned long totalhigh, freehigh;
  ///   unsigned int mem_unit;               the unit of all sizes, in bytes
  /// };
  /// ```
  init(_ information: sysinfo) {
    self.init()
    let unit = UInt64(information.mem_unit)
    uptimeSeconds = UInt64(information.uptime)
    load1TenThousandths = Self.load(UInt64(information.loads.0))
    load5TenThousandths = Self.load(UInt64(information.loads.1))
    load15TenThousandths = Self.load(UInt64(information.loads.2))
    memoryTotalBytes = UInt64(information.totalram) * unit
    memoryFreeBytes = UInt64(information.freeram) * unit
    memorySharedBytes = UInt64(information.sharedram) * unit
    memoryBufferBytes = UInt64(information.bufferram) * unit
    swapTotalBytes = UInt64(information.totalswap) * unit
    swapFreeBytes = UInt64(information.freeswap) * unit
    highMemoryTotalBytes = UInt64(information.totalhigh) * unit
    highMemoryFreeBytes = UInt64(information.freehigh) * unit
    processCount = UInt32(information.procs)
  }

  /// From 65536ths to ten-thousandths, rounded.
  private static func load(_ fixedPoint: UInt64) -> UInt32 {
    UInt32(clamping: (fixedPoint * 10_000 + 32_768) >> 16)
  }
}
