import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

/// The plot in a real terminal, of records that a real broker sends.
@Suite(.serialized) struct PlotTerminalTests {
  private func plot(_ rig: Rig, _ arguments: String) throws -> String {
    "exec \(try Rig.toolPath()) plot --host 127.0.0.1 --port \(try rig.broker().port) \(arguments)"
  }

  /// Ten minutes of a device, a while ago: a gap, a restart, a core dump, a failed unit.
  private func publishDay(_ rig: Rig, at start: Double = 1_795_229_000) throws {
    var device = PublishedDevice("pi-7")
    for step in 0..<120 {
      if step == 60 { device.restart() }
      if (30..<42).contains(step) {
        device.lose("cyclic-sysinfo")
        continue
      }
      let time = start + Double(step) * 2.5
      let load = 1 + 0.8 * sin(Double(step) / 9) + (step > 90 ? 1.2 : 0)
      device.add(
        "cyclic-sysinfo", kind: "system_information", at: time,
        "\"load1\":\(String(format: "%.2f", load)),\"load5\":\(String(format: "%.2f", 0.9 + load / 5))"
      )
    }
    device.add(
      "inotify-coredump", "dump/player", kind: "core_dump", at: start + 225,
      "\"comm\":\"player\",\"signal_name\":\"SIGSEGV\"")
    device.add(
      "dbus-systemd-signals", "unit/player.service", kind: "unit_state", at: start + 226,
      "\"unit\":\"player.service\",\"active_state\":\"failed\",\"result\":\"core-dump\"")
    device.add(
      "epoll-psi", "memory", kind: "pressure_stall", at: start + 262,
      "\"state\":\"onset\",\"resource\":\"memory\",\"scope\":\"some\",\"cgroup\":\"\"")
    try device.publish(to: rig.broker().port)
  }

