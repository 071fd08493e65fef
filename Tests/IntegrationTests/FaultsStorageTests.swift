import CLinux
import Foundation
import Records
import Testing

/// What the outbox and the spill are kept on: absent, full, read-only, somebody else's, damaged.
@Suite(.needs(command: "mosquitto"), .onItsOwnThread)
struct FaultsStorageTests {
  /// Pushes some records while the broker is away, ends the bridge, and says how many there were.
  private func spill(_ device: FaultRig, samples: UInt64, events: UInt64) throws -> ChildProcess {
    device.tap.set(.closed)
    let loads = [
      try device.load(perSecond: 5000, limit: samples),
      try device.load(.events, perSecond: 5000, limit: events),
    ]
    let bridge = try device.start()
    try eventually("the queues are empty", within: 30) { loads.allSatisfy { $0.isTaken } }
    return bridge
  }

  @Test func whatWaitsAtTheEndGoesToDiskAndComesBack() throws {
    let device = try FaultRig()
    let bridge = try spill(device, samples: 900, events: 100)
    #expect(try bridge.stop() == 0)
    #expect(
      bridge.log.contains { $0.hasSuffix("1000 records went to disk until the broker is back") })
    #expect(device.spillFiles.count == 2, "\(device.spillFiles)")
    // As after a reboot.
    try FileManager.default.removeItem(atPath: device.outbox)
    device.tap.set(.open)
    let again = try device.start()
    let figures = try device.settle("reboot: outbox gone, spill on disk")
    #expect(figures.lost == 0 && figures.counted == 0 && figures.duplicated == 0)
    #expect(device.spillFiles == [])
    #expect(try again.stop() == 0)
  }

  /// /proc/PID/io counts what goes to storage; the files' times tell about what stays in memory.
  @Test func withTheBrokerThereNothingGoesToDisk() throws {
    let device = try FaultRig("--spill-after", "1s", outbox: "/dev/shm")
    let load = try device.load(perSecond: 1000)
    let bridge = try device.start()
    // Its log goes to a file too.
    try eventually("it says so") { bridge.log.contains { $0.contains("connected to") } }
    let atStart = try storageBytes(of: bridge)
    try eventually("load", within: 30) { load.sent > 3000 && device.arrived > 2000 }
    #expect(try storageBytes(of: bridge) == atStart, "\(bridge.log)")
    #expect(!FileManager.default.fileExists(atPath: device.spill))
    device.tap.set(.closed)
    try eventually("it spills", within: 20) { !device.spillFiles.isEmpty }
    device.tap.set(.open)
    let figures = try device.settle("spilled after 1 s without the broker")
    #expect(figures.lost == 0 && figures.counted == 0)
    #expect(device.spillFiles == [])
    let written = device.tap.status("spill_bytes_written") ?? 0
    let bytes = try storageBytes(of: bridge)
    #expect(written > 0 && bytes - atStart >= written)
    // Nothing after that.
    let more = try device.load(perSecond: 1000, limit: 1000)
    try eventually("more arrives") { more.isTaken }
    #expect(try storageBytes(of: bridge) == bytes)
    #expect(device.tap.status("spill_bytes_written") == written)
    #expect(try bridge.stop() == 0)
  }

  private func storageBytes(of process: ChildProcess) throws -> Int {
    let io = try String(contentsOfFile: "/proc/\(process.id)/io", encoding: .utf8)
    let line = try #require(io.split(separator: "\n").first { $0.hasPrefix("write_bytes:") })
    return try #require(Int(line.split(separator: " ")[1]))
  }

  /// Oldest samples first, events last, and each loss counted by its kind.
  @Test(arguments: [1, 32]) func whereAllIsFullTheEventsOutliveTheSamples(_ batch: Int) throws {
    let device = try FaultRig(
      "--outbox-size", "1", "--spill-size", "1", "--spill-after", "1h", "--batch", "\(batch)")
    let bridge = try spill(device, samples: 20_000, events: 150)
    device.tap.set(.open)
    let figures = try device.settle(
      "outbox and spill of 1 MiB each, 20,000 samples, batches of \(batch)")
    #expect(figures.counted == figures.lost && figures.lost > 5000)
    #expect(device.tap.arrivals.figures(of: device.loads[1].instance).distinct == 150)
    #expect(device.tap.status("records_lost_system_information") == figures.lost)
    #expect(device.tap.status("records_lost_core_dump") == nil)
    // The newest are there; at the limit of the disk one segment is given up at a time.
    let missing = device.tap.arrivals.missing(of: device.loads[0])
    #expect(missing.max()! < 12_000, "\(missing.max()!)")
    #expect(try FaultRig.memory(of: bridge) < FaultRig.memoryLimit)
    #expect(try bridge.stop() == 0)
  }

  // MARK: Mounts

  @Test(.needsRoot) func fullFileSystems() throws {
    let device = try FaultRig("--spill-after", "1h", mounts: "size=256k")
    let bridge = try spill(device, samples: 4000, events: 20)
    try eventually("it says that the disk is full", within: 20) {
      bridge.log.contains { $0.contains("No space left on device") }
    }
    device.tap.set(.open)
    let figures = try device.settle("outbox and spill on full file systems of 256 KiB")
    #expect(figures.counted == figures.lost && figures.lost > 500)
    #expect(device.tap.arrivals.figures(of: device.loads[1].instance).distinct == 20)
    #expect(try bridge.stop() == 0)
  }

  @Test(.needsRoot) func fileSystemsWithoutAnyRoom() throws {
    let device = try FaultRig("--spill-after", "1h", mounts: "size=4k")
    let bridge = try spill(device, samples: 3000, events: 20)
    device.tap.set(.open)
    let figures = try device.settle("file systems without any room")
    #expect(figures.lost == 0 && figures.counted == 0)
    #expect(
      bridge.log.contains { $0.contains("the outbox is in memory alone, a restart loses it") })
    #expect(try bridge.stop() == 0)
  }

  @Test(.needsRoot) func readOnlyFileSystems() throws {
    let device = try FaultRig("--spill-after", "1s", mounts: "ro,size=4k")
    let bridge = try spill(device, samples: 3000, events: 20)
    device.tap.set(.open)
    let figures = try device.settle("read-only file systems")
    #expect(figures.lost == 0 && figures.counted == 0)
    for words in [
      "the outbox is in memory alone, a restart loses it: open",
      "nothing can go to disk while the broker is away: access",
    ] {
      #expect(
        bridge.log.filter { $0.contains(words) && $0.contains("Read-only file system") }.count == 1,
        "\(bridge.log)")
    }
    #expect(try bridge.stop() == 0)
  }

  @Test func missingFolders() throws {
    let device = try FaultRig(
      "--outbox", "/nonexistent/outbox", "--spill-folder", "/nonexistent/a/b")
    let bridge = try spill(device, samples: 1000, events: 20)
    device.tap.set(.open)
    let figures = try device.settle("missing folders")
    #expect(figures.lost == 0 && figures.counted == 0)
    #expect(bridge.log.contains { $0.contains("open /nonexistent/outbox: No such file") })
    #expect(bridge.log.contains { $0.contains("access /nonexistent/a: No such file") })
    #expect(try bridge.stop() == 0)
  }

  @Test(.needsRoot) func filesOfAnotherOwner() throws {
    let device = try FaultRig()
    try Data().write(to: URL(filePath: device.outbox))
    mkdir(device.spill, 0o700)
    #expect(chown(device.outbox, 65534, 65534) == 0 && chown(device.spill, 65534, 65534) == 0)
    let bridge = try spill(device, samples: 1000, events: 20)
    device.tap.set(.open)
    let figures = try device.settle("outbox and spill of another owner")
    #expect(figures.lost == 0 && figures.counted == 0)
    #expect(bridge.log.filter { $0.contains("not a file of this user's alone") }.count == 1)
    #expect(
      bridge.log.filter { $0.contains("not a folder that this user alone writes to") }.count == 1)
    #expect(try bridge.stop() == 0)
  }

  // MARK: Damage

  enum Damage: String, CaseIterable { case torn, flipped, foreign, empty }

  private func damage(_ path: String, _ how: Damage) throws {
    var bytes = try Data(contentsOf: URL(filePath: path))
    switch how {
    case .torn: bytes = bytes.prefix(min(bytes.count * 2 / 3, 300_000))
    case .flipped:
      for place in stride(from: 9000, to: bytes.count, by: 5000) { bytes[place] ^= 0x10 }
    case .foreign: bytes = Data(repeating: UInt8(ascii: "x"), count: 10_000)
    case .empty: bytes = Data()
    }
    try bytes.write(to: URL(filePath: path))
    chmod(path, 0o600)
  }

  @Test(arguments: Damage.allCases)
  func aDamagedOutbox(_ how: Damage) throws {
    let device = try FaultRig("--spill-after", "1h", "--outbox-size", "1")
    try spill(device, samples: 1500, events: 20).kill()
    try damage(device.outbox, how)
    device.tap.set(.open)
    let bridge = try device.start()
    let load = try device.load(perSecond: 1000, limit: 100)
    try eventually("what is whole arrives, and what comes now", within: 20) {
      load.isTaken && device.tap.arrivals.figures(of: load.instance).distinct == 100
        && device.tap.status("records_waiting") == 0
    }
    let counted = device.tap.status("records_lost") ?? 0
    let figures = FaultFigures(
      "outbox \(how.rawValue)", device.loads, device.tap, counted: counted)
    figures.tell()
    let notes = bridge.log.filter { $0.contains("set aside as \(device.outbox).damaged") }
    #expect(notes.count == (how == .empty ? 0 : 1), "\(bridge.log)")
    // What a file held that is no outbox any more, nobody can count.
    if how == .flipped || how == .torn {
      #expect(figures.arrived > 800 && counted >= figures.lost && figures.lost > 0)
    }
    #expect(figures.duplicated == 0)
    #expect(try bridge.stop() == 0)
  }

  @Test(arguments: Damage.allCases)
  func aDamagedSpill(_ how: Damage) throws {
    let device = try FaultRig()
    #expect(try spill(device, samples: 1500, events: 20).stop() == 0)
    let name = try #require(device.spillFiles.first { $0.hasPrefix("samples") })
    try damage("\(device.spill)/\(name)", how)
    device.tap.set(.open)
    let bridge = try device.start()
    let figures = try device.settle("spill \(how.rawValue)")
    #expect(figures.lost == figures.counted && figures.lost > 0)
    #expect(how == .torn || how == .flipped ? figures.arrived > 800 : figures.arrived == 20)
    #expect(device.spillFiles == ["\(name).damaged"])
    let notes = bridge.log.filter { $0.contains("set aside as \(device.spill)/\(name).damaged") }
    #expect(notes.count == 1, "\(bridge.log)")
    #expect(try bridge.stop() == 0)
  }

  // MARK: Two bridges

  @Test func aSecondBridgeRefusesInOneLine() throws {
    let device = try FaultRig()
    mkdir(device.spill, 0o700)
    let first = try device.start()
    try device.waitForConnection()
    // Of the same queues; of others, but the same outbox; of the same spill alone.
    let others = "/\(device.rig.name)b."
    for (replaced, subject) in [
      ([:], device.rig.queuePrefix),
      ([device.rig.queuePrefix: others, device.spill: device.spill + "2"], device.outbox),
      ([device.rig.queuePrefix: others, device.outbox: device.outbox + "2"], device.spill),
    ] {
      let second = try device.rig.run(device.command.map { replaced[$0] ?? $0 })
      #expect(second.status == 1)
      #expect(second.log.count == 1, "\(second.log)")
      #expect(
        second.log.last?.contains("error: another bridge uses \(subject)") == true, "\(second.log)")
    }
    for program in Program.allCases { mq_unlink("/\(device.rig.name)b.\(program.name)") }
    #expect(try first.stop() == 0)
  }

  // MARK: What programs said of themselves

  @Test func aRestartedBridgeStillKnowsWhatAProgramSaid() throws {
    let device = try FaultRig()
    let first = try device.start()
    let collector = try device.rig.program("cyclic-sysinfo", ["--interval", "100ms"])
    try eventually("it runs") { device.tap.statusText("cyclic_sysinfo_state") == "running" }
    #expect(try collector.stop() == 0)
    try eventually("it has stopped") { device.tap.statusText("cyclic_sysinfo_state") == "stopped" }
    first.kill()
    let second = try device.start()
    try eventually("the next bridge knows") {
      device.tap.passed.connections == 2
        && device.tap.statusText("cyclic_sysinfo_state") == "stopped"
    }
    #expect(try second.stop() == 0)
  }
}
