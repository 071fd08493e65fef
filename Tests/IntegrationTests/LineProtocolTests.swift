import Foundation
import Records
import Testing

/// `--payload influx` as a database takes it.
@Suite(.needs(command: "mosquitto"), .needs(command: "influxd"), .needs(command: "curl"))
struct LineProtocolTests {
  /// A record of each kind, the hostile texts among them, of different moments.
  private func records() throws -> [(program: String, kind: String, bytes: [UInt8])] {
    let folder = Machine.packageRoot.appending(path: "Tests/RecordsTests/Golden")
    var records: [(program: String, kind: String, bytes: [UInt8])] = []
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path()).sorted() {
      let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
      let bytes = text.split(separator: "\n").flatMap {
        $0.prefix { $0 != "#" }.split(separator: " ").compactMap { UInt8($0, radix: 16) }
      }
      let record = try Record(decoding: bytes, count: bytes.count)
      records.append(
        ("\((record.kind.program ?? .epollPsi).name)", "\(record.kind.name)", bytes))
    }
    var dump = CoreDump()
    dump.comm = FixedText(Array(#"a,b=c d\"#.utf8).span)
    dump.unit = FixedText(Array(#"dev-disk\x2d7.mount"#.utf8).span)
    dump.commandLine = FixedText(Array("say \"hi\" \\ \n\u{1}\u{7F}ä".utf8).span)
    dump.hostname = FixedText([0xFF, 0x22, 0x5C].span)
    var (header, bytes) = (RecordHeader(instance: 7, bootTimeNanoseconds: 1), [UInt8]())
    header.encode(&dump, into: &bytes)
    records.append(("inotify-coredump", "core_dump", bytes))
    return records
  }

  @Test(arguments: [1, 8]) func aDatabaseTakesEveryKindOfRecord(_ batch: Int) throws {
    let rig = try Rig()
    let database = try InfluxDB(rig)
    let payloads = try ChildProcess(
      [
        #require(Machine.command("mosquitto_sub")), "-h", "127.0.0.1", "-p",
        "\(rig.broker().port)", "-V", "5", "-q", "1", "-t", "stats/+/+/#", "-T", "stats/+/status",
      ], name: "lines", in: rig.folder)
    let bridge = try rig.bridge(
      "--payload", "influx", "--batch", "\(batch)", "--batch-time", "50ms")
    let sent = try records()
    for (program, _, bytes) in sent {
      try GarbageQueue("\(rig.queuePrefix)\(program)", blocking: true).send(bytes)
    }
    try eventually("all lines arrive") { payloads.output.count >= sent.count }
    #expect(try bridge.stop() == 0)
    let lines = rig.folder.appending(path: "points")
    try payloads.output.joined(separator: "\n").write(to: lines, atomically: true, encoding: .utf8)
    #expect(try database.write(lines) == "204")
    for (kind, records) in Dictionary(grouping: sent, by: \.kind) {
      #expect(try database.count(kind) == records.count, "\(kind)")
    }
  }
}

/// A database of the test's own.
private final class InfluxDB {
  private let rig: Rig
  private let port = Int.random(in: 20_000..<32_000)
  private let server: ChildProcess

  init(_ rig: Rig) throws {
    self.rig = rig
    let folder = rig.folder.appending(path: "influx").path()
    let settings = rig.folder.appending(path: "influx.conf")
    try """
    reporting-disabled = true
    bind-address = "127.0.0.1:0"
    [meta]
      dir = "\(folder)/meta"
    [data]
      dir = "\(folder)/data"
      wal-dir = "\(folder)/wal"
    [http]
      bind-address = "127.0.0.1:\(port)"
    [monitor]
      store-enabled = false
    """.write(to: settings, atomically: true, encoding: .utf8)
    server = try ChildProcess(
      [#require(Machine.command("influxd")), "-config", settings.path()], name: "influxd",
      in: rig.folder)
    try eventually("influxd answers", within: 30) {
      (try? query("CREATE DATABASE records")) == true
    }
  }

  deinit { server.kill() }

  private func curl(_ arguments: [String]) throws -> String {
    try rig.run([try #require(Machine.command("curl")), "-s"] + arguments).output
      .joined(separator: "\n")
  }

  private func query(_ text: String) throws -> Bool {
    try curl([
      "-o", "/dev/null", "-w", "%{http_code}\\n", "http://127.0.0.1:\(port)/query",
      "--data-urlencode", "q=\(text)",
    ]) == "200"
  }

  /// The status and what is wrong, as the database says it.
  func write(_ file: URL) throws -> String {
    try curl([
      "-w", "%{http_code}\\n", "http://127.0.0.1:\(port)/write?db=records", "--data-binary",
      "@\(file.path())",
    ])
  }

  func count(_ measurement: String) throws -> Int? {
    let text = try curl([
      "-G", "http://127.0.0.1:\(port)/query", "--data-urlencode", "db=records",
      "--data-urlencode", "q=SELECT COUNT(seq) FROM \(measurement)",
    ])
    return text.firstMatch(of: /"values":\[\[[^,]*,(\d+)\]/).flatMap { Int($0.1) }
  }
}
