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
}
