import Records
import Testing

@testable import cyclic_file_read

/// The lines of /proc/stat.
struct CPUTests {
  @Test(arguments: [
    (Capture.virtualMachine, 2), (.raspberryPi4, 4), (.raspberryPi3, 4), (.oldPC, 2),
  ])
  func thereIsOneRecordForTheTotalAndOneForEachCPU(_ capture: Capture, _ count: Int) throws {
    let names = try capture.cpuTimes().map { string($0.cpu) }
    #expect(names == ["total"] + (0..<count).map(String.init))
  }

  @Test func eachOfTheTenTimesIsWhereItStands() throws {
    let line = Array("cpu12 1 2 3 4 5 6 7 8 9 10".utf8)
    let times = try #require(try CPUTimes(of: line))
    #expect(string(times.cpu) == "12")
    #expect(times.userHundredths == 1)
    #expect(times.niceHundredths == 2)
    #expect(times.systemHundredths == 3)
    #expect(times.idleHundredths == 4)
    #expect(times.iowaitHundredths == 5)
    #expect(times.interruptHundredths == 6)
    #expect(times.softInterruptHundredths == 7)
    #expect(times.stealHundredths == 8)
    #expect(times.guestHundredths == 9)
    #expect(times.guestNiceHundredths == 10)
  }

  @Test(arguments: 7...10) func timesThatAnOldKernelLacksAreAbsent(_ count: Int) throws {
    let line = Array("cpu  \((1...count).map(String.init).joined(separator: " "))".utf8)
    let times = try #require(try CPUTimes(of: line))
    #expect(times.stealHundredths == (count > 7 ? 8 : nil))
    #expect(times.guestHundredths == (count > 8 ? 9 : nil))
    #expect(times.guestNiceHundredths == (count > 9 ? 10 : nil))
  }

  @Test(arguments: [
    "cpu 1 2 3 4 5 6", "cpu", "cpux 1 2 3 4 5 6 7", "cpu0 1 2 3 4 5 6 x",
    "cpu0 1 2 3 4 5 6 18446744073709551616", "cpu-1 1 2 3 4 5 6 7", "cpu0 1 2 3 4 5 6 7 8 9 -1",
  ])
  func aMalformedLineIsRefused(_ line: String) {
    #expect(throws: ParseError.self) {
      try CPUTimes(of: Array(line.utf8))
    }
  }

  @Test(arguments: ["intr 5", "", " ", "ctxt 1", "CPU 1"]) func otherLinesAreNone(_ line: String)
    throws
  {
    #expect(try CPUTimes(of: Array(line.utf8)) == nil)
  }

  @Test(arguments: [
    (UInt64(100), UInt64(123_456), UInt64(123_456)), (1000, 123_456, 12_345), (1024, 2048, 200),
    (250, 3, 1), (64, 64, 100), (1, 7, 700), (1024, .max, 1_801_439_850_948_198_399),
  ])
  func ticksOfAnyLengthBecomeHundredths(_ perSecond: UInt64, _ ticks: UInt64, _ expected: UInt64) {
    #expect(CPUTimes.hundredths(ticks, perSecond) == expected)
  }

  @Test(arguments: Capture.all) func theTotalIsTheSumOfTheCPUs(_ capture: Capture) throws {
    let times = try capture.cpuTimes()
    let sum = times.dropFirst().reduce(0) { $0 + $1.idleHundredths }
    // The kernel rounds each of them down to a tick by itself.
    #expect(times[0].idleHundredths >= sum)
    #expect(times[0].idleHundredths - sum < UInt64(times.count))
  }

  @Test func activityIsReadFromTheOtherLines() throws {
    let activity = try CPUActivity(of: Capture.raspberryPi4.bytes("proc/stat"))
    #expect(activity.interrupts == 51_234_567)
    #expect(activity.contextSwitches == 98_765_432)
    #expect(activity.bootTimeSeconds == 1_763_700_000)
    #expect(activity.processesCreated == 48_211)
    #expect(activity.processesRunning == 2)
    #expect(activity.processesBlocked == 0)
    #expect(activity.softInterrupts == 21_345_678)
  }

  @Test func whatAnOldKernelDoesNotTellOfActivityIsAbsent() throws {
    let stat = Array("cpu 1 2 3 4 5 6 7\nintr 9 1\nctxt 8\nbtime 7\nprocesses 6\n".utf8)
    let activity = try CPUActivity(of: stat)
    #expect(activity.interrupts == 9)
    #expect(activity.softInterrupts == nil)
    #expect(activity.processesRunning == nil)
    #expect(activity.processesBlocked == nil)
  }

  @Test(arguments: ["", "\n\n", "garbage", "intr 1\nctxt 1\nbtime 1\n", "intr x\n", "intr\n"])
  func whatIsNotAStatFileIsRefused(_ text: String) {
    #expect(throws: ParseError.self) { try CPUActivity(of: Array(text.utf8)) }
  }

  @Test func hundredsOfCPUsAreRead() throws {
    let text = (0..<4096).map { "cpu\($0) \($0) 0 0 0 0 0 0 0 0 0\n" }.joined()
    let times = try lines(of: Array(text.utf8)).compactMap {
      try CPUTimes(of: $0)
    }
    #expect(times.count == 4096)
    for (number, time) in times.enumerated() {
      #expect(string(time.cpu) == "\(number)")
      #expect(time.userHundredths == UInt64(number))
    }
  }
}
