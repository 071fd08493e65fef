import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

struct WatchTests {
  @Test(.needs(command: "mosquitto")) func recordsOfARealDeviceAreShownAsTheyCome() throws {
    let rig = try Rig()
    let bridge = try rig.bridge()
    let watch = try rig.tool("watch", "--count", "3", "load*")
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "100ms"])
    #expect(try watch.wait() == 0)
    #expect(watch.output.count == 3)
    for line in watch.output {
      #expect(
        line.wholeMatch(
          of:
            #/\d\d:\d\d:\d\d\.\d{3}  \w+  cyclic-sysinfo  load1=[\d.]+ load5=[\d.]+ load15=[\d.]+/#)
          != nil, "\(line)")
    }
    try collector.stop()
    try bridge.stop()
  }

  /// Of batches too, and of each form in which bridges publish, each with the topic that it has alone.
  @Test(.needs(command: "mosquitto"), arguments: ["json", "influx", "record"])
  func jsonIsOneLineForEachRecord(_ format: String) throws {
    let rig = try Rig()
    let bridge = try rig.bridge(
      "--payload", format, "--batch", "8", "--batch-time", "100ms", "--status-interval", "1h")
    let watch = try rig.tool("watch", "--json", "--program", "cyclic-file-read")
    let collector = try rig.program(
      "cyclic-file-read", ["--interval", "100ms", "--processes-interval", "off"])
    try DeviceRig.eventually("many lines", within: 20) { watch.output.count > 60 }
    try collector.stop()
    try bridge.stop()
    watch.send(SIGTERM)
    _ = try watch.wait()
    #expect(watch.log == [])
    let records = try watch.output.map { line in
      try #require(JSONValue(parsing: Array(line.utf8)).members, "\(line)")
    }
    #expect(
      records.allSatisfy {
        $0.first?.name == "topic" && $0.filter { $0.name == "topic" }.count == 1
      })
    let numbers = records.compactMap { $0["seq"]?.unsigned }
    let first = try #require(numbers.first)
    #expect(numbers == Array(first..<first + UInt64(records.count)))
    let start = "stats/\(rig.name)/cyclic-file-read/"
    for topic in ["cpu/total", "memory", "network/lo"] {
      #expect(records.contains { $0["topic"]?.text == start + topic }, "\(topic)")
    }
    #expect(records.allSatisfy { $0["kind"] != nil && $0["time"]?.nanoseconds != nil })
  }

  @Test(.needs(command: "mosquitto")) func aLineIsThereBeforeTheNextOneAlsoInAPipe() throws {
    let rig = try Rig()
    let bridge = try rig.bridge()
    // The retained status is all that comes; it must not wait in a buffer.
    let options = "--host 127.0.0.1 --port \(try rig.broker().port)"
    let pipe = try ChildProcess(
      [
        "/bin/sh", "-c",
        "exec 3>&1; { \(try Rig.toolPath()) watch \(options) & echo $! >&3; wait; } | cat",
      ],
      name: "pipe", in: rig.folder)
    try DeviceRig.eventually("the status comes through the pipe") {
      pipe.output.contains { $0.contains("status  state=online") }
    }
    let id = try #require(pipe.output.first.flatMap { pid_t($0) })
    kill(id, SIGTERM)
    _ = try pipe.wait()
    try bridge.stop()
  }

  @Test(.needs(command: "mosquitto")) func aReaderThatGoesEndsItAtOnceAndQuietly() throws {
    let rig = try Rig()
    let bridge = try rig.bridge()
    let options = "--host 127.0.0.1 --port \(try rig.broker().port)"
    // One line is all that comes: nothing more is written after `head` has gone.
    let piped = try rig.run([
      "/bin/bash", "-c",
      "\(try Rig.toolPath()) watch \(options) | head -1; echo ${PIPESTATUS[@]}",
    ])
    #expect(piped.output.count == 2, "\(piped)")
    #expect(piped.output.last == "141 0")
    #expect(piped.log == [])
    try bridge.stop()
  }

  @Test(.needs(command: "mosquitto"), arguments: [SIGINT, SIGTERM])
  func aSignalEndsItQuietly(_ number: Int32) throws {
    let rig = try Rig()
    let bridge = try rig.bridge()
    let watch = try rig.tool("watch")
    try DeviceRig.eventually("the status is there") { !watch.output.isEmpty }
    watch.send(number)
    #expect(try watch.wait() == -number)
    #expect(watch.log == [])
    try bridge.stop()
  }

  @Test(.needs(command: "mosquitto")) func jsonIsOneObjectOnALineWithItsTopic() throws {
    let rig = try Rig()
    let bridge = try rig.bridge()
    let watch = try rig.tool(
      "watch", "--count", "2", "--json", "--program", "cyclic-sysinfo", "load1")
    let subscriber = try rig.subscriber()
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "100ms"])
    #expect(try watch.wait() == 0)
    try DeviceRig.eventually("the witness has more of them") {
      subscriber.messages(of: "/cyclic-sysinfo").count >= watch.output.count + 3
    }
    // The messages' own bytes, behind the topic.
    let topic = "stats/\(rig.name)/cyclic-sysinfo"
    let witnessed = Set(
      subscriber.messages(of: "/cyclic-sysinfo").map {
        "{\"topic\":\"\(topic)\"," + $0.payload.dropFirst()
      })
    #expect(watch.output.count == 2)
    #expect(witnessed.isSuperset(of: watch.output), "\(watch.output), \(witnessed)")
    try collector.stop()
    try bridge.stop()
  }

  /// The lines that messages bring, each a second after the other.
  private func lines(_ device: PublishedDevice, _ arguments: String...) throws -> [String] {
    let command = try #require(try StatsRecording.parseAsRoot(["watch"] + arguments) as? Watch)
    var lines = WatchLines(command, prefix: "stats", color: .none)
    return device.messages.enumerated().flatMap { number, message in
      lines.take(message, now: Double(number)).map(\.text)
    }
  }

  @Test func whatIsMissingAndWhatBeganAnewStandsBetweenTheLines() throws {
    var device = PublishedDevice("pi-7")
    func load(_ device: inout PublishedDevice) {
      device.add("cyclic-sysinfo", kind: "system_information", at: 1, "\"load1\":1")
    }
    load(&device)
    device.lose("cyclic-sysinfo", 3)
    load(&device)
    load(&device)
    device.restart()
    load(&device)
    device.restart(bootID: "43908254-9d5e-4b0c-8f5c-000000000002")
    load(&device)
    let lines = try lines(device).map { $0.hasPrefix("--") ? $0 : "record" }
    #expect(
      lines == [
        "record", "record", "-- pi-7  cyclic-sysinfo: 3 records are missing", "record",
        "-- pi-7  cyclic-sysinfo was started again", "record", "-- pi-7 was started again",
        "record",
      ])
  }

  @Test func aRecordThatIsOnlyLateIsNotMissing() throws {
    var device = PublishedDevice("pi-7")
    for _ in 0..<4 {
      device.add("cyclic-sysinfo", kind: "system_information", at: 1, "\"load1\":1")
    }
    let command = try #require(try StatsRecording.parseAsRoot(["watch"]) as? Watch)
    var lines = WatchLines(command, prefix: "stats", color: .none)
    let texts = zip([0, 2, 1, 3], [0.0, 0.1, 0.2, 5]).flatMap { index, now in
      lines.take(device.messages[index], now: now).map(\.text)
    }
    #expect(texts.count == 4)
    #expect(!texts.contains { $0.hasPrefix("--") }, "\(texts)")
  }

  @Test func onlyEventsLeavesOutWhatIsASample() throws {
    var device = PublishedDevice("pi-7")
    device.add("cyclic-sysinfo", kind: "system_information", at: 1, "\"load1\":1")
    device.add(
      "inotify-pacct", kind: "process_exit", at: 1,
      "\"comm\":\"good\",\"exit_code\":0,\"signal\":0,\"killed_by_signal\":false")
    device.add(
      "inotify-pacct", kind: "process_exit", at: 1,
      "\"comm\":\"bad\",\"exit_code\":3,\"signal\":0,\"killed_by_signal\":false")
    device.add(
      "epoll-psi", "memory", kind: "pressure_stall", at: 1,
      "\"state\":\"ongoing\",\"resource\":\"memory\"")
    let shown = try lines(device, "--events")
    #expect(shown.count == 1)
    #expect(shown.first?.contains("comm=bad exit_code=3") == true)
  }

  @Test func namesFromOutsideDoNotSteerTheTerminal() throws {
    var device = PublishedDevice("pi-7")
    device.add(
      "inotify-coredump", "dump/x", kind: "core_dump", at: 1, "\"comm\":\"\\u001b]0;title\\u0007\"")
    let shown = try lines(device)
    #expect(shown.count == 1)
    #expect(shown.first?.contains("comm=\\u{1b}]0;title\\u{7}") == true, "\(shown)")
  }

  @Test(.needs(command: "tmux"), .needs(command: "mosquitto"))
  func onATerminalFailuresAreRed() throws {
    let rig = try Rig()
    let screen = try Screen(
      rig, "exec \(try Rig.toolPath()) watch --host 127.0.0.1 --port \(try rig.broker().port)",
      width: 150)
    var device = PublishedDevice("pi-7")
    device.add("inotify-coredump", "dump/x", kind: "core_dump", at: 1, "\"comm\":\"player\"")
    try DeviceRig.eventually("the core dump is shown") {
      try PublishedDevice.publish(device.messages, to: rig.broker().port)
      return try screen.rows.has("comm=player")
    }
    let rows = try screen.coloredRows
    #expect(rows.has("\u{1B}[1m\u{1B}[31minotify-coredump/dump/x"), "\(rows)")
  }
}
