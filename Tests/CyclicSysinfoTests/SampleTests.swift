import CLinux
import Records
import Testing

@testable import cyclic_sysinfo

struct SampleTests {
  @Test func everyFieldOfTheKernelsAnswerIsTaken() {
    var information = sysinfo()
    information.uptime = 1394
    information.loads = (26_340, 11_553, 65_536)
    information.totalram = 1000
    information.freeram = 900
    information.sharedram = 80
    information.bufferram = 70
    information.totalswap = 60
    information.freeswap = 50
    information.procs = 82
    information.totalhigh = 40
    information.freehigh = 30
    information.mem_unit = 4096

    let sample = SystemInformation(information)
    #expect(sample.uptimeSeconds == 1394)
    #expect(sample.load1TenThousandths == 4019)
    #expect(sample.load5TenThousandths == 1763)
    #expect(sample.load15TenThousandths == 10_000)
    #expect(sample.memoryTotalBytes == 4_096_000)
    #expect(sample.memoryFreeBytes == 3_686_400)
    #expect(sample.memorySharedBytes == 327_680)
    #expect(sample.memoryBufferBytes == 286_720)
    #expect(sample.swapTotalBytes == 245_760)
    #expect(sample.swapFreeBytes == 204_800)
    #expect(sample.highMemoryTotalBytes == 163_840)
    #expect(sample.highMemoryFreeBytes == 122_880)
    #expect(sample.processCount == 82)
  }

  @Test func thisMachineHasMemoryAndProcesses() {
    let sample = SystemInformation.sample()
    #expect(sample.memoryTotalBytes > 64 << 20)
    #expect(sample.memoryFreeBytes <= sample.memoryTotalBytes)
    #expect(sample.processCount > 0)
  }
}
