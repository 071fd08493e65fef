import Foundation
import Records
import Testing

/// How many instructions the programs take for what they do again and again, counted by
/// valgrind(1): they repeat where times do not. STATS_UPDATE_COUNTS=1 writes the file anew.
///
/// What two runs of different length differ by is counted, so that start and end do not matter.
@Suite(
  .serialized, .needs(command: "valgrind"), .needs(command: "mosquitto"),
  .needs(command: "mosquitto_sub"),
  .needs("the counts are those of amd64") { RecordedCounts.isForThisMachine })
struct InstructionCountTests {
  @Test func aSampleOfCyclicSysinfo() throws {
    try compare("cyclic-sysinfo: one sample", runs: (20, 60)) { count in
      try sampling(.cyclicSysinfo, .systemInformation, count, ["--interval", "50ms"])
    }
  }

  @Test func aSampleOfCyclicFileReadOnACapture() throws {
    let capture = Self.fixture("cyclic-file-read/raspberry-pi-4-arm64-6.6")
    try compare("cyclic-file-read: one sample of a Raspberry Pi 4", runs: (6, 18)) { count in
      try sampling(
        .cyclicFileRead, .cpuActivity, count,
        [
          "--procfs", capture + "/proc", "--sysfs", capture + "/sys", "--interval", "200ms",
          // Asks this machine's own file systems.
          "--file-systems-interval", "off",
        ])
    }
  }

  @Test func aScanOfProcessesOnACapture() throws {
    try compare("cyclic-file-read: one scan of a hundred processes", runs: (6, 18)) { count in
      let rig = try Rig()
      let procfs = try Self.manyProcesses(100, in: rig.folder)
      return try sampling(
        .cyclicFileRead, .processCounts, count,
        ["--procfs", procfs, "--sysfs", procfs, "--processes-interval", "200ms"]
          + ["cpu", "memory", "network", "disks", "file-systems", "temperatures"].flatMap {
            ["--\($0)-interval", "off"]
          })
    }
  }

  @Test func anAccountingRecordIsDecodedAndQueued() throws {
    try compare("inotify-pacct: one record decoded and queued", runs: (300, 900)) { count in
      let rig = try Rig()
      let file = rig.folder.appending(path: "pacct")
      try Self.accounting(count).write(to: file)
      let reader = try QueueReader(rig, .inotifyPacct)
      defer { reader.stop() }
      let program = try callgrind(
        rig, "inotify-pacct",
        ["--file", file.path(), "--from-start", "--assume-on"])
      try eventually("all records are queued", within: 60) { reader.count(.processExit) == count }
      return (try instructions(program), count)
    }
  }

  @Test func aRecordThroughTheBridge() throws {
    try compare("posix-mq-to-mqtt-bridge: one record from the queue to PUBACK", runs: (40, 120)) {
      count in
      let rig = try Rig()
      let subscriber = try rig.subscriber()
      let bridge = try callgrind(
        rig, "posix-mq-to-mqtt-bridge",
        ["--host", "127.0.0.1", "--port", "\(rig.broker().port)", "--device-id", rig.name])
      try eventually("the bridge connects", within: 60) {
        subscriber.messages(of: "/status").last?.text("state") == "online"
      }
      // Each alone: how many of a burst it takes at once is a matter of time.
      let generator = try LoadGenerator(rig, perSecond: 50, limit: UInt64(count))
      try eventually("all records arrive", within: 60) {
        subscriber.messages.count { $0.topic.hasSuffix("/cyclic-sysinfo") } == count
      }
      generator.stop()
      return (try instructions(bridge), count)
    }
  }

  @Test func aRecordIsDecodedAndPrinted() throws {
    try compare("posix-mq-to-mqtt-bridge: one record decoded and printed", runs: (40, 120)) {
      count in
      let rig = try Rig()
      let bridge = try callgrind(rig, "posix-mq-to-mqtt-bridge", ["--print"])
      try eventually("it prints", within: 60) { QueueReader.queueExists(rig, .cyclicSysinfo) }
      let generator = try LoadGenerator(rig, perSecond: 50, limit: UInt64(count))
      try eventually("all records are printed", within: 60) { bridge.output.count == count }
      generator.stop()
      return (try instructions(bridge), count)
    }
  }

  // MARK: Counting

