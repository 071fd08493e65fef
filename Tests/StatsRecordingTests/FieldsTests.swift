import Foundation
import Records
import Testing

@testable import DeviceRig
@testable import stats_recording

/// The reference of topics and fields, and the names that others have for them.
struct FieldsTests {
  private static let man = Machine.packageRoot.appending(path: "man")

  private static let updates = ProcessInfo.processInfo.environment["STATS_UPDATE_MAN"] == "1"

  private static let hint =
    "STATS_UPDATE_MAN=1 ./build.sh test --filter FieldsTests writes it"

  @Test func theMarkdownIsWhatTheProgramsPublish() throws {
    let file = Self.man.appending(path: "fields.md")
    if Self.updates { try FieldMarkdown.page.write(to: file, atomically: true, encoding: .utf8) }
    #expect(try String(contentsOf: file, encoding: .utf8) == FieldMarkdown.page, "\(Self.hint)")
  }

  @Test func theManualIsWhatTheProgramsPublish() throws {
    let file = Self.man.appending(path: "stats-recording-fields.7")
    if Self.updates {
      let page = try Rig().run([Rig.toolPath(), "fields", "--man"]).output
      try (page.joined(separator: "\n") + "\n").write(to: file, atomically: true, encoding: .utf8)
    }
    let text = try String(contentsOf: file, encoding: .utf8)
    // The day on which it was written is its own.
    let date = try #require(text.firstMatch(of: /(?m)^\.Dd (.+)$/)?.1)
    #expect(text == FieldManual.page(date: String(date)), "\(Self.hint)")
  }

