import Foundation
import Testing

/// dbus-systemd-signals all the way to the broker.
extension SystemdSignalsBootTests {
  /// As it is installed: a service of the system that it listens to, which tells it that it is
  /// ready, feeds its watchdog and stops when it is told to.
  @Test(.needs(command: "mosquitto"), .needs(command: "mosquitto_sub"))
  func asAServiceItsRecordsReachTheBroker() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try system.startSharingQueues(
      Rig.command("posix-mq-to-mqtt-bridge", on: .amd64) + [
        "--config", "/dev/null", "--queue-prefix", rig.queuePrefix, "--host", "127.0.0.1",
        "--port", "\(rig.broker().port)", "--device-id", rig.name,
      ], name: "posix-mq-to-mqtt-bridge")
    try eventually("the bridge connects") {
      subscriber.messages(of: "/status").last?.text("state") == "online"
    }
    try system.runService(
      "collector", ["Type=notify", "WatchdogSec=1s", "NotifyAccess=main"],
      ["/mnt/dbus-systemd-signals", "--config", "/dev/null", "--queue-prefix", rig.queuePrefix])
    func property(_ name: String) throws -> String {
      try system.run("systemctl", "show", "--value", "--property", name, "collector")
        .output.first ?? ""
    }
    #expect(try property("StatusText") == "listening to systemd")
    try eventually("it is running, for the broker") {
      subscriber.messages(of: "/status").last?.text("dbus_systemd_signals_state") == "running"
    }

    try system.runService("over-mqtt", [], ["sh", "-c", "exit 5"])
    func states() -> [Message] {
      subscriber.messages(of: "/dbus-systemd-signals/unit/over-mqtt.service")
    }
    try eventually("the failure arrives") { states().last?.text("active_state") == "failed" }
    let failure = try #require(states().last)
    #expect(failure.text("kind") == "unit_state")
    #expect(failure.text("result") == "exit-code")
    #expect(failure.integer("main_process_status") == 5)
    #expect(failure.integer("dropped") == 0)
    try system.run("systemctl", "daemon-reload")
    try eventually("the manager's events arrive") {
      subscriber.messages(of: "/dbus-systemd-signals/manager")
        .contains { $0.text("event") == "reloaded" }
    }

    var fed: Set<String> = []
    try eventually("systemd hears the watchdog") {
      fed.insert(try property("WatchdogTimestampMonotonic"))
      return fed.count >= 4
    }
    #expect(try property("ActiveState") == "active")
    #expect(try property("NRestarts") == "0")
    try system.run("systemctl", "stop", "collector")
    #expect(try property("Result") == "success")
    try eventually("it has stopped, for the broker") {
      subscriber.messages(of: "/status").last?.text("dbus_systemd_signals_state") == "stopped"
    }
    #expect(try bridge.stop() == 0)
  }

  /// What it tells a service manager, message by message.
  @Test func readyWatchdogAndStoppingAreTold() throws {
    let rig = try Rig()
    let socket = NotifySocket(in: rig.folder)
    try socket.expectService(
      rig.program(
        "dbus-systemd-signals", ["--address", system.busAddress],
        environment: socket.environment))
    #expect(socket.messages.contains("READY=1\nSTATUS=listening to systemd"))
  }

  /// The programs for ARM, under qemu-user, tell the same of the same system.
  @Test(.needs(command: "qemu-aarch64-static"), .needs(command: "qemu-arm-static"))
  func everyArchitectureTellsTheSame() throws {
    let rig = try Rig()
    let unit = "everywhere.service"
    let listeners = try Rig.Architecture.allCases.map {
      try rig.program(
        "dbus-systemd-signals",
        [
          "--print", "--all", "--unit", unit, "--address", system.busAddress,
        ],
        on: $0)
    }
    for listener in listeners {
      try eventually("it listens", within: 30) {
        listener.output.contains { $0.contains(#""event":"snapshot""#) }
      }
    }
    try system.runService("everywhere", ["LimitCORE=0"], ["sh", "-c", "kill -SEGV $$$$"])
    /// All but the header, which every program has its own of.
    func told(_ listener: ChildProcess) -> [Substring] {
      listener.output.compactMap { line in
        line.range(of: #""clock_synced":"#).map { line[$0.upperBound...] }
      }
      .filter { $0.contains(unit) }
    }
    for listener in listeners {
      try eventually("the failure is told", within: 30) {
        told(listener).contains { $0.contains(#""active_state":"failed""#) }
      }
      #expect(try listener.stop(within: 30) == 0)
    }
    #expect(told(listeners[0]).count >= 4)
    #expect(told(listeners[1]) == told(listeners[0]))
    #expect(told(listeners[2]) == told(listeners[0]))
  }

  /// Services that come and go, under valgrind: no error, nothing lost, and after ten times as many
  /// as much memory as before.
  @Test(.needs(command: "valgrind"))
  func valgrindFindsNothingAndMemoryDoesNotGrow() throws {
    let rig = try Rig()
    func run(services: Int) throws -> ValgrindResult {
      let listener = try rig.underValgrind(
        "dbus-systemd-signals", ["--print", "--all", "--address", system.busAddress])
      try eventually("it listens", within: 60) {
        listener.output.contains { $0.contains(#""event":"snapshot""#) }
      }
      for service in 1...services {
        try system.runService("short", [], ["false"])
        try eventually("the failure is told", within: 60) {
          listener.output.count {
            $0.contains(#""unit":"short.service","active_state":"failed""#)
          } == service
        }
        try system.run("systemctl", "reset-failed", "short")
      }
      try system.run("systemctl", "daemon-reload")
      try eventually("all is told", within: 60) {
        listener.output.contains { $0.contains(#""event":"reloaded""#) }
      }
      return try ValgrindResult(listener)
    }
    let (few, many) = (try run(services: 4), try run(services: 40))
    #expect(few.errors == 0 && many.errors == 0)
    #expect(many.allocations > few.allocations)
    // libdbus keeps some of the messages that it is done with.
    #expect(many.blocksInUse <= few.blocksInUse + 8, "\(few) and \(many)")
    #expect(many.bytesInUse <= few.bytesInUse + 8192, "\(few) and \(many)")
  }
}
