import Testing

@testable import Records

/// Each body as it stands on the wire.
struct BodyTests {
  @Test func systemInformation() throws {
    var body = SystemInformation()
    body.uptimeSeconds = 1394
    body.load1TenThousandths = 4019
    body.load5TenThousandths = 1763
    body.load15TenThousandths = 586
    body.memoryTotalBytes = 25_276_502_016
    body.memoryFreeBytes = 24_189_997_056
    body.memorySharedBytes = 9_084_928
    body.memoryBufferBytes = 4_534_272
    body.swapTotalBytes = 1_073_741_824
    body.swapFreeBytes = 1_073_741_312
    body.highMemoryTotalBytes = 4096
    body.highMemoryFreeBytes = 1024
    body.processCount = 82
    try Golden.expect(body, isWrittenAs: "system_information.v1")
  }

  @Test func sourceState() throws {
    let reason = [UInt8]("no /proc/pressure: add psi=1 to the kernel's command line".utf8)
    try Golden.expect(
      SourceState(.unavailable, reason: reason.span), isWrittenAs: "source_state.v1")
  }
}
