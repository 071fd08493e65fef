import Foundation
import Testing

/// dbus-systemd-signals on a booted system, against `busctl monitor` as the witness.
@Suite(
  .serialized, .needsRoot, .needs(command: "systemd-nspawn"), .needs(command: "nsenter"),
  .needsRoots, .bootsSystem)
struct SystemdSignalsBootTests {
  let system: BootedSystem

  init() throws {
    system = try #require(BootedSystem.current)
  }

  @Test func aServiceThatFailsIsToldWithItsExitStatus() throws {
    let listener = try SystemdListener(system)
    try system.runService("exit3", [], ["sh", "-c", "exit 3"])
    try eventually("it is told") { listener.course("exit3.service").last == "failed/failed" }
    let record = try #require(listener.states("exit3.service").last)
    #expect(record["old_active_state"] as? String == "active")
    #expect(record["old_sub_state"] as? String == "running")
    #expect(record["result"] as? String == "exit-code")
    #expect(record["main_process_exit"] as? String == "exited")
    #expect(record["main_process_status"] as? Int == 3)
    #expect(record["main_process_id"] as? Int ?? 0 > 0)
    #expect(record["found_by_comparing"] as? Bool == false)
    try listener.stop()

    // The same is asked for by who starts later.
    let late = try system.program("dbus-systemd-signals", ["--once"])
    #expect(try late.wait() == 0)
    let line = try #require(late.output.first { $0.contains(#""unit":"exit3.service""#) })
    #expect(line.contains(#""result":"exit-code","main_process_exit":"exited""#))
    #expect(line.contains(#""main_process_status":3"#))
    #expect(line.contains(#""found_by_comparing":true"#))
  }

  @Test func everyRestartIsToldUpToTheLimit() throws {
    let listener = try SystemdListener(system)
    try system.runService(
      "again",
      [
        "Restart=on-failure", "StartLimitBurst=5", "StartLimitIntervalSec=60", "RestartSec=20ms",
      ], ["sh", "-c", "exit 4"])
    try eventually("it gives up", within: 30) {
      listener.records.contains {
        $0["kind"] as? String == "job_result" && $0["unit"] as? String == "again.service"
      }
    }
    // Started five times: restarted four times, and the fifth restart is refused.
    #expect(listener.course("again.service").count { $0 == "active/running" } == 5)
    let waits = listener.states("again.service").filter {
      $0["sub_state"] as? String == "auto-restart"
    }
    #expect(waits.map { $0["restarts"] as? Int } == [0, 1, 2, 3, 4])
    #expect(listener.course("again.service").last == "failed/failed")
    #expect(listener.states("again.service").last?["restarts"] as? Int == 5)
    let job = listener.records.first { $0["kind"] as? String == "job_result" }
    #expect(job?["result"] as? String == "failed")
    try listener.stop()
  }

  @Test(arguments: [("SEGV", 11), ("KILL", 9)])
  func aServiceThatIsKilledIsToldWithTheSignal(_ name: String, _ number: Int) throws {
    let listener = try SystemdListener(system)
    let unit = "killed-\(name).service"
    try system.runService(unit, ["LimitCORE=0"], ["sleep", "1000"])
    try eventually("it runs") { listener.course(unit).last == "active/running" }
    try system.run("systemctl", "kill", "--signal", name, unit)
    try eventually("it is told") { listener.course(unit).last == "failed/failed" }
    let record = try #require(listener.states(unit).last)
    #expect(["signal", "core-dump"].contains(record["result"] as? String))
    #expect(["killed", "dumped"].contains(record["main_process_exit"] as? String))
    #expect(record["main_process_status"] as? Int == number)
    try listener.stop()
  }

  @Test func aTimersServiceIsToldAtEveryRun() throws {
    let listener = try SystemdListener(system)
    let timer = try system.start(
      [
        "/usr/bin/systemd-run", "--quiet", "--unit", "tick", "--on-active=100ms",
        "--on-unit-inactive=200ms", "--timer-property=AccuracySec=1ms",
        "--property=Type=oneshot", "true",
      ], name: "systemd-run")
    #expect(try timer.wait() == 0)
    try eventually("three runs", within: 20) {
      listener.course("tick.service").count { $0 == "inactive/dead" } >= 3
    }
    #expect(listener.states("tick.service").allSatisfy { $0["result"] as? String == "success" })
    #expect(listener.course("tick.timer").isEmpty)
    try system.run("systemctl", "stop", "tick.timer")
    try listener.stop()
  }

