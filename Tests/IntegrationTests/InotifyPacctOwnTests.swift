import CLinux
import Foundation
import Testing

/// Accounting that the program turned on itself.
extension InotifyPacctTests {
  @Test func ownFilesAreSwitchedWithoutLossAndRemoved() throws {
    let rig = try Rig()
    let namespace = try PidNamespace(rig)
    let folder = rig.folder.appending(path: "own").path()
    let collector = try namespace.program(
      Self.name,
      [
        "--verbose", "--own", "--own-folder", folder, "--own-size", "4K", "--print", "--comm",
        "switched",
      ])
    try eventually("accounting is on") { Self.isWatching(collector) }
    let bursts = try (0..<3).map { _ in
      try namespace.start([PidNamespace.tool.get(), "burst", "switched", "2000"], name: "burst")
    }
    for burst in bursts { #expect(try burst.wait(within: 60) == 0) }
    try eventually("all are told") { try Self.exits(collector).count >= 6003 }
    let last = try #require(Self.ownFiles(folder).first)
    // 6,000 records are 94 files of 64.
    #expect(try #require(Int(last.split(separator: ".").last!)) > 10)
    // A second name, to see whether the kernel still writes it afterwards.
    let witness = rig.folder.appending(path: "witness").path()
    #expect(link("\(folder)/\(last)", witness) == 0)
    #expect(try collector.stop() == 0)
    #expect(try Self.exits(collector).count == 6003)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    let size = try Data(contentsOf: URL(filePath: witness)).count
    try namespace.run("/bin/true")
    #expect(try Data(contentsOf: URL(filePath: witness)).count == size, "accounting is off")
  }

  @Test func afterAKillTheNextStartReadsWhatIsLeft() throws {
    let rig = try Rig()
    let namespace = try PidNamespace(rig)
    let folder = rig.folder.appending(path: "own").path()
    let options = ["--verbose", "--own", "--own-folder", folder, "--print"]
    let first = try namespace.program(Self.name, options)
    try eventually("accounting is on") { Self.isWatching(first) }
    try namespace.processes("burst", "killed", "100")
    try eventually("all are told") { try Self.exits(first, "killed").count >= 101 }
    try namespace.kill(first)
    try namespace.processes("burst", "killed", "200")
    let second = try namespace.program(Self.name, options)
    try eventually("what came meanwhile is told") {
      try Self.exits(second, "killed").count >= 201
    }
    try namespace.processes("burst", "killed", "50")
    try eventually("and what comes now") { try Self.exits(second, "killed").count >= 252 }
    #expect(try second.stop() == 0)
    #expect(try Self.exits(second, "killed").count == 252)
    // The killed collector is a process that ended, too.
    let own = try Self.exits(second, Self.name)
    #expect(own.count { $0["signal"] as? Int == 9 } == 1)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
  }

  /// As under systemd: the accounting file is reached through a mount that goes with the program.
  @Test func inAMountNamespaceOfItsOwnAKillTurnsAccountingOff() throws {
    let rig = try Rig()
    let namespace = try PidNamespace(rig)
    let folder = rig.folder.appending(path: "own").path()
    let command =
      ["/usr/bin/unshare", "-m"] + (try Rig.command(Self.name, on: .amd64)) + [
        "--config", "/dev/null", "--verbose", "--own", "--own-folder", folder, "--print",
      ]
    let first = try namespace.start(command, name: Self.name)
    try eventually("accounting is on") { Self.isWatching(first) }
    try namespace.kill(first)
    let file = "\(folder)/\(try #require(Self.ownFiles(folder).first))"
    func size() throws -> Int { try Data(contentsOf: URL(filePath: file)).count }
    // The mount goes a little later than the process.
    try eventually("nothing is written any more") {
      let before = try size()
      try namespace.run("/bin/true")
      return try size() == before
    }
    let second = try namespace.program(
      Self.name, ["--verbose", "--own", "--own-folder", folder, "--print"])
    try eventually("accounting is on") { Self.isWatching(second) }
    #expect(try second.stop() == 0)
    // The kernel tells twice of the process that took the mount with it; we do not.
    #expect(try Self.exits(second, Self.name).count { $0["signal"] as? Int == 9 } == 1)
  }

  @Test func processesOfInnerNamespacesHaveTheirOuterIDs() throws {
    let rig = try Rig()
    let namespace = try PidNamespace(rig)
    let file = rig.folder.appending(path: "pacct").path()
    try namespace.turnOn(file)
    try namespace.run("/usr/bin/unshare", "-p", "-f", "/bin/sh", "-c", "exit 77")
    try namespace.turnOff()
    let collector = try rig.program(
      Self.name, ["--print", "--assume-on", "--from-start", "--file", file, "--comm", "sh"])
    try eventually("it is told") { !collector.output.isEmpty }
    #expect(try collector.stop() == 0)
    let exit = try members(collector.output[0])
    #expect(exit["exit_code"] as? Int == 77)
    #expect(try #require(exit["pid"] as? Int) > 1)
  }

  @Test func aSecondOneInTheSameFolderIsRefused() throws {
    let rig = try Rig()
    let namespace = try PidNamespace(rig)
    let folder = rig.folder.appending(path: "own").path()
    let options = ["--verbose", "--own", "--own-folder", folder, "--print"]
    let first = try namespace.program(Self.name, options)
    try eventually("accounting is on") { Self.isWatching(first) }
    let second = try namespace.program(Self.name, options)
    #expect(try second.wait() == 1)
    #expect(second.log.last?.contains("another inotify-pacct") == true)
    #expect(try first.stop() == 0)
  }

  @Test func withoutTheCapabilityItSaysWhich() throws {
    let rig = try Rig()
    let namespace = try PidNamespace(rig)
    let folder = rig.folder.appending(path: "own").path()
    let command =
      [
        "/usr/bin/setpriv", "--bounding-set", "-sys_pacct", "--inh-caps", "-sys_pacct",
      ] + (try Rig.command(Self.name, on: .amd64)) + [
        "--config", "/dev/null", "--own", "--own-folder", folder, "--print",
      ]
    let collector = try namespace.start(command, name: Self.name)
    #expect(try collector.wait() == 69)
    #expect(collector.log.count == 1)
    #expect(collector.log[0].contains("--own needs CAP_SYS_PACCT"))
    #expect(Self.ownFiles(folder).isEmpty)
  }

  @Test(.needs(command: "mosquitto"), .needs(command: "mosquitto_sub"))
  func whatNobodyTakesWaitsWithinBoundsAndTheRestIsCounted() throws {
    let rig = try Rig()
    let namespace = try PidNamespace(rig)
    let folder = rig.folder.appending(path: "own").path()
    let collector = try namespace.program(
      Self.name,
      ["--verbose", "--own", "--own-folder", folder, "--own-size", "64K", "--check", "100ms"])
    try eventually("accounting is on") { Self.isWatching(collector) }
    // No bridge: the queue is full at once. 512 KiB hold 8,192 records.
    try namespace.processes("burst", "waiting", "5000")
    #expect(Self.size(of: folder) <= 9 * 65536 + 200_000)
    try namespace.processes("burst", "waiting", "9000")
    try eventually("the oldest are lost") {
      collector.log.contains { $0.contains("records are lost") }
    }
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    try eventually("the end of the second burst arrives", within: 60) {
      subscriber.messages(of: "/inotify-pacct").contains {
        $0.text("comm") == "waiting" && $0.flag("forked_without_exec") == false
          && $0.integer("pid")! > 4000
      }
    }
    #expect(try collector.stop() == 0)
    #expect(try bridge.stop() == 0)
    let told = subscriber.messages(of: "/inotify-pacct").count { $0.text("comm") == "waiting" }
    let state = try #require(
      subscriber.messages(of: "/accounting").last { $0.text("state") == "lost" })
    let lost = try #require(state.integer("records_lost"))
    #expect(told < 14_002)
    // Some of the lost ones may be other processes: the two joins, the callers of acct(2).
    #expect((14_002...14_200).contains(told + lost), "\(told) told, \(lost) lost")
  }

