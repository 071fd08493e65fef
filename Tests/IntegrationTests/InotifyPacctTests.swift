import CLinux
import Foundation
import Testing

/// Real accounting, in pid namespaces, against GNU acct.
@Suite(
  .needsRoot, .needs(command: "accton"), .needs(command: "dump-acct"), .needs(command: "lastcomm"),
  .needs(command: "cc"),
  .needs("needs a kernel with process accounting (CONFIG_BSD_PROCESS_ACCT_V3)") {
    FileManager.default.fileExists(atPath: "/proc/sys/kernel/acct")
  })
struct InotifyPacctTests {
  static let name = "inotify-pacct"

  // MARK: What is told

  @Test func everyFieldAgreesWithDumpAcct() throws {
    let rig = try Rig()
    let namespace = try PidNamespace(rig)
    let file = rig.folder.appending(path: "pacct").path()
    try namespace.turnOn(file)
    try namespace.run("/bin/true")
    try namespace.run("/bin/sh", "-c", "exit 3")
    try namespace.run("/bin/sh", "-c", "kill -TERM $$")
    try namespace.processes("burn", "300")
    try namespace.processes("thread-group")
    try namespace.processes("named", "61c3a97c2220")
    try namespace.run(
      "/bin/sh", "-c", "ulimit -c unlimited; cd \(rig.folder.path()); kill -SEGV $$")
    try namespace.run(
      "/usr/bin/setpriv", "--reuid", "33", "--regid", "34", "--clear-groups", "true")
    try namespace.run("/usr/bin/script", "-qc", "true", "/dev/null")
    try namespace.processes("burst", "burst", "50")
    try namespace.turnOff()

    let collector = try rig.program(
      Self.name, ["--print", "--assume-on", "--from-start", "--file", file])
    let dumpAcct = try #require(Machine.command("dump-acct"))
    let dump = try rig.run(["/usr/bin/env", "TZ=UTC", dumpAcct, file]).output
      // The callers of acct(2), which the kernel records although they have not ended.
      .filter { !$0.contains("|     0.00|     0.00|     0.00|     0|     0|     0.00|") }
    #expect(dump.count >= 60)
    try eventually("all are told") { collector.output.count >= dump.count }
    #expect(try collector.stop() == 0)
    let told = try collector.output.map(members).map(dumpAcctLine)
    #expect(told == dump)
  }