  /// With --all every state that the bus carried is told, in the same order.
  @Test func whatTheBusCarriesIsTold() throws {
    let listener = try SystemdListener(system, "--all")
    let witness = try system.start(
      ["/usr/bin/busctl", "monitor", "--json=short", "org.freedesktop.systemd1"], name: "busctl")
    func seen() -> [(unit: String, state: String)] {
      witness.output.compactMap { line in
        guard let message = try? JSONSerialization.jsonObject(with: Data(line.utf8)),
          let members = message as? [String: Any],
          members["member"] as? String == "PropertiesChanged",
          let path = members["path"] as? String,
          let payload = members["payload"] as? [String: Any],
          let data = payload["data"] as? [Any], data.count > 1,
          let changed = data[1] as? [String: [String: Any]],
          let active = changed["ActiveState"]?["data"] as? String,
          let sub = changed["SubState"]?["data"] as? String
        else { return nil }
        return (path, "\(active)/\(sub)")
      }
    }
    func course(_ path: String) -> [String] {
      var states: [String] = []
      for (unit, state) in seen() where unit.hasSuffix(path) && states.last != state {
        states.append(state)
      }
      return states
    }
    // A monitor says nothing when it begins: try until it has seen something.
    var number = 0
    try eventually("busctl listens", within: 20) {
      number += 1
      if number % 20 == 1 { try system.runService("probe\(number)", [], ["true"]) }
      return !seen().isEmpty
    }
    for (unit, script) in [("wit1", "exit 7"), ("wit2", "exit 0"), ("wit3", "kill -9 $$$$")] {
      try system.runService(unit, [], ["sh", "-c", script])
    }
    try system.runService("wit4", ["Type=oneshot", "RemainAfterExit=yes"], ["true"])
    try system.run("systemctl", "stop", "wit4")
    try system.run("systemctl", "mask", "--runtime", "wit5.service")
    for unit in ["wit1", "wit2", "wit3", "wit4"] {
      // What is told begins with the first state that differs from not being loaded.
      func expected() -> [String] {
        Array(course("/\(unit)_2eservice").drop { $0 == "inactive/dead" })
      }
      try eventually("the states of \(unit)", within: 15) {
        expected().count > 1 && listener.course("\(unit).service") == expected()
      }
      #expect(listener.course("\(unit).service") == expected())
    }
    #expect(listener.records.contains { $0["event"] as? String == "unit_loaded" })
    #expect(listener.records.contains { $0["state"] as? String == "queued" })
    try eventually("masking is told") { !listener.events("unit_files_changed").isEmpty }
    try witness.stop()
    try listener.stop()
  }

  @Test func reloadsAndExecutingAnewAreTold() throws {
    let listener = try SystemdListener(system)
    try system.run("systemctl", "daemon-reload")
    try eventually("reloaded") { listener.events("reloaded").count == 1 }
    #expect(listener.events("reloading").count == 1)
    let seconds = try #require(listener.events("reloaded")[0]["duration_seconds"] as? Double)
    #expect(seconds > 0 && seconds < 30)
    try system.run("systemctl", "daemon-reexec")
    try eventually("it is back", within: 30) { listener.events("manager_back").count == 1 }
    #expect(listener.events("manager_gone").count == 1)
    #expect(listener.events("manager_back")[0]["changed_units"] as? Int == 0)
    // It is listened to again.
    try system.runService("after-reexec", [], ["false"])
    try eventually("a failure") { listener.course("after-reexec.service").last == "failed/failed" }
    try listener.stop()
  }

  @Test func aRestartOfTheBusIsSurvived() throws {
    let listener = try SystemdListener(system)
    try system.runService("stays", [], ["sleep", "1000"])
    try system.runService("dies-meanwhile", [], ["sleep", "1000"])
    try eventually("both run") {
      listener.course("stays.service") == ["active/running"]
        && listener.course("dies-meanwhile.service") == ["active/running"]
    }
    // Without its socket nobody can connect, and nothing is told.
    try system.run("systemctl", "stop", "dbus.socket", "dbus.service")
    try eventually("the loss is told") { listener.events("bus_gone").count == 1 }
    try system.run("systemctl", "kill", "--signal", "KILL", "dies-meanwhile.service")
    try eventually("it has failed") {
      try system.run("systemctl", "is-failed", "dies-meanwhile.service").status == 0
    }
    try system.run("systemctl", "start", "dbus.socket", "dbus.service")
    try eventually("it is back", within: 60) { listener.events("bus_back").count == 1 }
    let back = listener.events("bus_back")[0]
    #expect(try #require(back["duration_seconds"] as? Double) > 0)
    #expect(try #require(back["changed_units"] as? Int) >= 1)
    try eventually("what changed meanwhile") {
      listener.course("dies-meanwhile.service") == ["active/running", "failed/failed"]
    }
    let record = try #require(listener.states("dies-meanwhile.service").last)
    #expect(record["found_by_comparing"] as? Bool == true)
    #expect(record["old_active_state"] as? String == "active")
    #expect(record["result"] as? String == "signal")
    #expect(record["main_process_status"] as? Int == 9)
    #expect(listener.course("stays.service") == ["active/running"])
    try system.runService("after-bus", [], ["false"])
    try eventually("a failure") { listener.course("after-bus.service").last == "failed/failed" }
    #expect(try listener.process.stop() == 0)
    #expect(listener.process.log.count == 1)
    #expect(listener.process.log.first?.contains("trying to connect again") == true)
  }

  @Test func onlyTheUnitsThatAreAskedForAreTold() throws {
    let listener = try SystemdListener(system, "--unit", "wanted*.service")
    try system.runService("unwanted", [], ["false"])
    try system.runService("wanted-1", [], ["false"])
    try eventually("the wanted one") { listener.course("wanted-1.service").last == "failed/failed" }
    #expect(listener.states("unwanted.service").isEmpty)
    #expect(listener.records.allSatisfy { ($0["unit"] as? String) != "unwanted.service" })
    try listener.stop()
  }
}
