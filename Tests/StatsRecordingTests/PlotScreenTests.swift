import Foundation
import Records
import Testing

@testable import stats_recording

/// What a model looks like, without a terminal: times far from now, as of a replay.
struct PlotScreenTests {
  private static let start = 1_795_229_000.0
  private static let terminal = TerminalKind(environment: ["TERM": "xterm"], codeset: "UTF-8")

  private func rows(
    _ device: PublishedDevice, fields: [String], process: [String] = [], edge: Double,
    window: Double = 60, width: Int = 80, height: Int = 24, terminal: TerminalKind = terminal
  ) throws -> [String] {
    var model = PlotModel(try PlotSelection(fields: fields, processes: process))
    for record in try device.records() { model.take(record) }
    let view = PlotView(windowSeconds: window, edge: edge, title: "title")
    let picture = PlotScreen.draw(model, view, width: width, height: height, terminal)
    return (0..<height).map { picture.text($0) }
  }

  private func loads(_ values: [Double]) -> PublishedDevice {
    var device = PublishedDevice("pi-7")
    for (second, value) in values.enumerated() {
      device.add(
        "cyclic-sysinfo", kind: "system_information", at: Self.start + Double(second),
        "\"load1\":\(value),\"load5\":\(value / 2),\"memory_total_bytes\":1")
    }
    return device
  }

  @Test func linesOfOneUnitShareAScaleAndHaveALegendEach() throws {
    let rows = try rows(
      loads((0..<60).map { Double($0) / 20 }), fields: ["load1", "load5"], edge: Self.start + 59)
    #expect(rows[0].hasPrefix("title"))
    #expect(rows[0].hasSuffix("1min"))
    #expect(rows.has("● load1  min 0.00  avg 1.48  max 2.95  last 2.95"), "\(rows)")
    #expect(rows.has("● load5  min 0.00  avg 0.74  max 1.48  last 1.48"), "\(rows)")
    #expect(rows.contains { $0.hasPrefix(" 3┤") }, "\(rows)")
    #expect(rows.last == "q quit  space pause  +/- window")
  }

  @Test func unitsHavePanelsOfTheirOwn() throws {
    var device = PublishedDevice("pi-7")
    for second in 0..<30 {
      device.add(
        "cyclic-file-read", "process/42", kind: "process", at: Self.start + Double(second),
        """
        "pid":42,"name":"mosquitto","cpu_ratio":0.25,"memory_resident_bytes":\(8 << 20)
        """)
      device.add(
        "cyclic-file-read", "process/43", kind: "process", at: Self.start + Double(second),
        "\"pid\":43,\"name\":\"other\",\"cpu_ratio\":1,\"memory_resident_bytes\":1")
    }
    for process in ["mosquitto", "42", "mosq*"] {
      let rows = try rows(device, fields: [], process: [process], edge: Self.start + 29, width: 110)
      #expect(rows.has("● mosquitto (42) cpu_ratio  min 25.0%  avg 25.0%"), "\(rows)")
      #expect(rows.has("● mosquitto (42) memory_resident_bytes  min 8.00 MiB"), "\(rows)")
      #expect(!rows.has("other"), "\(rows)")
      #expect(rows.contains { $0.contains("MiB┤") }, "\(rows)")
      #expect(rows.contains { $0.contains("%┤") }, "\(rows)")
    }
  }

  @Test func processesOfADLTTargetAreDrawnToo() throws {
    var device = PublishedDevice("gateway")
    for second in 0..<30 {
      device.add(
        "dlt-proc-watch", "TGT1/process/mco-audioApp", kind: "process_load",
        at: Self.start + Double(second),
        """
        "ecu":"TGT1","process":"mco-audioApp","comm":"mco-audioApp","pid":30154,\
        "cpu_ratio":0.295,"memory_resident_bytes":22097920
        """)
    }
    let rows = try rows(device, fields: [], process: ["mco-audioApp"], edge: Self.start + 29)
    #expect(rows.has("cpu_ratio"), "\(rows)")
    #expect(rows.has("last 29.5%"), "\(rows)")
    #expect(rows.has("last 21.1 MiB"), "\(rows)")
  }

