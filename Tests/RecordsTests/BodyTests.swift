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

  @Test func behindATextThatBecameShorterStandZeros() throws {
    var state = SourceState(.unavailable, reason: Array("no such file or folder".utf8).span)
    state.reason.removeAll()
    state.reason.append(Array("no".utf8).span)
    let bytes = encoded(&state)
    #expect(bytes.suffix(160) == Array("no".utf8) + [UInt8](repeating: 0, count: 158))
    state.reason = FixedText("no")
    #expect(encoded(&state) == bytes)
  }

  @Test func aRecordIsWrittenBehindWhatTheBufferHolds() throws {
    var body = SourceState(.running)
    var (header, bytes) = (RecordHeader(instance: 7), [1, 2, 3] as [UInt8])
    header.encode(&body, into: &bytes)
    #expect(bytes == [1, 2, 3] + encoded(&body))
  }

  private func encoded<Body: RecordBody>(_ body: inout Body) -> [UInt8] {
    var (header, bytes) = (RecordHeader(instance: 7), [UInt8]())
    header.encode(&body, into: &bytes)
    return bytes
  }

  @Test func sourceState() throws {
    let reason = [UInt8]("no /proc/pressure: add psi=1 to the kernel's command line".utf8)
    try Golden.expect(
      SourceState(.unavailable, reason: reason.span), isWrittenAs: "source_state.v1")
  }

  @Test func pressureSample() throws {
    var pressure = Pressure()
    pressure.some.average10TenThousandths = 127
    pressure.some.average60TenThousandths = 151
    pressure.some.average300TenThousandths = 672
    pressure.some.totalMicroseconds = 99_603_873
    // Before Linux 5.13 the CPU had no second line.
    try Golden.expect(
      PressureSample(.cpu, of: CgroupPath(), pressure), isWrittenAs: "pressure_sample.v1")
  }

  @Test func pressureStall() throws {
    var body = PressureStall()
    body.state = .over
    body.resource = .memory
    body.scope = .full
    body.isPolled = true
    body.cgroup = CgroupPath("system.slice/influxdb.service")
    body.thresholdMicroseconds = 300_000
    body.windowMicroseconds = 2_000_000
    body.stallMicroseconds = 35_802
    body.intervalMicroseconds = 2_500_113
    body.episodeMicroseconds = 8_516_042
    body.episodeStallMicroseconds = 5_734_921
    body.pressure.some.average10TenThousandths = 6012
    body.pressure.some.average60TenThousandths = 2204
    body.pressure.some.average300TenThousandths = 633
    body.pressure.some.totalMicroseconds = 8_234_567_890_123
    body.pressure.full.average10TenThousandths = 5847
    body.pressure.full.average60TenThousandths = 2113
    body.pressure.full.average300TenThousandths = 598
    body.pressure.full.totalMicroseconds = 7_123_456_789_012
    try Golden.expect(body, isWrittenAs: "pressure_stall.v1")
  }
}
