import CLinux
import Foundation
import Testing

/// Through rotation, removal, truncation and restarts.
extension InotifyPacctTests {
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

  /// Of an interval that ends with the program there are more summaries than its queue holds.
  @Test(.needs(command: "mosquitto"), arguments: [false, true])
  func summariesAtTheEndWaitForTheBridgeOrAreCounted(_ hasBridge: Bool) throws {
    let rig = try Rig()
    let file = rig.folder.appending(path: "pacct")
    try Self.accounting(of: (100..<200).map { "name\($0)" }).write(to: file)
    let subscriber = try rig.subscriber()
    let bridge = try hasBridge ? rig.bridge() : nil
    let collector = try rig.program(
      Self.name,
      [
        "--verbose", "--assume-on", "--from-start", "--file", file.path(), "--summary", "1h",
        "--summary-only",
      ])
    try eventually("it has read all") { Self.isWatching(collector) }
    bridge?.send(SIGSTOP)
    collector.send(SIGTERM)
    bridge?.send(SIGCONT)
    #expect(try collector.wait(within: 30) == 0)
    let left = collector.log.compactMap { $0.firstMatch(of: /summaries that are lost: (\d+)/)?.1 }
    if let bridge {
      #expect(left.isEmpty)
      try eventually("all arrive") {
        subscriber.messages.count { $0.text("kind") == "process_summary" } == 100
      }
      try bridge.stop()
    } else {
      // All but what the queue holds.
      #expect(try #require(left.first.flatMap { Int($0) }) >= 100 - 64)
    }
  }

  /// A captured record, of a process of each of these names.
  private static func accounting(of names: [String]) throws -> Data {
    let captured = try Data(
      contentsOf: Machine.packageRoot.appending(
        path: "Tests/Fixtures/pacct/linux-6.18-amd64.pacct"))
    return names.reduce(into: Data()) { file, name in
      let command = Array(name.utf8) + Array(repeating: 0, count: 16 - name.utf8.count)
      file += captured[..<48] + command
    }
  }
}