  @Test(.needs(command: "tmux"), .needs(command: "mosquitto"))
  func recordsOfYesterdayAreDrawnInTheirOwnTime() throws {
    let rig = try Rig()
    let screen = try Screen(rig, plot(rig, "load1 load5"), width: 100, height: 30)
    _ = try screen.eventually("it waits") { $0.has("waiting for a record") }
    try publishDay(rig)
    var rows = try screen.eventually("both lines are there") {
      $0.has("● load1") && $0.has("● load5") && $0.has("memory stall")
    }
    #expect(rows[0].hasPrefix("load1  load5"))
    #expect(rows[0].hasSuffix("5min"))
    #expect(rows.has("02:45"))
    let lane = try #require(rows.first { $0.contains("└") })
    #expect(lane.contains("↻") && lane.contains("✖"), "\(lane)")
    #expect(rows.has("✖ 02:47:05 player dumped core, SIGSEGV"), "\(rows)")
    #expect(rows.has("✖ 02:47:06 player.service failed: core-dump"), "\(rows)")
    #expect(rows.has("↻ 02:45:50 cyclic-sysinfo was started again"), "\(rows)")
    #expect(rows.last?.contains("12 records missing") == true, "\(rows)")
    let dots = rows.joined().unicodeScalars.filter { 0x2801...0x28FF ~= $0.value }
    #expect(dots.count > 100)
    // Its own time goes on: what was drawn moves to the left.
    let before = try #require(
      rows.first { $0.contains("└") }?.firstIndex(of: "↻")?.utf16Offset(in: lane))
    rows = try screen.eventually("it scrolls", within: 20) { rows in
      guard let lane = rows.first(where: { $0.contains("└") }), let mark = lane.firstIndex(of: "↻")
      else { return false }
      return mark.utf16Offset(in: lane) < before
    }
    try save(rows, "plot.txt")
  }

  /// For README: written anew with STATS_UPDATE_SCREENS=1, otherwise only that it is there.
  private func save(_ rows: [String], _ name: String) throws {
    let file = Machine.packageRoot.appending(path: "Tests/StatsRecordingTests/Screens/\(name)")
    if ProcessInfo.processInfo.environment["STATS_UPDATE_SCREENS"] != nil {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try (rows.joined(separator: "\n") + "\n").write(to: file, atomically: true, encoding: .utf8)
    }
    let saved = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(
      String.init)
    let isFigure = { (row: String) in row.contains("●") || row.contains("✖") }
    #expect(
      saved.filter(isFigure) == rows.filter(isFigure), "STATS_UPDATE_SCREENS=1 writes it anew")
  }

  @Test(.needs(command: "tmux"), .needs(command: "mosquitto"))
  func aRealDeviceIsDrawnAsItGoes() throws {
    let rig = try Rig()
    let bridge = try rig.bridge()
    let screen = try Screen(rig, plot(rig, "'load*' --window 30s"))
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "100ms"])
    let rows = try screen.eventually("three lines with dots") { rows in
      rows.has("● load15") && rows.joined().unicodeScalars.contains { 0x2801...0x28FF ~= $0.value }
    }
    #expect(
      rows.contains {
        $0.wholeMatch(of: #/ ● load1 +min [\d.]+ +avg [\d.]+ +max [\d.]+ +last [\d.]+/#) != nil
      }, "\(rows)")
    #expect(!rows.has("missing"), "\(rows)")
    try collector.stop()
    try bridge.stop()
  }

  @Test(.needs(command: "tmux"), .needs(command: "mosquitto"))
  func spaceHoldsThePictureAndKeysChangeTheWindow() throws {
    let rig = try Rig()
    let screen = try Screen(rig, plot(rig, "load1 --window 1min"))
    _ = try screen.eventually("it waits") { $0.has("waiting for a record") }
    var device = PublishedDevice("pi-7")
    let start = 1_795_229_000.0
    for second in 0..<30 {
      device.add(
        "cyclic-sysinfo", kind: "system_information", at: start + Double(second), "\"load1\":1")
    }
    try device.publish(to: rig.broker().port)
    _ = try screen.eventually("the line is there") { $0.has("last 1.00") }
    try screen.press("Space")
    let held = try screen.eventually("it is paused") { $0[0].hasSuffix("PAUSED  1min") }
    device.add("cyclic-sysinfo", kind: "system_information", at: start + 45, "\"load1\":9")
    try device.publish(to: rig.broker().port)
    try screen.press("C-l")
    #expect(try screen.rows.dropLast() == held.dropLast())
    try screen.press("Space")
    _ = try screen.eventually("it goes on") { $0.has("last 9.00") && !$0.has("PAUSED") }
    try screen.press("-")
    _ = try screen.eventually("a wider window") { $0[0].hasSuffix(" 2min") }
    try screen.press("+", "+")
    _ = try screen.eventually("a narrower window") { $0[0].hasSuffix(" 30s") }
  }

  @Test(.needs(command: "tmux"), .needs(command: "mosquitto"))
  func anotherSizeIsDrawnAnew() throws {
    let rig = try Rig()
    let screen = try Screen(rig, plot(rig, "load1"), width: 100, height: 30)
    _ = try screen.eventually("it waits") { $0.has("waiting for a record") }
    var device = PublishedDevice("pi-7")
    for second in 0..<30 {
      device.add(
        "cyclic-sysinfo", kind: "system_information", at: 1_795_229_000 + Double(second),
        "\"load1\":1")
    }
    try device.publish(to: rig.broker().port)
    _ = try screen.eventually("the line is there") { $0.has("● load1") }
    for (width, height) in [(60, 16), (140, 45)] {
      try screen.resize(width, height)
      let rows = try screen.eventually("the state is in the last of \(height) rows") {
        $0.count == height && $0[height - 1].hasPrefix("q quit") && $0.has("└")
          && $0.first?.count == width
      }
      #expect(rows.filter { $0.hasPrefix("q quit") }.count == 1)
      #expect(rows.first { $0.contains("└") }?.count == width)
    }
    try screen.resize(20, 5)
    _ = try screen.eventually("too small") { $0.has("too small: 20x5") }
    try screen.resize(80, 24)
    _ = try screen.eventually("large enough") { $0.has("● load1") }
  }

  /// How a plot may end, and what its shell sees.
  enum End: String, CaseIterable {
    case key, interrupt, terminate, hangUp, quit, duration, crash

    var status: Int {
      switch self {
      case .key, .duration: 0
      case .interrupt: 128 + 2
      case .terminate: 128 + 15
      case .hangUp: 128 + 1
      case .quit: 128 + 3
      case .crash: 128 + 11
      }
    }
  }

  @Test(.needs(command: "tmux"), .needs(command: "mosquitto"), arguments: End.allCases)
  func theTerminalIsAsBeforeHoweverItEnds(_ end: End) throws {
    let rig = try Rig()
    let file = rig.folder.appending(path: "settings").path()
    let command = try plot(rig, "load1" + (end == .duration ? " --for 2s" : "")).replacing(
      "exec ", with: "")
    let screen = try Screen(
      rig,
      "ulimit -c 0; echo before; stty -g > \(file).1; \(command); echo after $?; stty -g > \(file).2; exec cat"
    )
    _ = try screen.eventually("it waits") { $0.has("waiting for a record") }
    #expect(try screen.state("alternate_on") == "1")
    #expect(try screen.state("cursor_flag") == "0")
    let shell = try screen.state("pane_pid")
    let child = try rig.run(["/usr/bin/pgrep", "-P", shell, "stats-recording"]).output.first ?? ""
    let id = try #require(pid_t(child), "\(child)")
    switch end {
    case .key: try screen.press("q")
    case .interrupt: try screen.press("C-c")
    case .terminate: kill(id, SIGTERM)
    case .hangUp: kill(id, SIGHUP)
    case .quit: kill(id, SIGQUIT)
    case .crash: kill(id, SIGSEGV)
    case .duration: break
    }
    let rows = try screen.eventually("the shell goes on") { $0.has("after") }
    #expect(rows[0] == "before")
    #expect(rows.has("after \(end.status)"), "\(rows)")
    #expect(try screen.state("alternate_on") == "0")
    #expect(try screen.state("cursor_flag") == "1")
    #expect(try screen.state("wrap_flag") == "1")
    try DeviceRig.eventually("stty has written") {
      (try? String(contentsOfFile: file + ".2", encoding: .utf8))?.hasSuffix("\n") == true
    }
    #expect(
      try String(contentsOfFile: file + ".1", encoding: .utf8)
        == String(contentsOfFile: file + ".2", encoding: .utf8))
  }

  @Test(.needs(command: "tmux"), .needs(command: "mosquitto"))
  func controlZStopsItAndItComesBack() throws {
    let rig = try Rig()
    let command = try plot(rig, "load1").replacing("exec ", with: "")
    let screen = try Screen(rig, "exec bash --norc -i")
    try screen.tmux("send-keys", "-l", "\(command)\n")
    _ = try screen.eventually("it waits") { $0.has("waiting for a record") }
    try screen.press("C-z")
    _ = try screen.eventually("the shell is there") { $0.has("Stopped") }
    #expect(try screen.state("alternate_on") == "0")
    #expect(try screen.state("cursor_flag") == "1")
    try screen.tmux("send-keys", "-l", "fg\n")
    _ = try screen.eventually("it is back") {
      $0.has("waiting for a record") && $0.last?.hasPrefix("q quit") == true
    }
    #expect(try screen.state("alternate_on") == "1")
    try screen.press("q")
    _ = try screen.eventually("the shell is there again") { $0.has("fg") }
  }

  @Test(.needs(command: "tmux"), .needs(command: "mosquitto"))
  func colorsAreThoseOfTheTerminal() throws {
    let rig = try Rig()
    let screens = try [
      ("", "\u{1B}[38;5;74m"), ("NO_COLOR=1", " a load1"),
      ("COLORTERM=truecolor", "\u{1B}[38;2;86;180;233m"),
    ].map { environment, expected in
      (try Screen(rig, "export A=b \(environment); \(plot(rig, "load1"))"), environment, expected)
    }
    for (screen, _, _) in screens {
      _ = try screen.eventually("it waits") { $0.has("waiting for a record") }
    }
    var device = PublishedDevice("pi-7")
    for second in 0..<30 {
      device.add(
        "cyclic-sysinfo", kind: "system_information", at: 1_795_229_000 + Double(second),
        "\"load1\":1")
    }
    try device.publish(to: rig.broker().port)
    for (screen, environment, expected) in screens {
      _ = try screen.eventually("the line is there") { $0.has("load1  min") }
      let rows = try screen.coloredRows
      // tmux gives 24 bits as the nearest of 256 colors unless it is told that they are there.
      #expect(
        rows.has(expected) || environment.hasPrefix("COLORTERM") && rows.has("\u{1B}[38;"),
        "\(environment): \(rows)")
      if environment == "NO_COLOR=1" { #expect(!rows.has("\u{1B}[38;"), "\(rows)") }
    }
  }

  @Test(.needs(command: "tmux"), .needs(command: "mosquitto"))
  func aBrokerThatGoesIsSaidAndOneThatComesBackToo() throws {
    let rig = try Rig()
    let screen = try Screen(rig, plot(rig, "load1"))
    _ = try screen.eventually("it waits") { $0.has("waiting for a record") }
    try rig.broker().kill()
    _ = try screen.eventually("it says so") { $0.last?.contains("trying again") == true }
    try rig.broker().start()
    _ = try screen.eventually("it is there again", within: 20) {
      $0.last?.hasPrefix("q quit") == true
    }
  }

  @Test(.needs(command: "tmux"), .needs(command: "mosquitto"))
  func aBrokerThatIsNotThereIsOneLineAndNoScreen() throws {
    let rig = try Rig()
    let command = try plot(rig, "load1").replacing("exec ", with: "")
    try rig.broker().kill()
    let screen = try Screen(rig, "\(command); echo after $?; exec cat")
    let rows = try screen.eventually("it ends") { $0.has("after 1") }
    #expect(rows.has("Error: connect to 127.0.0.1:"), "\(rows)")
    #expect(try screen.state("alternate_on") == "0")
  }
}
