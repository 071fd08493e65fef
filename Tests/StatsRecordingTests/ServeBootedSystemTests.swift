import Foundation
import Testing

@testable import DeviceRig

/// What systemd itself tells, on the page.
@Suite(
  .needs(command: "mosquitto"), .needs(command: "chromedriver"), .needs(command: "systemd-nspawn"),
  .needsRoot)
struct ServeBootedSystemTests {
  @Test(.timeLimit(.minutes(3))) func aUnitThatFailsIsAnEventOfItsLane() throws {
    let system = try BootedSystem()
    defer { system.stop() }
    let rig = try Rig()
    let bridge = try system.startSharingQueues(
      Rig.command("posix-mq-to-mqtt-bridge", on: .amd64) + [
        "--config", "/dev/null", "--queue-prefix", rig.queuePrefix, "--host", "127.0.0.1",
        "--port", "\(rig.broker().port)", "--device-id", rig.name, "--status-interval", "1s",
      ], name: "posix-mq-to-mqtt-bridge")
    let device = try ServedDevice(rig, [], bridge: bridge)
    device.add(
      try system.program("dbus-systemd-signals", ["--queue-prefix", rig.queuePrefix]))
    try eventually("it listens", within: 20) {
      let programs = try device.summary()?["programs"] as? [[String: Any]] ?? []
      return programs.contains { $0["state"] as? String == "running" }
    }
    let browser = try Browser(in: rig.folder)
    try browser.open(device.url + "#\(rig.name)")
    try eventually("the device is shown", within: 30) {
      try browser.text("return document.getElementById('name').textContent") == rig.name
    }
    try browser.script("document.getElementById('event-details').open = true")

    try system.runService("onto-the-page", [], ["sh", "-c", "exit 5"])
    try eventually("the failure is told", within: 20) {
      try browser.text("return document.getElementById('event-list').textContent")
        .contains("onto-the-page.service failed: exit-code, status 5")
    }
    #expect(
      try browser.integer(
        "return [...document.querySelectorAll('.row')].find(r => r.innerText.startsWith('Units'))"
          + ".querySelectorAll('.mark').length") > 0)
    try browser.screenshot(rig.folder.appending(path: "unit.png"))

    try system.run("systemctl", "reset-failed", "onto-the-page")
    try eventually("it is told that it is no longer failed", within: 20) {
      try browser.text("return document.getElementById('event-list').textContent")
        .contains("onto-the-page.service is inactive (dead), no longer failed")
    }
    try browser.readLogs()
    #expect(browser.console.isEmpty, "\(browser.console.prefix(3))")
    try device.stop()
  }
}