  @Test func cpuTimesAreSharesOfAllCPUTime() throws {
    var device = PublishedDevice("pi-7")
    for second in 0..<30 {
      let time = Double(second)
      // Four CPUs: each second 1 s of user, 3 s of idle time.
      device.add(
        "cyclic-file-read", "cpu/total", kind: "cpu_times", at: Self.start + time,
        """
        "cpu":"total","user_seconds":\(time),"nice_seconds":0,"system_seconds":0,\
        "idle_seconds":\(time * 3),"iowait_seconds":0,"interrupt_seconds":0,\
        "soft_interrupt_seconds":0,"guest_seconds":\(time)
        """)
    }
    let rows = try rows(device, fields: ["user_seconds"], edge: Self.start + 29)
    #expect(rows.has("● user_seconds  min 25.0%  avg 25.0%  max 25.0%  last 25.0%"), "\(rows)")
  }

  @Test func aGapARestartAndEventsAreMarked() throws {
    var device = loads(Array(repeating: 1, count: 20))
    device.lose("cyclic-sysinfo", 10)
    device.restart()
    for second in 30..<60 {
      device.add(
        "cyclic-sysinfo", kind: "system_information", at: Self.start + Double(second), "\"load1\":1"
      )
    }
    device.add(
      "inotify-coredump", "dump/player", kind: "core_dump", at: Self.start + 45,
      "\"comm\":\"pl\\u001bayer\",\"signal_name\":\"SIGSEGV\"")
    device.add(
      "dbus-systemd-signals", "unit/ssh.service", kind: "unit_state", at: Self.start + 50,
      "\"unit\":\"ssh.service\",\"active_state\":\"failed\",\"result\":\"exit-code\"")
    let rows = try rows(device, fields: ["load1"], edge: Self.start + 59, height: 28)
    let lane = try #require(rows.first { $0.contains("└") })
    let left = try #require(lane.firstIndex(of: "└"))
    let restart = try #require(lane.firstIndex(of: "↻"))
    // 30 s of 60 are behind it.
    let share =
      Double(lane.distance(from: left, to: restart))
      / Double(lane.distance(from: left, to: lane.endIndex))
    #expect(abs(share - 0.5) < 0.03, "\(lane)")
    #expect(lane.filter { $0 == "✖" }.count == 2, "\(lane)")
    #expect(rows.has("cyclic-sysinfo was started again"), "\(rows)")
    #expect(rows.has("pl\\u{1b}ayer dumped core, SIGSEGV"), "\(rows)")
    #expect(rows.has("ssh.service failed: exit-code"), "\(rows)")
    // The line: 20 s, nothing, 30 s. One row of braille holds it.
    let line = try #require(
      rows.first {
        $0.contains("⠒⠒") || $0.contains("⠤⠤") || $0.contains("⠉⠉") || $0.contains("⣀⣀")
      })
    let gap = try #require(line.firstMatch(of: #/[\u{2801}-\u{28FF}]( +)[\u{2801}-\u{28FF}]/#))
    #expect((10...15).contains(gap.output.1.count), "\(line)")
  }

  @Test func recordsThatComeTwiceCountOnce() throws {
    let device = loads([1, 2, 3])
    var model = PlotModel(try PlotSelection(fields: ["load1"]))
    for _ in 0..<2 { for record in try device.records() { model.take(record) } }
    #expect(model.lines[0].series.points.count == 3)
    #expect(model.duplicateCount == 3)
  }

  @Test func withoutColorLinesHaveLetters() throws {
    let terminal = TerminalKind(environment: ["TERM": "linux", "NO_COLOR": "1"], codeset: "UTF-8")
    let rows = try rows(
      loads((0..<60).map { Double($0) / 20 }), fields: ["load1", "load5"], edge: Self.start + 59,
      terminal: terminal)
    #expect(rows.has(" a load1"), "\(rows)")
    #expect(rows.has(" b load5"), "\(rows)")
    #expect(rows.dropLast(6).contains { $0.hasSuffix("a") }, "\(rows)")
    #expect(rows.joined().unicodeScalars.allSatisfy { $0.isASCII })
  }

  @Test func anySizeIsDrawnOrSaidToBeTooSmall() throws {
    let device = loads(Array(repeating: 1, count: 20))
    var model = PlotModel(try PlotSelection(fields: ["load*"]))
    for record in try device.records() { model.take(record) }
    let view = PlotView(windowSeconds: 60, edge: Self.start + 19, title: "load*")
    for width in [1, 2, 10, 29, 30, 31, 200] {
      for height in [1, 2, 6, 7, 8, 12, 100] {
        let picture = PlotScreen.draw(model, view, width: width, height: height, Self.terminal)
        #expect(picture.width == width && picture.height == height)
        let isDrawn = picture.rows.joined().contains { $0.character == "└" }
        #expect(isDrawn == (width >= 30 && height >= 7), "\(width)x\(height)")
      }
    }
  }

  @Test func nothingThatADeviceSendsEndsThePlot() throws {
    let extremes = [
      "0", "-1", "18446744073709551615", "1e308", "-1e308", "1e999", "5e-324", "true", "null", "[]",
      "{}", "\"x\"",
    ]
    var model = PlotModel(
      try PlotSelection(fields: ["*", "pid", "cpu_ratio"], processes: ["*"]))
    var taken = 0
    for kind in RecordKind.allCases.map({ "\($0.name)" }) + ["unknown_kind"] {
      for (number, value) in extremes.enumerated() {
        let fields = FieldCatalog.entries.filter { "\($0.kind.name)" == kind }
          .map { ",\"\($0.name)\":\(value)" }.joined()
        for sequence in ["0", "18446744073709551615", "7", "9223372036854775808"] {
          for time in ["-9223372036", "0", "9223372036", "1795229000.5"] {
            let payload = """
              {"v":1,"kind":"\(kind)","time":\(time),"boot_id":"b\(number % 3)",\
              "instance":\(number % 2 == 0 ? "18446744073709551615" : "0"),"seq":\(sequence),\
              "dropped":0,"clock_synced":true\(fields)}
              """
            let message = stats_recording.Message(
              topic: "stats/d/p\(number % 4)/place/\(kind)", payload: Array(payload.utf8))
            guard case .records(let records) = MessageContent(message, prefix: "stats") else {
              continue
            }
            for record in records { model.take(record) }
            taken += records.count
          }
        }
        if number % 4 == 0, kind != "unknown_kind" { continue }
        let view = PlotView(windowSeconds: 60, edge: Self.start)
        _ = PlotScreen.draw(model, view, width: 80, height: 200, Self.terminal)
      }
    }
    #expect(taken > 1000)
    #expect(model.lines.count == PlotModel.lineCapacity || model.leftOutCount == 0)
  }

  @Test func namesSayWhatTellsThemApart() throws {
    func names(_ paths: String...) throws -> [String] {
      LineName.short(
        try paths.map { path in
          let field = try #require(path.split(separator: "/").last)
          let topic = path.dropLast(field.count + 1)
          return LineName(
            try #require(RecordTopic("stats/\(topic)", prefix: "stats")), field: String(field))
        })
    }
    #expect(try names("a/cyclic-sysinfo/load1") == ["load1"])
    #expect(
      try names("a/cyclic-file-read/thermal/0/t", "a/cyclic-file-read/thermal/1/t")
        == ["thermal/0 t", "thermal/1 t"])
    #expect(try names("a/cyclic-sysinfo/x", "b/cyclic-sysinfo/x") == ["a x", "b x"])
    #expect(
      try names("a/cyclic-sysinfo/x", "a/cyclic-file-read/x")
        == ["cyclic-sysinfo x", "cyclic-file-read x"])
  }
}

