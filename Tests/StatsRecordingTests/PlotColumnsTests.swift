import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

/// What a plot prints where there is no terminal.
struct PlotColumnsTests {
  private func cells(_ line: String) -> [String] {
    line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
  }

  @Test(.needs(command: "mosquitto")) func aRealDeviceIsRowsOfColumns() throws {
    let rig = try Rig()
    let bridge = try rig.bridge()
    let plot = try rig.tool("plot", "--count", "4", "load*", "process_count")
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "100ms"])
    #expect(try plot.wait() == 0)
    let rows = plot.output.map(cells)
    #expect(rows.count == 5)
    #expect(
      rows.first
        == ["time"]
        + ["load1", "load5", "load15", "process_count"].map {
          "\(rig.name)/cyclic-sysinfo/\($0)"
        })
    #expect(rows.dropFirst().allSatisfy { $0.count == 5 && $0.allSatisfy { Double($0) != nil } })
    let times = rows.dropFirst().compactMap { Double($0[0]) }
    #expect(abs((times.first ?? 0) - Date().timeIntervalSince1970) < 60)
    #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 > 0.05 && $1 - $0 < 5 })
    try collector.stop()
    try bridge.stop()
  }

  @Test func countersAreRatesAndGaugesKeepTheirDigits() throws {
    var device = PublishedDevice("pi-7")
    for second in 0..<3 {
      device.add(
        "cyclic-file-read", "network/eth0", kind: "network_interface", at: 100 + Double(second) * 2,
        "\"interface\":\"eth0\",\"receive_bytes\":\(second * 3000),\"state\":\"up\"")
      device.add(
        "cyclic-file-read", "thermal/0", kind: "thermal_zone", at: 100.5 + Double(second) * 2,
        "\"zone\":0,\"temperature_celsius\":4\(second).250")
    }
    var columns = PlotColumns(
      PlotModel(try PlotSelection(fields: ["receive_bytes", "temperature_celsius"])))
    var lines: [String] = []
    for record in try device.records() {
      let output = columns.take(record, now: 0)
      lines += [output.header].compactMap(\.self) + output.rows
    }
    #expect(
      lines.map(cells) == [
        [
          "time", "pi-7/cyclic-file-read/network/eth0/receive_bytes_per_second",
          "pi-7/cyclic-file-read/thermal/0/temperature_celsius",
        ],
        ["100.500000", "", "40.250"], ["102.000000", "1500", ""], ["102.500000", "", "41.250"],
        ["104.000000", "1500", ""], ["104.500000", "", "42.250"],
      ])
  }

  @Test func aLineThatComesLaterGetsAColumnAtTheEnd() throws {
    var columns = PlotColumns(PlotModel(try PlotSelection(fields: ["load1"])))
    var lines: [String] = []
    for name in ["a", "a", "b", "a"] {
      var device = PublishedDevice(name)
      device.lose("cyclic-sysinfo", UInt64(lines.count))
      device.add(
        "cyclic-sysinfo", kind: "system_information", at: Double(lines.count), "\"load1\":1")
      for record in try device.records() {
        let output = columns.take(record, now: Double(lines.count))
        lines += [output.header].compactMap(\.self) + output.rows
      }
      if lines.isEmpty { lines += [] + columns.settle().rows }
    }
    #expect(
      lines.filter { $0.hasPrefix("time") }.map { cells($0).count } == [2, 3]
        || lines.filter { $0.hasPrefix("time") }.map { cells($0).count } == [3])
  }

  @Test(.needs(command: "mosquitto")) func aTimeEndsItAndAClosedPipeToo() throws {
    let rig = try Rig()
    let bridge = try rig.bridge()
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "50ms"])
    let tool = "\(try Rig.toolPath())"
    let options = "--host 127.0.0.1 --port \(try rig.broker().port)"
    let timed = try rig.run(["/bin/sh", "-c", "\(tool) plot load1 --for 1s \(options)"])
    #expect(timed.status == 0)
    #expect(timed.output.count > 5, "\(timed)")
    #expect(timed.log == [])
    let piped = try rig.run([
      "/bin/bash", "-c", "\(tool) plot load1 \(options) | head -3; echo ${PIPESTATUS[@]}",
    ])
    #expect(piped.output.count == 4, "\(piped)")
    #expect(piped.output.last == "141 0", "\(piped)")
    #expect(piped.log == [], "\(piped)")
    try collector.stop()
    try bridge.stop()
  }

  @Test(.needs(command: "mosquitto")) func anInterruptPrintsWhatWaitsAndSaysWhatIsMissing() throws {
    let rig = try Rig()
    let plot = try rig.tool("plot", "load1")
    var device = PublishedDevice("pi-7")
    device.add("cyclic-sysinfo", kind: "system_information", at: 1, "\"load1\":1.50")
    // Until it has subscribed nothing of it is heard.
    let witness = PublishedDevice("witness")
    _ = witness
    try DeviceRig.eventually("it has settled on the first rows") {
      var copy = device
      copy.lose("cyclic-sysinfo", 0)
      try copy.publish(to: rig.broker().port)
      return !plot.output.isEmpty
    }
    device.lose("cyclic-sysinfo", 3)
    device.add("cyclic-sysinfo", kind: "system_information", at: 5, "\"load1\":2")
    try device.publish(to: rig.broker().port)
    try DeviceRig.eventually("the second row") { plot.output.count >= 3 }
    plot.send(SIGINT)
    #expect(try plot.wait() == -SIGINT)
    #expect(plot.output.last == "5.000000\t2")
    #expect(plot.log == ["stats-recording: 3 records are missing"])
  }

  @Test func mistakesAreOneLineThatSaysHowToMendThem() throws {
    let rig = try Rig()
    let tool = try Rig.toolPath()
    for (arguments, expected) in [
      (["laod1"], "no field is called laod1; near are load1"),
      ([], "name a field, such as load1, or --process NAME"),
      (["load1", "--window", "5"], "The value '5' is invalid for '--window <time>'"),
      (["load1", "--min", "3", "--max", "2"], "--min 3.0 is not below --max 2.0"),
      (
        ["--process", "x", "--max", "2"],
        "--min and --max are for one unit, and these fields have bytes, ratio"
      ),
      (["load1", "--device", "a/b"], "--device a/b: a level of a topic"),
      (["load1", "--count", "0"], "--count 0: 1 or more"),
    ] {
      let result = try rig.run([tool, "plot"] + arguments)
      #expect(result.status == 64, "\(arguments)")
      #expect(result.log.first?.contains(expected) == true, "\(arguments): \(result.log)")
      #expect(result.output == [])
    }
  }
}
