import Foundation
import Testing

@testable import DeviceRig

/// A real InfluxDB 1.6 of the test's own, on free loopback ports.
final class InfluxServer {
  private(set) var port = 0
  private let folder: URL
  private let settings: String
  private(set) var process: ChildProcess?
  /// `name:password`, where it wants one.
  var user: String?
  /// What it serves TLS with from its next start on.
  var tls: TLS?

  struct TLS {
    let certificate: String
    let key: String
  }

  /// Starts it; `settings` are further lines of `[http]`.
  init(in folder: URL, settings: String = "") throws {
    self.folder = folder.appending(path: "influxdb")
    self.settings = settings
    try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
    // Somebody else may take a port between the choice and the use of it.
    for _ in 0..<10 {
      port = Int.random(in: 20000..<60000)
      if try start() { return }
    }
    throw NotInTime(what: "InfluxDB finds a port")
  }

  deinit { kill() }

  var address: String { "http://127.0.0.1:\(port)" }

  /// Starts it again on the same port after ``kill()``; false if the port is taken.
  @discardableResult
  func start() throws -> Bool {
    let influxd = try #require(Machine.command("influxd"), "influxdb is not installed")
    let path = folder.appending(path: "influxdb.conf").path()
    try """
    reporting-disabled = true
    bind-address = "127.0.0.1:0"
    [meta]
      dir = "\(folder.path())/meta"
    [data]
      dir = "\(folder.path())/data"
      wal-dir = "\(folder.path())/wal"
      index-version = "tsi1"
      max-values-per-tag = 0
      query-log-enabled = false
    [monitor]
      store-enabled = false
    [http]
      bind-address = "127.0.0.1:\(port)"
      log-enabled = false
    \(settings)
    \(tls.map { """
      https-enabled = true
      https-certificate = "\($0.certificate)"
      https-private-key = "\($0.key)"
    """ } ?? "")
    """.write(toFile: path, atomically: true, encoding: .utf8)
    let process = try ChildProcess([influxd, "-config", path], name: "influxd", in: folder)
    self.process = process
    try eventually("influxd listens", within: 60) {
      // With TLS it answers a request without with an error of HTTP.
      !process.isRunning || HTTP.get("\(address)/ping")?.status == (tls == nil ? 204 : 400)
    }
    return process.isRunning
  }

  /// Ends it with SIGKILL, as a power cut would.
  func kill() {
    process?.kill()
    process = nil
  }

  func create(_ database: String = "stats") throws {
    _ = try query("CREATE DATABASE \"\(database)\"", database: "")
  }

  /// The rows of the first statement's series, each with its columns and the tags it is grouped by.
  func query(_ text: String, database: String = "stats") throws -> [[String: Any]] {
    let answer = try #require(
      HTTP.post(
        "\(address)/query?epoch=ns",
        "db=\(HTTP.encoded(database))&q=\(HTTP.encoded(text))", user: user),
      "InfluxDB does not answer")
    let body = try JSONSerialization.jsonObject(with: answer.body) as? [String: Any]
    let results = body?["results"] as? [[String: Any]]
    let error = body?["error"] ?? results?.first?["error"]
    try #require(error == nil, "\(text): \(error ?? "")")
    var rows: [[String: Any]] = []
    for series in results?.first?["series"] as? [[String: Any]] ?? [] {
      let columns = series["columns"] as? [String] ?? []
      for values in series["values"] as? [[Any]] ?? [] {
        var row: [String: Any] = series["tags"] as? [String: Any] ?? [:]
        if let name = series["name"] { row["name"] = name }
        for (column, value) in zip(columns, values) where !(value is NSNull) { row[column] = value }
        rows.append(row)
      }
    }
    return rows
  }

  /// How many points a measurement has; `condition` of InfluxQL.
  func count(_ measurement: String, _ condition: String? = nil) throws -> Int {
    let rows = try query(
      "SELECT COUNT(\"seq\") FROM \"\(measurement)\"" + (condition.map { " WHERE \($0)" } ?? ""))
    return (rows.first?["count"] as? NSNumber)?.intValue ?? 0
  }
}
