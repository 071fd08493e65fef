import CLinux
import Foundation
import Testing

/// Which service stalls: triggers on cgroups of the test's own.
@Suite(
  .needs(command: "mosquitto"), .needs(command: "mosquitto_sub"), .needs(command: "chrt"),
  .needsPressure, .needsCgroups)
struct EpollPsiCgroupTests {
  @Test func theLifeOfAStallInACgroupIsToldFromOnsetToEnd() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let cgroup = try Cgroup(rig.name)
    let collector = try rig.program(
      "epoll-psi",
      [
        "--trigger", "cpu:full:100ms/2s", "--trigger", "cpu:some:400ms/2s", "--cgroup",
        "\(rig.name)*",
      ])
    // The system has no cpu:full.
    try eventually("three triggers are set") {
      collector.log.contains { $0.contains("triggers: 3, cgroups: 1,") }
    }
    let path = "\(cgroup.path)/cpu.pressure"
    let before = try #require(Pressure.totals(path).some)
    let hogs = try Hogs(in: rig.folder, cgroup: cgroup)
    func stalls() -> [Message] {
      subscriber.messages(of: "/epoll-psi/cgroup/cpu/\(rig.name)").filter {
        $0.text("scope") == "some"
      }
    }
    try eventually("the stall goes on", within: 30) { stalls().count >= 3 }
    hogs.stop()
    let after = try #require(Pressure.totals(path).some)
    try eventually("it is over", within: 20) { stalls().last?.text("state") == "over" }
    let all = stalls()
    #expect(
      all.map { $0.text("state")! } == ["onset"] + Array(repeating: "ongoing", count: all.count - 2)
        + ["over"])
    #expect(all.allSatisfy { $0.text("cgroup") == rig.name })
    #expect(all.allSatisfy { $0.flag("polled") == false })
    // All that is told adds up to what the kernel counted.
    let stall = all.map { $0.number("stall_seconds")! }.reduce(0, +)
    #expect(abs(all.last!.number("some_total_seconds")! - before - stall) < 0.001)
    let (onset, over) = (all.first!, all.last!)
    #expect(over.number("some_total_seconds")! >= after)
    #expect(
      abs(
        over.number("episode_stall_seconds")!
          - (over.number("some_total_seconds")! - onset.number("some_total_seconds")!)) < 1e-5)
    #expect(
      abs(over.number("episode_seconds")! - (over.number("time")! - onset.number("time")!)) < 0.05)
    #expect(over.number("stall_seconds")! < 0.4 * 1.25 + 0.1)
    // At most one record per window, the kernel's own rate.
    for (one, next) in zip(all, all.dropFirst()) {
      #expect(next.number("time")! - one.number("time")! > 1.7)
    }
    try collector.stop()
    #expect(try bridge.stop() == 0)
  }

  @Test func cgroupsThatComeAndGoAreFollowed() throws {
    let rig = try Rig()
    let collector = try rig.program(
      "epoll-psi",
      ["--print", "--verbose", "--trigger", "cpu:some:200ms/2s", "--cgroup", "\(rig.name)-*"])
    try eventually("nothing is there yet") {
      collector.log.contains { $0.contains("triggers: 1, cgroups: 0,") }
    }
    let cgroup = try Cgroup("\(rig.name)-one")
    try eventually("the new one is watched") {
      collector.log.contains { $0.hasSuffix("watching \(cgroup.path)") }
    }
    let hogs = try Hogs(in: rig.folder, cgroup: cgroup)
    func states() throws -> [String] {
      try collector.output.map(Message.init(printed:)).filter { $0.text("cgroup") == cgroup.name }
        .map { $0.text("state")! }
    }
    try eventually("it stalls", within: 20) { try states().contains("onset") }
    hogs.stop()
    try cgroup.remove()
    try eventually("it went while it stalled") { try states().last == "gone" }
    try eventually("and is no longer watched") {
      collector.log.contains { $0.hasSuffix("\(cgroup.path) is gone") }
    }
    // The same name again is another cgroup.
    let again = try Cgroup(cgroup.name)
    try eventually("it is watched again") {
      collector.log.count { $0.hasSuffix("watching \(again.path)") } == 2
    }
    #expect(try collector.stop() == 0)
  }

  @Test(.needsRoot, .needs(command: "setpriv"))
  func aCgroupThatMayNotBeWrittenToIsReadOncePerWindow() throws {
    let rig = try Rig()
    let cgroup = try Cgroup(rig.name)
    let collector = try ChildProcess(
      [
        #require(Machine.command("setpriv")), "--reuid=65534", "--regid=65534", "--clear-groups",
        "--inh-caps=-all", "--bounding-set=-all",
      ] + Rig.command("epoll-psi", on: .amd64) + [
        "--config", "/dev/null", "--print", "--trigger", "cpu:some:200ms/1s", "--cgroup", rig.name,
      ], name: "epoll-psi", in: rig.folder)
    try eventually("it runs") { collector.log.contains { $0.contains("cgroups: 1,") } }
    #expect(
      collector.log.contains { $0.contains("Permission denied") && $0.contains("CAP_SYS_RESOURCE") }
    )
    let hogs = try Hogs(in: rig.folder, cgroup: cgroup)
    func stalls() throws -> [Message] {
      try collector.output.map(Message.init(printed:)).filter { $0.text("cgroup") == rig.name }
    }
    try eventually("it stalls", within: 20) {
      try stalls().contains { $0.text("state") == "ongoing" }
    }
    hogs.stop()
    try eventually("it is over") { try stalls().last?.text("state") == "over" }
    let first = try #require(try stalls().first)
    #expect(first.flag("polled") == true)
    // Nobody but us limits the window.
    #expect(first.number("window_seconds") == 1)
    #expect(try collector.stop() == 0)
  }
}
