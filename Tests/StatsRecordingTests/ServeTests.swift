import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

/// The server as a program that asks it sees it.
@Suite(.needs(command: "mosquitto"), .serialized) struct ServeTests {
  @Test func aDeviceIsListedWithItsProgramsAndItsState() throws {
    let device = try ServedDevice()
    try device.collect("cyclic-sysinfo", "--interval", "100ms")
    try eventually("its records are counted") {
      let programs = try device.summary()?["programs"] as? [[String: Any]]
      let program = programs?.first { $0["name"] as? String == "cyclic-sysinfo" }
      return program?["received"] as? Int ?? 0 >= 10 && program?["missing"] as? Int == 0
        && program?["state"] as? String == "running"
    }
    #expect(try device.summary()?["state"] as? String == "online")
    try device.bridge.stop()
    try eventually("it has said goodbye") {
      try device.summary()?["state"] as? String == "offline"
    }
    let again = try device.rig.bridge()
    try eventually("it is back") { try device.summary()?["state"] as? String == "online" }
    again.kill()
    try eventually("the broker tells its last will") {
      try device.summary()?["state"] as? String == "lost"
    }
    try device.stop()
  }

  @Test func linesHaveTheRecordsTimesAndValues() throws {
    let device = try ServedDevice()
    let witness = try device.rig.subscriber()
    try device.collect("cyclic-sysinfo", "--interval", "100ms")
    try eventually("ten points") {
      (try device.series("&chart=load").first?["times"] as? [Double])?.count ?? 0 >= 10
    }
    let lines = try device.series("&chart=load")
    #expect(lines.compactMap { $0["label"] as? String } == ["load1", "load5", "load15"])
    let times = try #require(lines.first?["times"] as? [Double])
    let values = try #require(lines.first?["values"] as? [Double])
    let sent = witness.messages(of: "/cyclic-sysinfo").prefix(times.count)
    #expect(
      zip(sent, times).allSatisfy { abs(($0.number("time") ?? 0) - $1) < 0.0006 }
        && sent.compactMap { $0.number("load1") } == values)
    // A part of it, and fewer points of it.
    let middle = times[times.count / 2]
    let later = try device.series("&chart=load&from=\(middle)").first?["times"] as? [Double]
    #expect(later?.first == middle)
    let few = try device.series("&chart=load&points=4").first?["times"] as? [Double]
    #expect(few?.count ?? 9 <= 6)
    try device.stop()
  }

  @Test func aRestartIsAGapInTheLineAndAnEvent() throws {
    let device = try ServedDevice()
    let count = { (try device.series("&chart=load").first?["times"] as? [Double])?.count ?? 0 }
    try device.collect("cyclic-sysinfo", "--interval", "100ms")
    try eventually("points before") { try count() >= 5 }
    try device.collectors[0].stop()
    try device.collect("cyclic-sysinfo", "--interval", "100ms")
    try eventually("a gap") {
      (try device.series("&chart=load").first?["values"] as? [Any])?.contains { $0 is NSNull }
        == true
    }
    try eventually("an event") {
      try device.get("api/events?device=\(device.rig.name)").text
        .contains("cyclic-sysinfo started anew")
    }
    let programs = try device.summary()?["programs"] as? [[String: Any]]
    #expect(programs?.first?["restarts"] as? Int == 1)
    try device.stop()
  }

  @Test func whatAFullQueueDroppedIsTold() throws {
    let device = try ServedDevice()
    try device.collect("cyclic-sysinfo", "--interval", "10ms")
    let program = {
      (try device.summary()?["programs"] as? [[String: Any]])?
        .first { $0["name"] as? String == "cyclic-sysinfo" } ?? [:]
    }
    try eventually("records come") { try program()["received"] as? Int ?? 0 > 10 }
    device.bridge.send(SIGSTOP)
    try eventually("the queue is full", within: 20) {
      device.collectors[0].log.contains { $0.contains("the queue is full") }
    }
    device.bridge.send(SIGCONT)
    try eventually("the loss is told") { try program()["missing"] as? Int ?? 0 > 0 }
    #expect(try program()["droppedAtSource"] as? Int == program()["missing"] as? Int)
    #expect(
      try device.get("api/events?device=\(device.rig.name)").text
        .contains("dropped at a full queue"))
    try device.stop()
  }

  @Test func everyAnswerForbidsOtherHostsAndMistakesAreNamed() throws {
    let device = try ServedDevice()
    for path in ["", "api/devices", "nowhere", "api/series"] {
      let answer = try device.get(path)
      #expect(
        answer.headers["content-security-policy"]?.hasPrefix(
          "default-src 'none'; script-src 'self';")
          == true, "\(path): \(answer.headers)")
    }
    for (path, status, words) in [
      ("nowhere", 404, "no such thing"), ("api/series", 400, "which device?"),
      ("api/series?device=nobody", 404, "no device nobody"),
      ("api/series?device=\(device.rig.name)&chart=x", 400, "no chart x"),
      ("api/series?device=\(device.rig.name)&from=x", 400, "from=x: a number"),
    ] {
      let answer = try device.get(path)
      #expect(answer.status == status, "\(path): \(answer.text)")
      #expect((answer.object["error"] as? String)?.contains(words) == true, "\(answer.text)")
    }
    // A name of somebody else's that leads to this machine.
    let foreign = try device.get("api/devices", headers: ["Host": "evil.example"])
    #expect(foreign.status == 421)
    #expect(foreign.text.contains("start with --listen-anywhere"))
    try device.stop()
  }

  @Test func addressesThatOthersReachMustBeAskedForTwice() throws {
    let rig = try Rig()
    let result = try rig.tool("serve", "--listen", "0.0.0.0:0")
    #expect(try result.wait() == 64)
    #expect(result.log.joined().contains("there is no login; add --listen-anywhere"))
    let server = try rig.tool("serve", "--listen", "0.0.0.0:0", "--listen-anywhere")
    try eventually("it says so") {
      server.log.contains { $0.contains("there is no login") } || !server.isRunning
    }
    #expect(try server.stop() == 0)
  }

  @Test func whatItCannotDoIsOneLine() throws {
    let rig = try Rig()
    let missing = try rig.tool("serve", "--javascript", "/nowhere", "--listen", "127.0.0.1:0")
    #expect(try missing.wait() == 1)
    #expect(missing.log.count == 1)
    #expect(missing.log.joined().contains("apt install libjs-dygraphs"))
    let taken = try rig.tool("serve", "--listen", "127.0.0.1:\(rig.broker().port)")
    #expect(try taken.wait() == 1)
    #expect(
      taken.log.contains { $0.contains("--listen 127.0.0.1:") && $0.contains("in use") },
      "\(taken.log)")
  }
}
