import Foundation
import Records
import Linux
import TestSupport
import Testing

@testable import cyclic_file_read

struct ProcessTests {
  private static let folder = "processes/armv7l-raspberry-pi"

  private func status(_ id: Int) throws -> ProcessStatus {
    try ProcessStatus(of: Fixture.bytes("\(Self.folder)/\(id)/stat"))
  }

  @Test func aProcessOf32BitARM() throws {
    let status = try status(1)
    #expect(status.processID == 1)
    #expect(status.name == FixedText("systemd"))
    #expect(status.state == .sleeping)
    #expect(status.parentProcessID == 0)
    #expect(!status.isKernelThread)
    #expect(status.minorFaultCount == 21_875)
    #expect(status.majorFaultCount == 77)
    #expect(status.userTicks == 214)
    #expect(status.systemTicks == 512)
    #expect(status.threadCount == 1)
    #expect(status.startTicks == 4)
    #expect(status.virtualBytes == 34_754_560)
    #expect(status.residentPages == 2061)
  }

  @Test func kernelThreadsAreKnownByTheirFlag() throws {
    #expect(try status(2).isKernelThread)
    let worker = try status(45)
    #expect(worker.name == FixedText("kworker/3:1H-kblockd"))
    #expect(worker.state == .idle)
    #expect(worker.nice == -20)
  }

  @Test func aNameEndsAtTheLastParenthesis() throws {
    #expect(try status(412).name == FixedText("a b) c)"))
    #expect(try status(412).state == .running)
    #expect(try status(413).name == FixedText(") R 1 1 1 0"))
    #expect(try status(413).parentProcessID == 412)
    #expect(try status(500).name == FixedText(""))
    #expect(try status(500).state == .tracingStop)
  }

  @Test func aNameMayHoldAnyByte() throws {
    let status = try status(501)
    #expect(status.name == FixedText(([0xFF, 0xFE, 0x0A, 0x28, 0x78] as [UInt8]).span))
    #expect(status.state == .zombie)
  }

  @Test func lessPagesThanNoneAreNone() throws {
    #expect(try status(500).residentPages == 0)
  }

  @Test(arguments: [
    "", "1", "1 (", "1 ()", "1 (a", "(a) S 0", "x (a) S 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 0 0 1 0 1 1 1",
    "1 )a( S", "1 (a) S 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4 100",
    "1 (a) S 0 1 1 0 -1 0 0 0 0 0 x 0 0 0 20 0 1 0 4 100 1",
    "99999999999 (a) S 0 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4 100 1",
  ])
  func aTextThatIsNoStatusIsRefused(_ text: String) {
    #expect(throws: ParseError.self) { _ = try ProcessStatus(of: [UInt8](text.utf8)) }
  }

