import Foundation
import Testing

@testable import DeviceRig

/// The stream of changes, with readers that break off, stand still, and are many.
@Suite(.needs(command: "mosquitto"), .serialized) struct ServeStreamTests {
  private func loadTimes(_ reader: EventReader, _ line: Int) -> [Double] {
    reader.events().filter { $0.name == "update" }
      .flatMap { $0.data["points"] as? [[String: Any]] ?? [] }
      .filter { $0["id"] as? Int == line }.flatMap { $0["times"] as? [Double] ?? [] }
  }

  @Test func aStreamGoesOnWhereItWas() throws {
    let device = try ServedDevice()
    try device.collect("cyclic-sysinfo", "--interval", "50ms")
    try eventually("the device has lines") { try device.series("&chart=load").count == 3 }
    let line = try #require(device.series("&chart=load").first?["id"] as? Int)
    let path = "/events?device=\(device.rig.name)"
    let first = try EventReader(device.url, path)
    try eventually("it reads") { loadTimes(first, line).count >= 20 }
    let events = first.events()
    let last = try #require(events.last?.id)
    let before = loadTimes(first, line)
    // Nobody reads for a while.
    try eventually("more is there") {
      (try device.series("&chart=load").first?["times"] as? [Double])?.last ?? 0
        > (before.last ?? 0) + 1
    }
    let second = try EventReader(device.url, path, lastEventID: last)
    try eventually("it goes on") { loadTimes(second, line).count >= 30 }
    #expect(!second.events().contains { $0.name == "resync" })
    let seen = before + loadTimes(second, line)
    let all = try #require(device.series("&chart=load").first?["times"] as? [Double])
    let part = all.filter { $0 >= seen[0] && $0 <= seen[seen.count - 1] }
    #expect(seen == part, "each point once, none left out")
    try device.stop()
  }

  @Test func aReaderOfAnotherRunOfTheServerBeginsAnew() throws {
    let device = try ServedDevice()
    let reader = try EventReader(device.url, "/events", lastEventID: "elsewhere-17")
    try eventually("it is told") { reader.events().first?.name == "resync" }
    try device.stop()
  }

  @Test func aReaderThatStandsStillBeginsAnewAndTheServerDoesNotGrow() throws {
    let device = try ServedDevice("--backlog", "524288", "--points", "100")
    let path = "/events?device=flood"
    // Until what is kept is full, so that only readers could make it grow.
    try flood(device, from: 0)
    let before = try device.server.residentBytes()
    let still = try (0..<50).map { _ in try EventReader(device.url, path, bufferBytes: 4096) }
    // Of each some 65 bytes are told: more than the kernel takes for a reader, 4 MiB, and the backlog.
    for part in 1..<20 { try flood(device, from: part * Self.floodCount) }
    let grown = try device.server.residentBytes() - before
    print("50 readers stand still, 95000 records told: the server grew by \(grown >> 10) KiB")
    #expect(grown < 64 << 20)
    still[0].take(1 << 20)
    try eventually("one that reads again is told", within: 60) {
      still[0].read().contains("event: resync")
    }
    // The others still stand still.
    try device.stop()
  }

  private func received(_ device: ServedDevice) throws -> Int? {
    let devices = try device.get("api/devices").object["devices"] as? [[String: Any]]
    let flood = devices?.first { $0["id"] as? String == "flood" }
    return (flood?["programs"] as? [[String: Any]])?.first?["received"] as? Int
  }

  /// More at once and Mosquitto gives a publisher up.
  private static let floodCount = 5000

  /// Publishes records of one line, as fast as the broker takes them, and waits until they are there.
  private func flood(_ device: ServedDevice, from: Int) throws {
    let file = device.rig.folder.appending(path: "flood-\(from)")
    let lines = (from..<from + Self.floodCount).map { number in
      #"{"v":1,"kind":"system_information","time":\#(1_795_000_000 + Double(number) / 100),"#
        + #""boot_id":"b","instance":1,"seq":\#(number),"dropped":0,"clock_synced":true,"#
        + #""load1":0.5,"load5":0.25,"load15":0.125}"#
    }
    try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
    let command = try #require(
      Machine.command("mosquitto_pub"), "mosquitto-clients is not installed")
    let publisher = try ChildProcess(
      [
        command, "-h", "127.0.0.1", "-p", "\(device.rig.broker().port)", "-q", "1", "-l", "-t",
        "stats/flood/cyclic-sysinfo",
      ], name: "flood", in: device.rig.folder, input: file.path())
    #expect(try publisher.wait(within: 60) == 0, "\(publisher.log)")
    try eventually("all of it is there", within: 60) {
      try received(device) == from + Self.floodCount
    }
  }
}

extension ChildProcess {
  func residentBytes() throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return (Int(line?.split(separator: " ").dropFirst().first ?? "") ?? 0) << 10
  }
}