  @Test(.needs(command: "mandoc")) func theManualHasNoMistake() throws {
    let mandoc = try #require(Machine.command("mandoc"))
    let page = Self.man.appending(path: "stats-recording-fields.7").path()
    let rig = try Rig()
    let lint = try rig.run([mandoc, "-T", "lint", "-W", "warning", page])
    #expect(lint.output + lint.log == [])
    #expect(lint.status == 0)
    let text = try rig.run([mandoc, "-T", "utf8", page]).output.joined(separator: "\n")
      .replacing(/.\u{8}/, with: "")
    for kind in RecordKind.allCases {
      for entry in KindReference(kind: kind, entries: []).topics { #expect(text.contains(entry)) }
    }
    #expect(text.contains("temperature_celsius (°C, gauge)"))
  }

  @Test(arguments: RecordKind.allCases)
  func theTopicOfARealRecordHasThatShape(_ kind: RecordKind) throws {
    let message = try GoldenMessage(kind)
    let topic = message.topic.dropFirst("stats/pi-7/".count)
    let fields = try JSONValue(parsing: Array(message.payload.utf8)).members ?? []
    let candidates = KindReference(kind: kind, entries: []).topics.map { shape -> String in
      // At the beginning whichever program tells; elsewhere it is a field.
      var filled = shape.replacing(/^<program>/, with: "cyclic-sysinfo")
      for field in fields {
        // A path has a level for each of its parts, other names one.
        let isPath = kind == .pressureStall || kind == .pressureSample
        let text = field.value.text ?? field.value.readable
        let level = isPath ? String(text.trimmingPrefix("/")) : text.replacing("/", with: "_")
        filled = filled.replacing("<\(field.name)>", with: level.isEmpty ? "_" : level)
      }
      return filled
    }
    #expect(candidates.contains(String(topic)), "\(topic) is none of \(candidates)")
    for candidate in candidates { #expect(!candidate.contains("<"), "\(candidate)") }
  }

  @Test func everyEquivalentIsOfAFieldThatExists() {
    for (kind, fields) in Equivalent.all {
      let names = Set(kind.fields.map { "\($0.field.name)" })
      #expect(Set(fields.keys).subtracting(names) == [], "\(kind.name)")
    }
  }

  private static func fixture(_ name: String) throws -> [String] {
    try String(
      contentsOf: Machine.packageRoot.appending(path: "Tests/Fixtures/opentelemetry/\(name)"),
      encoding: .utf8
    ).split(separator: "\n").map(String.init)
  }

  @Test func everyOpenTelemetryNameIsOneOfItsConventions() throws {
    let metrics = Set(try Self.fixture("metrics.txt"))
    let attributes = Dictionary(
      uniqueKeysWithValues: try Self.fixture("attributes.txt").map { line in
        let words = line.split(separator: " ").map(String.init)
        return (words[0], Set(words.dropFirst()))
      })
    var count = 0
    for name in Equivalent.all.values.flatMap(\.values).compactMap(\.openTelemetry) {
      for series in name.components(separatedBy: ", ") {
        let parts = try #require(series.wholeMatch(of: /([a-z0-9._]+)(?:{([a-z._]+)=([a-z._]+)})?/))
        #expect(metrics.contains(String(parts.1)), "\(series)")
        if let attribute = parts.2, let value = parts.3 {
          #expect(attributes[String(attribute)]?.contains(String(value)) == true, "\(series)")
        }
        count += 1
      }
    }
    #expect(count > 60)
  }

  /// Those of collectors that need a Wi-Fi card or systemd.
  private static let ofOtherMachines = ["node_wifi_", "node_systemd_"]

  /// A sysfs with one of each sensor, a thermal zone and a CPU that changes its frequency.
  private static func sensors(in folder: URL) throws -> String {
    func write(_ folder: URL, _ files: [String: String]) throws {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      for (name, text) in files {
        try "\(text)\n".write(
          to: folder.appending(path: name), atomically: true, encoding: .utf8)
      }
    }
    let root = folder.appending(path: "sys")
    let inputs = [
      "temp1_input", "temp1_max", "temp1_crit", "temp1_crit_alarm", "in0_input", "fan1_input",
      "power1_input", "curr1_input", "energy1_input", "humidity1_input",
    ]
    try write(
      root.appending(path: "class/hwmon/hwmon0"),
      Dictionary(uniqueKeysWithValues: inputs.map { ($0, "1000") })
        .merging(["name": "chip"]) { $1 })
    try write(
      root.appending(path: "class/thermal/thermal_zone0"),
      ["temp": "52000", "type": "cpu-thermal", "policy": "step_wise"])
    let frequencies = ["cpuinfo", "scaling"].flatMap { kind in
      ["cur", "min", "max"].map { ("\(kind)_\($0)_freq", "1500000") }
    }
    let governor = ["available_governors", "driver", "governor", "setspeed"]
      .map { ("scaling_\($0)", "x") }
    try write(
      root.appending(path: "devices/system/cpu/cpu0/cpufreq"),
      Dictionary(uniqueKeysWithValues: frequencies + governor)
        .merging(["related_cpus": "0", "cpuinfo_transition_latency": "0"]) { $1 })
    return root.path()
  }

  /// The names of all metrics that node_exporter has.
  private static func metrics(_ rig: Rig, _ options: String...) throws -> Set<String> {
    let port = Int.random(in: 20_000..<60_000)
    let exporter = try ChildProcess(
      [
        try #require(Machine.command("prometheus-node-exporter")),
        "--web.listen-address=127.0.0.1:\(port)",
      ] + options, name: "node_exporter", in: rig.folder)
    try eventually("node_exporter listens") {
      exporter.log.contains { $0.contains("Listening on") }
    }
    let address = "http://127.0.0.1:\(port)/metrics"
    let fetch = "import urllib.request; print(urllib.request.urlopen('\(address)').read().decode())"
    let page = try rig.run(["/usr/bin/python3", "-c", fetch])
    #expect(page.status == 0, "\(page.log)")
    exporter.kill()
    return Set(
      page.output.filter { $0.hasPrefix("# TYPE ") }
        .compactMap { $0.split(separator: " ").dropFirst(2).first.map(String.init) })
  }

  @Test(.needs(command: "prometheus-node-exporter"))
  func everyNodeExporterNameIsOneOfItsMetrics() throws {
    let rig = try Rig()
    // Of all disks and file systems, as here; sensors are another machine's.
    let here = try Self.metrics(
      rig, "--collector.processes", "--collector.diskstats.device-exclude=^$",
      "--collector.filesystem.mount-points-exclude=^$")
    #expect(here.count > 100)
    let metrics = try here.union(
      Self.metrics(rig, "--path.sysfs=\(Self.sensors(in: rig.folder))"))
    var (seen, absent) = (Set<String>(), Set<String>())
    for name in Equivalent.all.values.flatMap(\.values).compactMap(\.nodeExporter) {
      for series in name.components(separatedBy: ", ") {
        let metric = String(series.prefix { $0 != "{" })
        for resource in metric.contains("<resource>") ? ["memory", "io"] : [""] {
          let metric = metric.replacing("<resource>", with: resource)
          if metrics.contains(metric) {
            seen.insert(metric)
          } else {
            absent.insert(metric)
          }
        }
      }
    }
    let unexplained = absent.filter { name in
      !Self.ofOtherMachines.contains { name.hasPrefix($0) }
    }
    #expect(unexplained == [])
    #expect(seen.count > 100)
    print("node_exporter has \(seen.count) of the names; of collectors that this machine lacks:")
    print(absent.sorted().joined(separator: " "))
  }

  @Test func aPatternChoosesFieldsTopicsProgramsOrKinds() throws {
    let rig = try Rig()
    func run(_ arguments: String...) throws -> (status: Int32, output: [String], log: [String]) {
      try rig.run([Rig.toolPath(), "fields"] + arguments)
    }
    let temperatures = try run("temperature*").output
    #expect(
      temperatures == [
        "stats/<device>/cyclic-file-read/temperature/<type>  thermal_zone",
        "  temperature_celsius  °C, gauge: Temperature",
        "      OpenTelemetry hw.temperature; node_exporter node_thermal_zone_temp",
      ])
    let disk = try run("cyclic-file-read/disk/*/*_bytes").output
    #expect(disk.filter { $0.hasPrefix("  ") && $0.contains("byte, counter") }.count == 3)
    #expect(disk.first == "stats/<device>/cyclic-file-read/disk/<device>  disk")
    #expect(try run("epoll-psi").output.filter { $0.hasPrefix("stats/") }.count == 4)
    #expect(try run("raspberry_pi").output.count == 10)
    #expect(try run().output.filter { $0.hasPrefix("stats/") }.count >= RecordKind.allCases.count)
    let wrong = try run("load2")
    #expect(wrong.status == 64)
    #expect(wrong.log.first?.contains("no field is called load2; near are load1") == true)
  }
}
