import Testing

@testable import Records

/// The bodies that cyclic-file-read sends, of CPU, memory and network.
struct FileReadBodyTests {
  @Test func cpuTimesIsWrittenAsTheGoldenRecord() throws {
    var body = CPUTimes()
    body.cpu = FixedText("3")
    body.userHundredths = 100_453
    body.niceHundredths = 286
    body.systemHundredths = 46_092
    body.idleHundredths = 5_857_467
    body.iowaitHundredths = 2250
    body.interruptHundredths = 0
    body.softInterruptHundredths = 386
    body.stealHundredths = 7
    try Golden.expect(body, isWrittenAs: "cpu_times.v1")
  }

  @Test func cpuActivityIsWrittenAsTheGoldenRecord() throws {
    var body = CPUActivity()
    body.contextSwitches = 98_765_432
    body.interrupts = 51_234_567
    body.softInterrupts = 21_345_678
    body.processesCreated = 48_211
    body.processesRunning = 2
    body.bootTimeSeconds = 1_763_700_000
    try Golden.expect(body, isWrittenAs: "cpu_activity.v1")
  }

  @Test func cpuFrequencyIsWrittenAsTheGoldenRecord() throws {
    var body = CPUFrequency()
    body.cpu = FixedText("3")
    body.frequencyHertz = 1_500_000_000
    body.frequencyLimitHertz = 1_800_000_000
    try Golden.expect(body, isWrittenAs: "cpu_frequency.v1")
  }

  @Test func memoryIsWrittenAsTheGoldenRecord() throws {
    var body = Memory()
    body.memoryTotalBytes = 3_977_768_960
    body.memoryFreeBytes = 1_233_420_288
    body.memoryAvailableBytes = 3_083_501_568
    body.memoryBufferBytes = 100_364_288
    body.memoryCachedBytes = 1_764_761_600
    body.memorySharedBytes = 29_806_592
    body.memoryDirtyBytes = 1_290_240
    body.memoryWritebackBytes = 4096
    body.memoryAnonymousBytes = 584_749_056
    body.memoryMappedBytes = 308_473_856
    body.memorySlabBytes = 100_700_160
    body.memorySlabReclaimableBytes = 63_600_640
    body.memoryKernelStackBytes = 5_029_888
    body.memoryPageTablesBytes = 11_472_896
    body.memoryCommitLimitBytes = 2_525_749_248
    body.memoryCommittedBytes = 1_640_796_160
    body.swapTotalBytes = 536_866_816
    body.swapFreeBytes = 532_594_688
    body.swapCachedBytes = 126_976
    try Golden.expect(body, isWrittenAs: "memory.v1")
  }

  @Test func pageActivityIsWrittenAsTheGoldenRecord() throws {
    var body = PageActivity()
    body.pageFaults = 30_112_233
    body.majorPageFaults = 9182
    body.pagedInBytes = 1_888_472_064
    body.pagedOutBytes = 3_003_494_400
    body.swappedInPages = 31
    body.swappedOutPages = 1043
    body.allocationStalls = 23
    try Golden.expect(body, isWrittenAs: "page_activity.v1")
  }

  @Test func networkInterfaceIsWrittenAsTheGoldenRecord() throws {
    var body = NetworkInterface()
    body.interface = FixedText("wlan0")
    body.receiveBytes = 4_402_011
    body.receivePackets = 30_122
    body.receiveErrors = 1
    body.receiveDropped = 3
    body.receiveFifoErrors = 2
    body.receiveFrameErrors = 4
    body.receiveCompressed = 5
    body.receiveMulticast = 6
    body.transmitBytes = 1_202_011
    body.transmitPackets = 8123
    body.transmitErrors = 7
    body.transmitDropped = 8
    body.transmitFifoErrors = 9
    body.transmitCollisions = 10
    body.transmitCarrierErrors = 11
    body.transmitCompressed = 12
    body.state = .dormant
    body.carrierChanges = 12
    try Golden.expect(body, isWrittenAs: "network_interface.v1")
  }

  @Test func socketsIsWrittenAsTheGoldenRecord() throws {
    var body = Sockets()
    body.socketsUsed = 241
    body.tcpInUse = 9
    body.tcpOrphaned = 1
    body.tcpTimeWait = 3
    body.tcpAllocated = 14
    body.tcpMemoryBytes = 20_480
    body.udpInUse = 7
    body.udpMemoryBytes = 12_288
    body.udpliteInUse = 0
    body.rawInUse = 1
    body.fragmentsInUse = 0
    body.fragmentsMemoryBytes = 0
    body.tcp6InUse = 4
    body.udp6InUse = 5
    body.raw6InUse = 1
    body.fragments6InUse = 2
    body.fragments6MemoryBytes = 1024
    body.ipReceivedPackets = 843_211
    body.ipDeliveredPackets = 840_112
    body.ipRequestedPackets = 411_022
    body.ipReceiveDiscards = 1
    body.ipTransmitDiscards = 20
    body.tcpActiveOpens = 1203
    body.tcpPassiveOpens = 88
    body.tcpFailedAttempts = 31
    body.tcpEstablishedResets = 17
    body.tcpEstablished = 6
    body.tcpReceivedSegments = 701_223
    body.tcpSentSegments = 402_311
    body.tcpRetransmittedSegments = 1245
    body.tcpReceiveErrors = 2
    body.tcpSentResets = 93
    body.udpReceivedDatagrams = 130_112
    body.udpSentDatagrams = 9123
    body.udpNoPort = 40
    body.udpReceiveErrors = 5
    body.udpReceiveBufferErrors = 4
    body.udpSendBufferErrors = 1
    try Golden.expect(body, isWrittenAs: "sockets.v1")
  }

  @Test func wirelessIsWrittenAsTheGoldenRecord() throws {
    var body = Wireless()
    body.interface = FixedText("wlan0")
    body.status = 0
    body.linkQualityTenths = 540
    body.signalTenths = -560
    body.discardedNetworkId = 1
    body.discardedEncryption = 2
    body.discardedFragment = 3
    body.discardedRetries = 4
    body.discardedOther = 104
    body.missedBeacons = 6
    try Golden.expect(body, isWrittenAs: "wireless.v1")
  }
}