  @Test func everyTruncationIsRefusedUntilTheLastColumnIsThere() throws {
    let text = try Fixture.bytes("\(Self.folder)/412/stat")
    let rest = [UInt8](" 8204 4294967295".utf8)
    let end =
      try #require(
        text.indices.first { text[$0...].starts(with: rest) }) + 1
    for count in 0...end {
      #expect(throws: ParseError.self) { _ = try ProcessStatus(of: Array(text[..<count])) }
    }
    #expect(try ProcessStatus(of: text).residentPages == 8204)
  }

  @Test(arguments: [1, 45, 412, 413, 500, 501])
  func anyMutationIsRefusedOrHasAProcessID(_ id: Int) throws {
    let seed = UInt64(44)
    let text = try Fixture.bytes("\(Self.folder)/\(id)/stat")
    for bytes in Mutations(of: text, count: 4000, seed: seed) {
      guard let status = try? ProcessStatus(of: bytes) else { continue }
      #expect(status.processID >= 0, "seed \(seed): \(bytes)")
      let units = ProcessUnits(ticksPerSecond: 100, pageBytes: 16_384)
      _ = ProcessUsage(status, units)
      _ = units.cpuTenThousandths(status.ticks, 1)
    }
  }

  @Test func storageIsReadFromIO() throws {
    let text = try Fixture.bytes("\(Self.folder)/412/io")
    let storage = ProcessStorage(parsing: text.span)
    #expect(storage?.readBytes == 2_097_152)
    #expect(storage?.writeBytes == 323_932_160)
    for other in ["", "read_bytes: 1\n", "read_bytes: x\nwrite_bytes: 1\n"] {
      let bytes = [UInt8](other.utf8)
      let none = ProcessStorage(parsing: bytes.span)
      #expect(none == nil)
    }
  }

  @Test(arguments: [
    ("1234 204 163 21 0 89 0\n", 204 as UInt64?), ("1 0 0 0 0 0 0\n", 0), ("", nil), ("1\n", nil),
    ("1 x\n", nil),
  ])
  func residentMemoryIsTheSecondNumberOfStatm(_ text: String, _ pages: UInt64?) {
    let bytes = [UInt8](text.utf8)
    let found = ProcessStatus.residentPages(parsing: bytes.span)
    #expect(found == pages)
  }

  @Test func aScanCountsAndRanks() throws {
    var scan = try ProcessScan(procfs: Text(Fixture.path(Self.folder)), count: 2)
    try scan.run()
    let counts = scan.counts
    #expect(counts.processCount == 9)
    #expect(counts.threadCount == 12)
    #expect(counts.kernelThreadCount == 3)
    #expect(counts.runningCount == 1)
    #expect(counts.sleepingCount == 3)
    #expect(counts.diskSleepCount == 1)
    #expect(counts.idleCount == 1)
    #expect(counts.stoppedCount == 1)
    #expect(counts.tracingStopCount == 1)
    #expect(counts.zombieCount == 1)
    #expect(counts.endedCount == 1)
    // The macros cannot look into what cannot be copied.
    let (byCPU, byMemory) = (scan.byCPU.places(), scan.byMemory.places())
    let (elapsed, hasError) = (scan.elapsed, scan.error != nil)
    let (storage, noStorage) = (scan.storage(of: 412), scan.storage(of: 1))
    let (user, noUser) = (scan.user(of: 412), scan.user(of: 4_000_000))
    #expect(!hasError)
    #expect(elapsed == nil)
    #expect(byCPU.map(\.status.processID) == [412, 97])
    #expect(byMemory.map(\.status.processID) == [413, 412])
    #expect(storage?.readBytes == 2_097_152)
    #expect(noStorage == nil)
    #expect(user == getuid())
    #expect(noUser == nil)
  }

  @Test func theSecondScanRanksByWhatWasUsedSince() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "processes-\(UUID())")
    try FileManager.default.copyItem(
      at: Capture.folder.appending(path: Self.folder), to: folder)
    defer { try? FileManager.default.removeItem(at: folder) }
    var scan = try ProcessScan(procfs: Text(folder.path()), count: 3)
    try scan.run()
    func rewrite(_ id: Int, _ old: String, _ new: String) throws {
      let file = folder.appending(path: "\(id)/stat")
      let text = try String(contentsOf: file, encoding: .utf8)
      try text.replacingOccurrences(of: old, with: new).write(
        to: file, atomically: true, encoding: .utf8)
    }
    try rewrite(1, " 214 512 ", " 220 513 ")
    // The id is used again: the new process has used 303 ticks in all.
    try rewrite(777, " 0 1 0 0 20 -5 2 0 3000", " 300 3 0 0 20 -5 2 0 9000")
    try FileManager.default.removeItem(at: folder.appending(path: "97"))
    try scan.run()
    let (byCPU, elapsed, count) = (scan.byCPU.places(), scan.elapsed, scan.counts.processCount)
    #expect(byCPU.map(\.status.processID) == [777, 1])
    #expect(byCPU.map(\.ticks) == [303, 7])
    #expect(elapsed != nil)
    #expect(count == 8)
  }

  /// With `keepsFiles` each process has one open file as long as it lives, and not longer.
  @Test func theFileOfAProcessGoesWithIt() throws {
    let child = Process()
    child.executableURL = URL(filePath: "/bin/sleep")
    child.arguments = ["1000"]
    try child.run()
    // Process hands down what signals its thread has blocked: SIGTERM may do nothing.
    defer { if child.isRunning { kill(child.processIdentifier, SIGKILL) } }
    /// How many files of the child this process has open.
    func openFiles() throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count {
        let file = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
        return file == "/proc/\(child.processIdentifier)/stat"
      }
    }
    var scan = try ProcessScan(procfs: "/proc", count: 1000, keepsFiles: true)
    for _ in 1...2 {
      try scan.run()
      let isFound = scan.byMemory.contains(child.processIdentifier)
      #expect(isFound)
      #expect(try openFiles() == 1)
    }
    kill(child.processIdentifier, SIGKILL)
    child.waitUntilExit()
    try scan.run()
    let isFound = scan.byMemory.contains(child.processIdentifier)
    #expect(!isFound)
    #expect(try openFiles() == 0)
  }

  @Test func idsOfACopyAreSorted() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "processes-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let text = try String(
      contentsOf: Capture.folder.appending(path: "\(Self.folder)/412/stat"), encoding: .utf8)
    let numbers = text[text.firstIndex(of: " ")!...]
    for id in 1...300 {
      let process = folder.appending(path: "\(id * 7919 % 30_011 + 1)")
      try FileManager.default.createDirectory(at: process, withIntermediateDirectories: true)
      try "\(process.lastPathComponent)\(numbers)".write(
        to: process.appending(path: "stat"), atomically: true, encoding: .utf8)
    }
    var scan = try ProcessScan(procfs: Text(folder.path()), count: 3)
    // Out of order, a process would not be found again, and would have used all its time anew.
    for _ in 1...2 { try scan.run() }
    let (count, byCPU) = (scan.counts.processCount, scan.byCPU.count)
    #expect(count == 300)
    #expect(byCPU == 0)
  }

  @Test func ofEqualsTheFirstStays() throws {
    var ranking = ProcessRanking(count: 2)
    for (id, score) in [(1, 5), (2, 5), (3, 5), (4, 6), (5, 0)] as [(Int32, UInt64)] {
      var status = try status(1)
      status.processID = id
      ranking.offer(status, score: score, ticks: 0)
    }
    #expect(ranking.places().map(\.status.processID) == [4, 1])
    #expect(ranking.contains(4) && !ranking.contains(2))
    var none = ProcessRanking(count: 0)
    none.offer(try status(1), score: 1, ticks: 1)
    #expect(none.count == 0)
  }

  @Test(
    arguments: [
      (100, 1_000_000_000, 10_000), (1, 10_000_000_000, 10), (0, 1, 0),
      (250, 1_000_000_000, 25_000),
      (UInt64.max, 1, UInt32.max - 1),
    ] as [(UInt64, UInt64, UInt32)])
  func cpuUseIsARatioOfTime(_ ticks: UInt64, _ nanoseconds: UInt64, _ result: UInt32) {
    let units = ProcessUnits(ticksPerSecond: 100, pageBytes: 4096)
    #expect(units.cpuTenThousandths(ticks, nanoseconds) == result)
    #expect(units.cpuTenThousandths(ticks, nil) == nil)
    #expect(units.cpuTenThousandths(ticks, 0) == nil)
  }
}

extension ProcessRanking {
  fileprivate func places() -> [Place] { (0..<count).map { self[$0] } }
}