  @Test(.needs(command: "mount")) func aFullDiskIsToldAsSuspended() throws {
    let rig = try Rig()
    let namespace = try PidNamespace(rig)
    let folder = rig.folder.appending(path: "small").path()
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let mount = try #require(Machine.command("mount"))
    #expect(try namespace.run(mount, "-t", "tmpfs", "-o", "size=1m", "none", folder) == 0)
    #expect(
      try namespace.run("/bin/sh", "-c", "head -c 1044480 /dev/zero > \(folder)/filler") == 0)
    let file = "\(folder)/pacct"
    #expect(try namespace.run("/usr/bin/touch", file) == 0)
    let accton = try #require(Machine.command("accton"))
    #expect(try namespace.run(accton, file) == 0)
    let collector = try namespace.program(
      Self.name, ["--file", file, "--print", "--check", "100ms", "--comm", "full"])
    try eventually("it is told") {
      try collector.output.map(members).contains { $0["state"] as? String == "suspended" }
    }
    try namespace.processes("burst", "full", "5")
    #expect(try Self.exits(collector).isEmpty)
    // The kernel looks again after 30 s at the earliest; a new start of accounting looks at once.
    #expect(try namespace.run("/bin/rm", "\(folder)/filler") == 0)
    #expect(try namespace.run(accton, file) == 0)
    try namespace.processes("burst", "full", "5")
    try eventually("it is told that it goes on") {
      try collector.output.map(members).contains { $0["state"] as? String == "resumed" }
    }
    try eventually("records come again") { try Self.exits(collector).count >= 6 }
    #expect(try collector.stop() == 0)
  }
}
