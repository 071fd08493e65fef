import CLinux
import Foundation
import Testing

/// Services that are killed because memory is short.
extension SystemdSignalsBootTests {
  private func cgroup(_ unit: String) -> String {
    system.path("/sys/fs/cgroup/system.slice/\(unit)")
  }

  /// The kernel's own doing. systemd knows the reason where it controls memory itself; where this
  /// machine has the first version of that controller, it sees a SIGKILL of nobody.
  @Test(.needs("needs a memory controller of cgroups that root may use") { MemoryLimit.isThere })
  func aServiceThatTheKernelKillsForMemoryIsTold() throws {
    let listener = try SystemdListener(system)
    let unit = "eater.service"
    let controllers = try String(
      contentsOfFile: system.path("/sys/fs/cgroup/cgroup.controllers"), encoding: .utf8)
    let isControlled = controllers.contains("memory")
    // Doubles what it holds once it is told to.
    try system.runService(
      "eater", isControlled ? ["MemoryMax=30M", "MemorySwapMax=0"] : [],
      [
        "sh", "-c",
        "until test -e /run/eat; do sleep 0.05; done; a=xxxxxxxx; while :; do a=$$a$$a; done",
      ])
    try eventually("it runs") { listener.course(unit).last == "active/running" }
    // Without a controller of its own in there, the group is one of this machine.
    let group = isControlled ? nil : try MemoryLimit.group(Machine.uniqueName(), bytes: 30 << 20)
    defer { if let group { try? eventually("\(group) is empty") { rmdir(group) == 0 } } }
    if let group {
      for process in try String(contentsOfFile: cgroup(unit) + "/cgroup.procs", encoding: .utf8)
        .split(separator: "\n")
      {
        try process.write(toFile: group + "/cgroup.procs", atomically: false, encoding: .utf8)
      }
    }
    try system.run("touch", "/run/eat")
    try eventually("it is killed", within: 60) { listener.course(unit).last == "failed/failed" }
    let record = try #require(listener.states(unit).last)
    #expect(record["result"] as? String == (isControlled ? "oom-kill" : "signal"))
    #expect(record["main_process_exit"] as? String == "killed")
    #expect(record["main_process_status"] as? Int == 9)
    if let group {
      // The kernel's count, in the file that its version of cgroups has.
      let counts = ["memory.oom_control", "memory.events"].compactMap {
        try? String(contentsOfFile: group + "/" + $0, encoding: .utf8)
      }
      #expect(counts.first?.contains("oom_kill 1") == true, "\(counts)")
    }
    try listener.stop()
  }

  /// What systemd-oomd(8) does: it marks the group and kills all that is in it.
  @Test func aServiceThatIsKilledByAnOOMDaemonIsTold() throws {
    let listener = try SystemdListener(system)
    let unit = "pressed.service"
    try system.runService("pressed", [], ["sleep", "1000"])
    try eventually("it runs") { listener.course(unit).last == "active/running" }
    for attribute in ["user.oomd_ooms", "user.oomd_kill"] {
      #expect(setxattr(cgroup(unit), attribute, "1", 1, 0) == 0)
    }
    try "1".write(toFile: cgroup(unit) + "/cgroup.kill", atomically: false, encoding: .utf8)
    try eventually("it is told") { listener.course(unit).last == "failed/failed" }
    let record = try #require(listener.states(unit).last)
    #expect(record["result"] as? String == "oom-kill")
    #expect(record["main_process_exit"] as? String == "killed")
    #expect(record["main_process_status"] as? Int == 9)
    try listener.stop()
  }
}
