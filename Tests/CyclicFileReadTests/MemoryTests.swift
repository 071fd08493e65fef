import Records
import Testing

@testable import cyclic_file_read

/// /proc/meminfo and /proc/vmstat.
struct MemoryTests {
  @Test func kilobytesAreOf1024Bytes() throws {
    let memory = try Memory(of: Capture.raspberryPi4.bytes("proc/meminfo"))
    #expect(memory.memoryTotalBytes == 3_884_540 * 1024)
    #expect(memory.memoryFreeBytes == 1_204_512 * 1024)
    #expect(memory.memoryAvailableBytes == 3_011_232 * 1024)
    #expect(memory.memoryBufferBytes == 98_012 * 1024)
    #expect(memory.memoryCachedBytes == 1_723_400 * 1024)
    #expect(memory.memorySharedBytes == 29_108 * 1024)
    #expect(memory.memoryDirtyBytes == 1260 * 1024)
    #expect(memory.memoryWritebackBytes == 0)
    #expect(memory.memoryAnonymousBytes == 571_044 * 1024)
    #expect(memory.memoryMappedBytes == 301_244 * 1024)
    #expect(memory.memorySlabBytes == 98_340 * 1024)
    #expect(memory.memorySlabReclaimableBytes == 62_110 * 1024)
    #expect(memory.memoryKernelStackBytes == 4912 * 1024)
    #expect(memory.memoryPageTablesBytes == 11_204 * 1024)
    #expect(memory.memoryCommitLimitBytes == 2_466_552 * 1024)
    #expect(memory.memoryCommittedBytes == 1_602_340 * 1024)
    #expect(memory.swapTotalBytes == 524_284 * 1024)
    #expect(memory.swapFreeBytes == 520_112 * 1024)
    #expect(memory.swapCachedBytes == 124 * 1024)
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
    #expect(activity.pagedInBytes == 1_844_211 * 1024)
    #expect(activity.pagedOutBytes == 2_933_100 * 1024)
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
