import Testing

@testable import Records

/// The bodies that cyclic-file-read sends, of disks, file systems, processes and sensors.
struct FileReadDeviceBodyTests {
  @Test func diskIsWrittenAsTheGoldenRecord() throws {
    var body = Disk()
    body.device = FixedText("mmcblk0")
    body.majorNumber = 179
    body.isPartition = false
    (body.readCount, body.readMergedCount) = (18_642, 7291)
    (body.readBytes, body.readMilliseconds) = (730_678_272, 127_354)
    (body.writeCount, body.writeMergedCount) = (9210, 12_877)
    (body.writeBytes, body.writeMilliseconds) = (359_695_360, 301_478)
    body.inProgressCount = 2
    body.busyMilliseconds = 119_890
    body.weightedMilliseconds = 428_833
    (body.discardCount, body.discardMergedCount) = (120, 3)
    (body.discardBytes, body.discardMilliseconds) = (4_294_967_296, 77)
    try Golden.expect(body, isWrittenAs: "disk.v1")
  }

  @Test func fileSystemIsWrittenAsTheGoldenRecord() throws {
    var body = FileSystem()
    body.mountPoint = FixedText("/media/My Stick ä")
    body.device = FixedText("/dev/sda1")
    body.type = FixedText("ext4")
    body.isReadOnly = true
    body.isAnswering = true
    (body.sizeBytes, body.freeBytes, body.availableBytes) = (31_268_536_320, 4_096_000, 0)
    try Golden.expect(body, isWrittenAs: "file_system.v1")
  }

  @Test func flashWearIsWrittenAsTheGoldenRecord() throws {
    var body = FlashWear()
    body.device = FixedText("mmcblk0")
    body.cardName = FixedText("BJTD4R")
    body.lifeUsedATenths = 1
    body.endOfLife = .warning
    try Golden.expect(body, isWrittenAs: "flash_wear.v1")
  }

  @Test func processCountsIsWrittenAsTheGoldenRecord() throws {
    var body = ProcessCounts()
    (body.processCount, body.threadCount, body.kernelThreadCount) = (187, 412, 96)
    (body.runningCount, body.sleepingCount, body.diskSleepCount) = (2, 88, 1)
    (body.idleCount, body.stoppedCount, body.tracingStopCount) = (90, 3, 1)
    (body.zombieCount, body.otherCount, body.endedCount) = (1, 1, 4)
    try Golden.expect(body, isWrittenAs: "process_counts.v1")
  }

  @Test func everyStateCountsOnce() {
    var counts = ProcessCounts()
    for letter in "RSDITtZXxPW?".utf8 { counts.count(ProcessState(letter: letter)) }
    #expect(counts.processCount == 12)
    #expect(counts.runningCount == 1 && counts.sleepingCount == 1 && counts.diskSleepCount == 1)
    #expect(counts.idleCount == 1 && counts.stoppedCount == 1 && counts.tracingStopCount == 1)
    #expect(counts.zombieCount == 1 && counts.otherCount == 5)
  }

  @Test func processIsWrittenAsTheGoldenRecord() throws {
    var body = ProcessUsage()
    (body.processID, body.parentProcessID) = (412, 1)
    body.startHundredths = 1802
    body.name = FixedText("a b) c)")
    body.state = .running
    body.userID = 1000
    (body.userHundredths, body.systemHundredths) = (4711, 305)
    body.cpuTenThousandths = 9876
    (body.residentBytes, body.virtualBytes) = (33_603_584, 312_475_648)
    body.threadCount = 3
    (body.minorFaultCount, body.majorFaultCount) = (9031, 12)
    body.readBytes = 2_097_152
    body.nice = -5
    try Golden.expect(body, isWrittenAs: "process.v1")
  }

  @Test func thermalZoneIsWrittenAsTheGoldenRecord() throws {
    var body = ThermalZone()
    body.zone = FixedText("thermal_zone0")
    body.type = FixedText("cpu-thermal")
    body.temperatureThousandths = -7001
    try Golden.expect(body, isWrittenAs: "thermal_zone.v1")
  }

  @Test func sensorIsWrittenAsTheGoldenRecord() throws {
    var body = Sensor()
    body.chip = FixedText("cpu_thermal-virtual-0")
    body.feature = FixedText("temp1")
    body.label = FixedText("CPU die")
    body.quantity = .temperature
    body.valueMillionths = -5_125_000
    body.maximumMillionths = 85_000_000
    body.criticalMinimumMillionths = -20_000_000
    body.criticalMaximumMillionths = 110_000_000
    (body.alarm, body.maximumAlarm, body.criticalMinimumAlarm) = (true, false, true)
    (body.criticalMaximumAlarm, body.fault) = (false, false)
    try Golden.expect(body, isWrittenAs: "sensor.v1")
  }

  @Test func raspberryPiIsWrittenAsTheGoldenRecord() throws {
    var body = RaspberryPi()
    body.take(flags: 0xD0005)
    try Golden.expect(body, isWrittenAs: "raspberry_pi.v1")
  }

  @Test func aBooleanThatIsAbsentHasNoKey() throws {
    let golden = try Golden("raspberry_pi.v1")
    let members = try publishedMembers(golden.bytes)
    #expect(members["under_voltage"] as? Bool == true)
    #expect(members["frequency_capped"] as? Bool == false)
    #expect(members["supply_alarm"] == nil)
  }

  @Test(
    arguments: [
      (0, "/0"), (1, "/1"), (9, "/9"), (10, "/10"), (4821, "/4821"),
      (UInt32.max, "/4294967295"),
    ] as [(UInt32, String)])
  func aNumberIsALevelOfATopic(_ number: UInt32, _ level: String) {
    var topic = TopicLevels()
    topic.append(number: number)
    #expect(String(decoding: topic.bytes, as: UTF8.self) == level)
  }
}