struct PlotSelectionTests {
  private func mistake(_ field: String) -> String? {
    do throws(PlotSelection.Mistake) {
      _ = try PlotSelection(fields: [field])
      return nil
    } catch { return error.description }
  }

  @Test func aWrongNameListsNearOnes() {
    #expect(mistake("laod1")?.hasPrefix("no field is called laod1; near are load1") == true)
    #expect(mistake("temperature")?.contains("temperature_celsius") == true)
    #expect(mistake("active_state") == "active_state is no number; watch shows it")
    #expect(
      mistake("epoll-psi/*/load1") == "epoll-psi/*/load1: the field load1 comes from cyclic-sysinfo"
    )
    #expect(mistake("load*") == nil)
    #expect(mistake("cyclic-file-read/*/temperature_celsius") == nil)
  }

  @Test func onlyProgramsThatHaveTheFieldAreAskedFor() throws {
    let load = try PlotSelection(fields: ["load1"])
    #expect(load.programs(events: false) == ["cyclic-sysinfo"])
    #expect(
      load.programs(events: true) == [
        "cyclic-sysinfo", "inotify-coredump", "inotify-pacct", "epoll-psi", "dbus-systemd-signals",
        "dlt-proc-watch", "trace-consumer",
      ])
    let process = try PlotSelection(fields: [], processes: ["x"])
    #expect(process.programs(events: false) == ["cyclic-file-read", "dlt-proc-watch"])
  }
}
