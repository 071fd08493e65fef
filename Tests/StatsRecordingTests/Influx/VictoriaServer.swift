import Foundation
import Testing

@testable import DeviceRig

/// A real VictoriaMetrics of the test's own, on a free loopback port.
final class VictoriaServer {
  private(set) var port = 0
  private let folder: URL
  private(set) var process: ChildProcess?

  init(in folder: URL) throws {
    self.folder = folder.appending(path: "victoria")
    try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
    for _ in 0..<10 {
      port = Int.random(in: 20000..<60000)
      if try start() { return }
    }
    throw NotInTime(what: "VictoriaMetrics finds a port")
  }

  deinit { process?.kill() }

  var address: String { "http://127.0.0.1:\(port)" }

  @discardableResult
  func start() throws -> Bool {
    let program = try #require(
      Machine.command("victoria-metrics"), "victoria-metrics is not installed")
    let process = try ChildProcess(
      [
        program, "-storageDataPath=\(folder.path())/data", "-httpListenAddr=127.0.0.1:\(port)",
        // The same point twice is one point.
        "-dedup.minScrapeInterval=1ms", "-search.latencyOffset=0s", "-retentionPeriod=100y",
      ], name: "victoria-metrics", in: folder)
    self.process = process
    try eventually("victoria-metrics listens", within: 60) {
      !process.isRunning || HTTP.get("\(address)/health")?.status == 200
    }
    return process.isRunning
  }

  func stop() throws {
    try process?.stop(within: 60)
    process = nil
  }

  /// Ends it with SIGKILL, as a power cut would.
  func kill() {
    process?.kill()
    process = nil
  }

  /// How many distinct values a series has, `system_information_seq{device="x"}`.
  func count(_ series: String) throws -> Int {
    // What has just come is shown after a flush only.
    _ = HTTP.get("\(address)/internal/force_flush")
    let answer = try #require(
      HTTP.get("\(address)/api/v1/export?reduce_mem_usage=0&match%5B%5D=\(HTTP.encoded(series))"),
      "VictoriaMetrics does not answer")
    var values: Set<Double> = []
    for line in answer.text.split(separator: "\n") {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      values.formUnion(object?["values"] as? [Double] ?? [])
    }
    return values.count
  }
}