  @Test func lastcommNamesTheSameProcesses() throws {
    let rig = try Rig()
    let namespace = try PidNamespace(rig)
    let file = rig.folder.appending(path: "pacct").path()
    try namespace.turnOn(file)
    try namespace.processes("burst", "lastcommtest", "40")
    try namespace.turnOff()
    let collector = try rig.program(
      Self.name, ["--print", "--assume-on", "--from-start", "--file", file])
    // Newest first; without the caller of acct(2) that turned it off.
    let lastcomm = try #require(Machine.command("lastcomm"))
    let lines = try rig.run([lastcomm, "-f", file]).output.dropFirst().reversed()
    try eventually("all are told") { collector.output.count >= lines.count }
    #expect(try collector.stop() == 0)
    let told = try collector.output.map(members)
    #expect(told.map { $0["comm"] as? String } == lines.map { String($0.prefix { $0 != " " }) })
    // lastcomm's columns: name 17, flags S F P D X.
    let flags = lines.map { Set($0.dropFirst(17).prefix(6)).subtracting([" "]) }
    #expect(
      told.map { exit in
        Set<Character>(
          [
            ("superuser", "S"), ("forked_without_exec", "F"), ("core_dumped", "D"),
            ("killed_by_signal", "X"),
          ].filter { exit[$0.0] as? Bool == true }.map { Character($0.1) })
      } == flags)
  }

  @Test(.needs(command: "mosquitto"), .needs(command: "mosquitto_sub"))
  func twentyThousandProcessesArriveWithTheirCodesAndSignals() throws {
    let rig = try Rig()
    let namespace = try PidNamespace(rig)
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let folder = rig.folder.appending(path: "own").path()
    let collector = try namespace.program(
      Self.name,
      ["--verbose", "--own", "--own-folder", folder, "--own-size", "64K", "--comm", "burst"])
    try eventually("accounting is on") { Self.isWatching(collector) }
    #expect(try namespace.processes("burst", "burst", "20000", within: 120) == 0)
    try eventually("all arrive", within: 60) {
      subscriber.messages(of: "/inotify-pacct").count >= 20_001
    }
    #expect(try collector.stop() == 0)
    #expect(try bridge.stop() == 0)

    let exits = subscriber.messages(of: "/inotify-pacct")
    #expect(exits.count == 20_001)
    // The last one is the parent. One after the other: the order is known.
    for (number, exit) in exits.dropLast().enumerated() {
      let signal = number % 10 == 9 ? [9, 15, 1, 10][number / 10 % 4] : 0
      let code = signal == 0 ? number % 7 : 0
      #expect(exit.integer("signal") == signal && exit.integer("exit_code") == code, "\(number)")
      if exit.integer("signal") != signal { break }
    }
    #expect(Set(exits.map { $0.integer("seq")! }).count == exits.count)
    #expect(exits.allSatisfy { $0.integer("dropped") == 0 })
    #expect(Self.ownFiles(folder).isEmpty)
  }

  @Test func onlyWhatPassesTheFiltersIsTold() throws {
    let rig = try Rig()
    let namespace = try PidNamespace(rig)
    let file = rig.folder.appending(path: "pacct").path()
    try namespace.turnOn(file)
    try namespace.processes("burst", "filtered", "20")
    try namespace.processes("burn", "900")
    try namespace.run("/usr/bin/setpriv", "--reuid", "33", "--clear-groups", "/bin/true")
    try namespace.turnOff()
    func told(_ options: String...) throws -> [String] {
      let collector = try rig.program(
        Self.name, ["--print", "--assume-on", "--from-start", "--file", file] + options)
      try eventually("it has read all") {
        collector.output.contains { $0.contains("\"summary\"") || $0.contains("process_summary") }
      }
      #expect(try collector.stop() == 0)
      return try collector.output.map(members)
        .filter { $0["kind"] as? String == "process_exit" }.map { $0["comm"] as! String }
    }
    // 20 of which 2 by a signal, 2 with code 0 at 0, 7, 14 (9 and 19 are the signals).
    #expect(try told("--summary", "100ms", "--only-failed", "--comm", "filtered").count == 17)
    let busy = try told("--summary", "100ms", "--minimum-cpu", "300ms")
    #expect(busy.count == 1 && busy[0].hasPrefix("processes"))
    let ofUser = try told("--summary", "100ms", "--uid", "33")
    #expect(ofUser == ["true"])
    #expect(try told("--summary", "100ms", "--summary-only").isEmpty)
  }

  @Test func summariesAddUpWhatEnded() throws {
    let rig = try Rig()
    let namespace = try PidNamespace(rig)
    let folder = rig.folder.appending(path: "own").path()
    let collector = try namespace.program(
      Self.name,
      [
        "--verbose", "--own", "--own-folder", folder, "--print", "--summary", "200ms",
        "--summary-only",
      ])
    try eventually("accounting is on") { Self.isWatching(collector) }
    try namespace.processes("burst", "summed", "3000")
    try eventually("the parent's end is told") {
      try Self.sum("process_count", of: "summed", in: collector) >= 3001
    }
    #expect(try collector.stop() == 0)
    #expect(try Self.sum("process_count", of: "summed", in: collector) == 3001)
    #expect(try Self.sum("signaled_count", of: "summed", in: collector) == 300)
    #expect(try Self.sum("forked_without_exec_count", of: "summed", in: collector) == 3000)
    #expect(
      try collector.output.map(members).allSatisfy { $0["kind"] as? String == "process_summary" })
  }

  @Test(.needs(command: "qemu-aarch64-static"), .needs(command: "qemu-arm-static"))
  func everyArchitectureReadsTheSame() throws {
    let rig = try Rig()
    for fixture in ["raspberry-pi-armhf", "big-endian", "mixed"] {
      let path = Machine.packageRoot.appending(path: "Tests/Fixtures/pacct/\(fixture).pacct").path()
      var told: [Rig.Architecture: [String]] = [:]
      for architecture in Rig.Architecture.allCases {
        let collector = try rig.program(
          Self.name, ["--print", "--verbose", "--assume-on", "--from-start", "--file", path],
          on: architecture)
        try eventually("it has read all", within: 30) { Self.isWatching(collector) }
        #expect(try collector.stop() == 0)
        told[architecture] = try collector.output.map { line in
          var exit = try members(line)
          for key in ["time", "instance", "clock_synced"] { exit[key] = nil }
          let bytes = try JSONSerialization.data(withJSONObject: exit, options: .sortedKeys)
          return String(decoding: bytes, as: UTF8.self)
        }
      }
      #expect(told[.amd64]?.isEmpty == false)
      #expect(told[.arm64] == told[.amd64])
      #expect(told[.armhf] == told[.amd64])
    }
  }

  // MARK: Following a file

  @Test func nothingIsLostOrToldTwiceWhenTheFileIsRotated() throws {
    let rig = try Rig()
    let namespace = try PidNamespace(rig)
    let file = rig.folder.appending(path: "pacct").path()
    try namespace.turnOn(file)
    let collector = try rig.program(
      Self.name, ["--print", "--verbose", "--assume-on", "--file", file, "--comm", "rotated"])
    try eventually("it runs") { Self.isWatching(collector) }
    let burst = try namespace.start(
      [PidNamespace.tool.get(), "burst", "rotated", "6000"], name: "burst")
    for round in 1...3 {
      try eventually("some are told") { collector.output.count > 1200 * round }
      // As logrotate and savelog do it: move, create, and accounting goes on in the new file.
      #expect(rename(file, "\(file).\(round)") == 0)
      try namespace.turnOn(file)
    }
    #expect(try burst.wait(within: 60) == 0)
    try eventually("all are told", within: 30) { try Self.exits(collector).count >= 6001 }
    #expect(try collector.stop() == 0)
    try expectBurst(collector, 6000)
    let states = try collector.output.map(members).compactMap { $0["state"] as? String }
    #expect(states.count { $0 == "rotated" } == 3)
  }

  @Test func nothingIsLostWhenTheFileIsRemoved() throws {
    let rig = try Rig()
    let namespace = try PidNamespace(rig)
    let file = rig.folder.appending(path: "pacct").path()
    try namespace.turnOn(file)
    let collector = try rig.program(
      Self.name, ["--print", "--verbose", "--assume-on", "--file", file, "--comm", "removed"])
    try eventually("it runs") { Self.isWatching(collector) }
    unlink(file)
    try namespace.processes("burst", "removed", "100")
    try namespace.turnOn(file)
    try namespace.processes("burst", "removed", "100")
    try eventually("all are told") { try Self.exits(collector).count >= 202 }
    #expect(try collector.stop() == 0)
    let states = try collector.output.map(members).compactMap { $0["state"] as? String }
    #expect(states == ["missing", "rotated"])
  }

  @Test func aTruncatedFileIsReadFromItsStart() throws {
    let rig = try Rig()
    let namespace = try PidNamespace(rig)
    let file = rig.folder.appending(path: "pacct").path()
    try namespace.turnOn(file)
    let collector = try rig.program(
      Self.name, ["--print", "--verbose", "--assume-on", "--file", file, "--comm", "truncated"])
    try eventually("it runs") { Self.isWatching(collector) }
    try namespace.processes("burst", "truncated", "100")
    try eventually("all are told") { try Self.exits(collector).count >= 101 }
    // The second half of copytruncate; the kernel appends, so it goes on at the start.
    #expect(truncate(file, 0) == 0)
    try namespace.processes("burst", "truncated", "100")
    try eventually("all are told") { try Self.exits(collector).count >= 202 }
    #expect(try collector.stop() == 0)
    #expect(try collector.output.map(members).count { $0["state"] as? String == "truncated" } == 1)
  }

  @Test func aRestartTellsWhatCameMeanwhileAndNothingTwice() throws {
    let rig = try Rig()
    let namespace = try PidNamespace(rig)
    let file = rig.folder.appending(path: "pacct").path()
    let options = [
      "--print", "--verbose", "--assume-on", "--file", file, "--comm", "restarted", "--state-file",
      rig.folder.appending(path: "state").path(),
    ]
    try namespace.turnOn(file)
    try namespace.processes("burst", "restarted", "10")
    let first = try rig.program(Self.name, options)
    try eventually("it runs") { Self.isWatching(first) }
    try namespace.processes("burst", "restarted", "30")
    try eventually("the first tells what came since") { try Self.exits(first).count >= 31 }
    #expect(try first.stop() == 0)
    #expect(try Self.exits(first).count == 31)

    try namespace.processes("burst", "restarted", "40")
    #expect(rename(file, "\(file).0") == 0)
    try namespace.turnOn(file)
    try namespace.processes("burst", "restarted", "50")
    let second = try rig.program(Self.name, options)
    try eventually("the second tells what came meanwhile") { try Self.exits(second).count >= 92 }
    #expect(try second.stop() == 0)
    #expect(try Self.exits(second).count == 92)

    let third = try rig.program(Self.name, options)
    try eventually("it runs") { Self.isWatching(third) }
    try namespace.processes("burst", "restarted", "3")
    try eventually("the third tells the rest") { try Self.exits(third).count >= 4 }
    #expect(try third.stop() == 0)
    #expect(try Self.exits(third).count == 4)
  }

  @Test(.needs(command: "mosquitto"), .needs(command: "mosquitto_sub"))
  func whatIsMissingIsSaidInOneLine() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let collector = try rig.program(Self.name, ["--file", "/nowhere/pacct"])
    #expect(try collector.wait() == 69)
    // Another one says that the queue is not as deep as it should be, where it is not.
    #expect(collector.log.count { $0.contains("error: ") } == 1)
    #expect(
      try #require(collector.log.last).contains("/nowhere/pacct is not there: apt install acct"))
    try eventually("the status says so") {
      let status = subscriber.messages(of: "/status").last
      return status?.text("inotify_pacct_state") == "unavailable"
        && status?.text("inotify_pacct_reason")?.contains("--own") == true
    }
    #expect(try bridge.stop() == 0)
  }

  @Test func accountingThatIsOffIsSaidInOneLine() throws {
    let rig = try Rig()
    let namespace = try PidNamespace(rig)
    let file = rig.folder.appending(path: "pacct").path()
    try namespace.turnOn(file)
    let running = try namespace.program(Self.name, ["--file", file, "--print", "--verbose"])
    try eventually("it runs") { Self.isWatching(running) }
    #expect(try running.stop() == 0)
    #expect(running.output.isEmpty, "the child that was ended to see it is not told")
    try namespace.turnOff()
    let collector = try namespace.program(Self.name, ["--file", file, "--print"])
    #expect(try collector.wait() == 69)
    #expect(collector.log.count == 1)
    #expect(collector.log[0].contains("accounting is off or goes elsewhere than \(file)"))
  }

  @Test func onceTellsOfOneProcess() throws {
    let rig = try Rig()
    let namespace = try PidNamespace(rig)
    let folder = rig.folder.appending(path: "own").path()
    let own = try namespace.program(Self.name, ["--once", "--own", "--own-folder", folder])
    #expect(try own.wait() == 0)
    #expect(own.output.count == 1)
    #expect(try members(own.output[0])["comm"] as? String == Self.name)
    #expect(Self.ownFiles(folder).isEmpty)
    let file = rig.folder.appending(path: "pacct").path()
    try namespace.turnOn(file)
    let follow = try namespace.program(Self.name, ["--once", "--file", file])
    #expect(try follow.wait() == 0)
    #expect(try members(follow.output[0])["forked_without_exec"] as? Bool == true)
  }

  @Test func recordsOfOtherVersionsAreToldInOneLine() throws {
    let rig = try Rig()
    let fixture = Machine.packageRoot.appending(path: "Tests/Fixtures/pacct/mixed.pacct").path()
    let collector = try rig.program(
      Self.name, ["--print", "--assume-on", "--from-start", "--file", fixture])
    try eventually("it has read all") { collector.output.count >= 5 }
    #expect(try collector.stop() == 0)
    #expect(collector.log.count == 1)
    #expect(collector.log[0].contains("of version 0 to 2, which are not read: 1; not accounting"))
    let state = try #require(collector.output.map(members).first { $0["state"] != nil })
    #expect(state["state"] as? String == "unreadable")
    #expect(state["records_unsupported"] as? Int == 1 && state["records_invalid"] as? Int == 7)
  }

  // MARK: Own accounting

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

  // MARK: Reading what was told

  static func ownFiles(_ folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      .filter { $0.hasPrefix("inotify-pacct.acct.") }
  }

  static func size(of folder: String) -> Int {
    ownFiles(folder).reduce(0) { sum, name in
      sum + ((try? Data(contentsOf: URL(filePath: "\(folder)/\(name)")).count) ?? 0)
    }
  }

  /// Whether it has told what was there and waits.
  static func isWatching(_ collector: ChildProcess) -> Bool {
    collector.log.contains { $0.contains("reading ") }
  }

  static func exits(
    _ collector: ChildProcess, _ name: String? = nil
  ) throws -> [[String: Any]] {
    try collector.output.filter { $0.contains("\"kind\":\"process_exit\"") }.map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }.filter { name == nil || $0["comm"] as? String == name }
  }

  static func sum(_ key: String, of name: String, in collector: ChildProcess) throws -> Int {
    try collector.output.filter { $0.contains("\"comm\":\"\(name)\"") }.map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }.reduce(0) { $0 + ($1[key] as? Int ?? 0) }
  }

  private func expectBurst(_ collector: ChildProcess, _ count: Int) throws {
    let exits = try Self.exits(collector)
    #expect(exits.count == count + 1)
    for (number, exit) in exits.dropLast().enumerated() where number % 10 != 9 {
      guard exit["exit_code"] as? Int == number % 7 else {
        Issue.record("process \(number) has exit code \(exit["exit_code"] ?? "none")")
        return
      }
    }
    #expect(Set(exits.map { $0["pid"] as! Int }).count == exits.count)
  }

  private func members(_ line: String) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
  }

  /// The line that dump-acct(8) 6.6.4 prints for it.
  private func dumpAcctLine(_ exit: [String: Any]) throws -> String {
    let number = { (key: String) in (exit[key] as? NSNumber)?.doubleValue ?? -1 }
    let ticks = { (key: String) in String(format: "%9.2f", (number(key) * 100).rounded()) }
    let integer = { (key: String, width: Int) in String(format: "%\(width)d", Int(number(key))) }
    let flag = { (key: String, letter: String) in exit[key] as? Bool == true ? letter : " " }
    let name = (exit["comm"] as! String).utf8.count
    let comm = (exit["comm"] as! String) + String(repeating: " ", count: max(0, 16 - name))
    let flags =
      flag("superuser", "S") + flag("forked_without_exec", "F") + " " + flag("core_dumped", "D")
      + flag("killed_by_signal", "X")
    let tty = exit["tty"] as! String
    var time = time_t(number("start_time_seconds"))
    var parts = tm()
    gmtime_r(&time, &parts)
    var date = [CChar](repeating: 0, count: 64)
    strftime(&date, date.count, "%a %b %e %H:%M:%S %Y", &parts)
    return [
      comm, "v3", ticks("user_seconds"), ticks("system_seconds"), ticks("elapsed_seconds"),
      integer("user_id", 6), integer("group_id", 6),
      String(format: "%9.2f", number("virtual_memory_bytes") / 1024),
      String(format: "%9.2f", number("ac_io")), integer("pid", 8), integer("parent_pid", 8), flags,
      integer("exit_code", 8),
      (tty.isEmpty ? "__" : tty).padding(
        toLength: 8, withPad: " ", startingAt: 0),
      date.withUnsafeBufferPointer { String(cString: $0.baseAddress!) },
    ].joined(separator: "|")
  }
}
