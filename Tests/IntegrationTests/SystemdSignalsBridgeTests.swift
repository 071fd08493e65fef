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
}
