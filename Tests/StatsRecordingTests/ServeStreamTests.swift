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
    try device.collect("cyclic-sysinfo", "--interval", "10ms")
    try device.collect(
      "cyclic-file-read", "--interval", "20ms", "--processes-interval", "50ms", "--process-count",
      "1000")
    let path = "/events?device=\(device.rig.name)"
    let reader = try EventReader(device.url, path)
    var received = 0
    // Until the rings are full, so that only readers could make it grow.
    try eventually("a reader that reads gets 1 MB", within: 60) {
      received = reader.read().utf8.count
      return received > 1 << 20
    }
    let before = try device.server.residentBytes()
    let still = try (0..<50).map { _ in try EventReader(device.url, path, bufferBytes: 4096) }
    try eventually("2 MB more are sent", within: 90) {
      reader.read().utf8.count > received + 2 << 20
    }
    let grown = try device.server.residentBytes() - before
    print("50 readers that stand still, 2 MB sent: the server grew by \(grown >> 10) KiB")
    #expect(grown < 64 << 20)
    #expect(reader.events().allSatisfy { $0.name != "resync" }, "who reads is not held up")
    try eventually("one that reads again is told", within: 20) {
      still[0].events().contains { $0.name == "resync" }
    }
    // The others still stand still.
    try device.stop()
  }
}

extension ChildProcess {
  func residentBytes() throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return (Int(line?.split(separator: " ").dropFirst().first ?? "") ?? 0) << 10
  }
}