  /// Runs what is to be counted twice, and compares the difference with the recorded number.
  private func compare(
    _ name: String, runs: (Int, Int), _ run: (Int) throws -> (instructions: Int, times: Int)
  ) throws {
    let (short, long) = (try run(runs.0), try run(runs.1))
    try #require(long.times > short.times)
    let count = (long.instructions - short.instructions) / (long.times - short.times)
    if RecordedCounts.areUpdated {
      try RecordedCounts.record(name, count)
      return
    }
    let recorded = try #require(
      try RecordedCounts.read()[name], "no count of it yet: run with STATS_UPDATE_COUNTS=1")
    let change = Double(count - recorded) / Double(recorded)
    #expect(
      abs(change) <= 0.05,
      """
      \(name): \(count) instructions, \(recorded) are recorded; if that is meant, write it with \
      STATS_UPDATE_COUNTS=1
      """)
  }

  /// A program that samples until it has told of so many samples, and perhaps more.
  private func sampling(
    _ program: Program, _ marker: RecordKind, _ count: Int, _ options: [String]
  ) throws -> (instructions: Int, times: Int) {
    let rig = try Rig()
    let reader = try QueueReader(rig, program)
    defer { reader.stop() }
    let process = try callgrind(rig, "\(program.name)", options)
    try eventually("\(count) samples", within: 60) { reader.count(marker) >= count }
    let instructions = try instructions(process)
    return (instructions, reader.count(marker))
  }

  private func callgrind(_ rig: Rig, _ program: String, _ options: [String]) throws -> ChildProcess
  {
    try ChildProcess(
      [
        try #require(Machine.command("valgrind"), "valgrind is not installed"), "--tool=callgrind",
        "--callgrind-out-file=\(rig.folder.path())/callgrind",
      ] + Rig.command(program, on: .amd64)
        + ["--config", "/dev/null", "--queue-prefix", rig.queuePrefix] + options,
      name: "callgrind", in: rig.folder)
  }

  /// What valgrind has counted when the program has ended.
  private func instructions(_ process: ChildProcess) throws -> Int {
    #expect(try process.stop(within: 60) == 0)
    // `==4711== Collected : 12345678`
    let line = try #require(process.log.first { $0.contains("Collected :") }, "\(process.log)")
    return try #require(line.split(separator: " ").last.flatMap { Int($0) }, "\(line)")
  }

  // MARK: What is read

  private static func fixture(_ path: String) -> String {
    Machine.packageRoot.appending(path: "Tests/Fixtures/\(path)").path()
  }

  /// The record of a process that ended, again and again with other process ids.
  private static func accounting(_ count: Int) throws -> Data {
    let captured = try Data(
      contentsOf: URL(filePath: fixture("pacct/linux-6.18-amd64.pacct")))
    let record = try #require(
      stride(from: 0, to: captured.count - 63, by: 64).lazy.map { captured[$0..<($0 + 64)] }
        .first { Data($0)[36] != 0 })
    var file = Data()
    for number in 0..<count {
      var copy = Data(record)
      withUnsafeBytes(of: UInt32(1000 + number).littleEndian) {
        copy.replaceSubrange(16..<20, with: $0)
      }
      file += copy
    }
    return file
  }

  /// A folder of processes that do not exist.
  private static func manyProcesses(_ count: Int, in folder: URL) throws -> String {
    let procfs = folder.appending(path: "proc")
    for number in 0..<count {
      let process = procfs.appending(path: "\(1000 + number)")
      try FileManager.default.createDirectory(at: process, withIntermediateDirectories: true)
      let memory = 500 + number * 37 % 2000
      let text = """
        \(1000 + number) (worker-\(number)) S 1 2 2 0 -1 4194304 5240 0 3 0 \(number * 7) \(number) \
        0 0 20 0 4 0 \(1000 + number) 23511040 \(memory) 18446744073709551615 1 1 0 0 0 0 0 4096 \
        16384 0 0 0 17 1 0 0 0 0 0\n
        """
      try text.write(to: process.appending(path: "stat"), atomically: true, encoding: .utf8)
    }
    try FileManager.default.createSymbolicLink(
      at: procfs.appending(path: "self"), withDestinationURL: procfs.appending(path: "1000"))
    return procfs.path()
  }
}

/// Tests/Fixtures/instruction-counts.txt: lines `name = count`.
private enum RecordedCounts {
  static let areUpdated = ProcessInfo.processInfo.environment["STATS_UPDATE_COUNTS"] == "1"
  private static let file = Machine.packageRoot.appending(
    path: "Tests/Fixtures/instruction-counts.txt")

  static var isForThisMachine: Bool {
    #if arch(x86_64)
      true
    #else
      false
    #endif
  }

  static func read() throws -> [String: Int] {
    guard FileManager.default.fileExists(atPath: file.path()) else { return [:] }
    var counts: [String: Int] = [:]
    for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
      let parts = line.split(separator: "=").map { $0.trimmingCharacters(in: .whitespaces) }
      if parts.count == 2, let count = Int(parts[1]) { counts[parts[0]] = count }
    }
    return counts
  }

  static func record(_ name: String, _ count: Int) throws {
    var counts = try read()
    counts[name] = count
    let lines = counts.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)\n" }
    try lines.joined().write(to: file, atomically: true, encoding: .utf8)
  }
}
