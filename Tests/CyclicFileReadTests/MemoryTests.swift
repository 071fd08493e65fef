import Records
import Testing

@testable import cyclic_file_read

/// /proc/meminfo and /proc/vmstat.
struct MemoryTests {
  @Test func kilobytesAreOf1024Bytes() throws {
    let memory = try Memory(of: Capture.raspberryPi4.bytes("proc/meminfo"))
    #expect(memory.memoryTotalBytes == UInt64(3_884_540 * 1024))
    #expect(memory.memoryFreeBytes == UInt64(1_204_512 * 1024))
    #expect(memory.memoryAvailableBytes == UInt64(3_011_232 * 1024))
    #expect(memory.memoryBufferBytes == UInt64(98_012 * 1024))
    #expect(memory.memoryCachedBytes == UInt64(1_723_400 * 1024))
    #expect(memory.memorySharedBytes == UInt64(29_108 * 1024))
    #expect(memory.memoryDirtyBytes == UInt64(1260 * 1024))
    #expect(memory.memoryWritebackBytes == 0)
    #expect(memory.memoryAnonymousBytes == UInt64(571_044 * 1024))
    #expect(memory.memoryMappedBytes == UInt64(301_244 * 1024))
    #expect(memory.memorySlabBytes == UInt64(98_340 * 1024))
    #expect(memory.memorySlabReclaimableBytes == UInt64(62_110 * 1024))
    #expect(memory.memoryKernelStackBytes == UInt64(4912 * 1024))
    #expect(memory.memoryPageTablesBytes == UInt64(11_204 * 1024))
    #expect(memory.memoryCommitLimitBytes == UInt64(2_466_552 * 1024))
    #expect(memory.memoryCommittedBytes == UInt64(1_602_340 * 1024))
    #expect(memory.swapTotalBytes == UInt64(524_284 * 1024))
    #expect(memory.swapFreeBytes == UInt64(520_112 * 1024))
    #expect(memory.swapCachedBytes == UInt64(124 * 1024))
  }

  @Test func hugePagesAreCountedInPages() throws {
    let memory = try Memory(of: Capture.oldPC.bytes("proc/meminfo"))
    #expect(memory.hugePagesTotal == 16)
    #expect(memory.hugePagesFree == 12)
    #expect(memory.hugePageSizeBytes == 2_097_152)
  }

  @Test func whatAKernelDoesNotTellIsAbsent() throws {
    let pi = try Memory(of: Capture.raspberryPi4.bytes("proc/meminfo"))
    #expect(pi.hugePagesTotal == nil)
    #expect(pi.hugePageSizeBytes == nil)
    let old = try Memory(of: Capture.oldPC.bytes("proc/meminfo"))
    #expect(old.memoryAvailableBytes == nil)
    let least = try Memory(of: Array("MemTotal: 2 kB\nMemFree: 1 kB".utf8))
    #expect(least.memoryTotalBytes == 2048)
    #expect(least.memorySlabBytes == nil)
  }

  @Test(arguments: [
    "", "MemTotal: 1 kB\n", "MemFree: 1 kB\n", "MemTotal: x kB\nMemFree: 1 kB\n", "MemTotal:\n",
    "MemTotal: 18014398509481984 kB\nMemFree: 1 kB\n", "MemTotal: -1 kB\nMemFree: 1 kB\n",
    "garbage\nMemTotal: 1 kB\nMemFree: 1 kB\n",
  ])
  func whatIsNotMeminfoIsRefused(_ text: String) {
    #expect(throws: ParseError.self) { try Memory(of: Array(text.utf8)) }
  }

  @Test(arguments: [
    (Capture.raspberryPi4, UInt64(4 + 2 + 17)), (.raspberryPi3, 5), (.oldPC, 731),
    (.virtualMachine, 0),
  ])
  func allocationStallsAreTheSumOfTheZones(_ capture: Capture, _ stalls: UInt64) throws {
    #expect(try PageActivity(of: capture.bytes("proc/vmstat")).allocationStalls == stalls)
  }

  @Test func pagingIsInBytesAndSwappingInPages() throws {
    let activity = try PageActivity(of: Capture.raspberryPi4.bytes("proc/vmstat"))
    #expect(activity.pageFaults == 30_112_233)
    #expect(activity.majorPageFaults == 9182)
    #expect(activity.pagedInBytes == UInt64(1_844_211 * 1024))
    #expect(activity.pagedOutBytes == UInt64(2_933_100 * 1024))
    #expect(activity.swappedInPages == 31)
    #expect(activity.swappedOutPages == 1043)
    #expect(activity.oomKills == 1)
  }

  @Test func beforeLinux4_13OOMKillsAreAbsent() throws {
    #expect(try PageActivity(of: Capture.oldPC.bytes("proc/vmstat")).oomKills == nil)
  }

  @Test(arguments: [
    "", "pgfault 1\n", "nr_free_pages 5\n", "pgfault x\npgmajfault 1\n", "pgfault\n",
  ])
  func whatIsNotVmstatIsRefused(_ text: String) {
    #expect(throws: ParseError.self) { try PageActivity(of: Array(text.utf8)) }
  }
}
