import Foundation
import Testing

/// trace-consumer as it is built for a device: its way to the broker, what it needs, what it costs.
@Suite(.needsRoot, .needsTracing)
struct TraceConsumerTests {
  let rig: Rig
  let name = Machine.uniqueName()

  init() throws { rig = try Rig() }

  private func trace(
    _ options: String..., environment: [String: String] = [:]
  ) throws -> ChildProcess {
    try rig.program(
      "trace-consumer", ["--folder", Tracing.folder] + options, environment: environment)
  }

  /// Starts a program of the test's own name so often.
  private func exec(_ count: Int) throws {
    let result = try rig.run(
      [
        "/bin/sh", "-c",
        "cd \(rig.folder.path()) && cp /bin/true \(name) && for n in $(seq \(count)); do ./\(name); done",
      ], within: 60)
    #expect(result.status == 0, "\(result.log)")
  }

  private func members(_ messages: [Message]) -> [TracedMembers] {
    messages.map { TracedMembers(all: $0.members) }
  }

  // MARK: To the broker

  /// Nobody takes anything from the queue while a hundred times its size is told.
  @Test(.needs(command: "mosquitto")) func aFullQueueLosesNothing() throws {
    let socket = NotifySocket(in: rig.folder)
    let trace = try trace(
      "--programs", "execs, run-queue-latency", "--interval", "50ms",
      environment: socket.environment)
    try eventually("it is ready") { socket.messages.contains { $0.hasPrefix("READY=1") } }
    try exec(700)
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    func told() -> [TracedMembers] {
      members(subscriber.messages(of: "/event/execs/started")).filter { $0.text("comm") == name }
    }
    try eventually("all arrive", within: 30) { told().count >= 700 }
    #expect(try trace.stop() == 0)
    try eventually("it has stopped") {
      subscriber.messages(of: "/trace-consumer/state").last?.text("state") == "stopped"
    }
    #expect(told().count == 700)
    let values = members(subscriber.messages(of: "/trace-consumer/value/execs/execs/\(name)"))
    #expect(values.sum("execs", name) == 700)
    let all = subscriber.messages.filter { $0.topic.contains("/trace-consumer/") }
    try expectNothingIsMissing(all)
    #expect(all.allSatisfy { !$0.topic.contains("/loss/") })
    let waits = subscriber.messages(
      of: "/trace-consumer/histogram/run-queue-latency/microseconds/_")
    #expect(!waits.isEmpty)
    #expect(members(waits).histogram("microseconds").values.reduce(0, +) > 700)
    #expect(
      subscriber.messages(of: "/trace-consumer/state").map { $0.text("state") }
        == ["running", "stopped"])
    try bridge.stop()
  }

  /// Records that the bridge does not take in time find no room in 64 KiB of the kernel.
  @Test(.needs(command: "mosquitto")) func whatFindsNoRoomIsCountedExactly() throws {
    let socket = NotifySocket(in: rig.folder)
    let trace = try trace(
      "--programs", "execs", "--interval", "50ms", environment: socket.environment)
    try eventually("it is ready") { socket.messages.contains { $0.hasPrefix("READY=1") } }
    try exec(3000)
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    try eventually("it tells of a loss", within: 30) {
      !subscriber.messages(of: "/trace-consumer/loss/execs").isEmpty
    }
    #expect(try trace.stop() == 0)
    try eventually("it has stopped") {
      subscriber.messages(of: "/trace-consumer/state").last?.text("state") == "stopped"
    }
    let lost = members(subscriber.messages(of: "/loss/execs")).compactMap {
      $0.integer("lost_count")
    }
    let events = subscriber.messages(of: "/event/execs/started")
    let counted = members(subscriber.messages.filter { $0.topic.contains("/value/execs/execs/") })
      .compactMap { $0.integer("value") }.reduce(0, +)
    // All that were started on this machine meanwhile, ours among them.
    #expect(counted >= 3000)
    #expect(lost.reduce(0, +) > 0)
    #expect(events.count + lost.reduce(0, +) == counted, "\(trace.log)")
    #expect(
      members(subscriber.messages(of: "/value/execs/execs/\(name)")).sum("execs", name) == 3000)
    try bridge.stop()
  }

  /// More than its queue holds is left when it is told to stop.
  @Test(.needs(command: "mosquitto")) func atItsEndItWaitsForASlowBridge() throws {
    let socket = NotifySocket(in: rig.folder)
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let trace = try trace(
      "--programs", "execs", "--interval", "1min", environment: socket.environment)
    try eventually("it is ready") { socket.messages.contains { $0.hasPrefix("READY=1") } }
    bridge.send(SIGSTOP)
    try exec(500)
    trace.send(SIGTERM)
    bridge.send(SIGCONT)
    #expect(try trace.wait(within: 30) == 0)
    try eventually("it has stopped") {
      subscriber.messages(of: "/trace-consumer/state").last?.text("state") == "stopped"
    }
    let told = members(subscriber.messages(of: "/event/execs/started"))
    #expect(told.count { $0.text("comm") == name } == 500)
    #expect(
      members(subscriber.messages(of: "/value/execs/execs/\(name)")).sum("execs", name) == 500)
    try expectNothingIsMissing(subscriber.messages.filter { $0.topic.contains("/trace-consumer/") })
    try bridge.stop()
  }

  @Test func whatNobodyTakesAtItsEndIsCounted() throws {
    let socket = NotifySocket(in: rig.folder)
    let trace = try trace(
      "--programs", "execs", "--interval", "1min", environment: socket.environment)
    try eventually("it is ready") { socket.messages.contains { $0.hasPrefix("READY=1") } }
    try exec(500)
    #expect(try trace.stop(within: 30) == 0)
    let dropped = trace.log.compactMap {
      $0.firstMatch(of: /the queue is full at the end: the last (\d+) records are not told/)?.1
    }
    // All but what the queue holds, and what else was started on this machine.
    #expect(try #require(dropped.first.flatMap { Int($0) }) > 500 - 64)
  }

  // MARK: What it needs

  private func refusal(_ options: String..., wrapper: [String] = []) throws -> (
    status: Int32, log: [String]
  ) {
    let result = try rig.run(
      wrapper + Rig.command("trace-consumer", on: .amd64)
        + [
          "--config", "/dev/null", "--queue-prefix", rig.queuePrefix, "--folder", Tracing.folder,
        ] + options)
    return (result.status, Self.errors(result.log))
  }

  /// Without what is said of the machine's limit of queues.
  private static func errors(_ log: [String]) -> [String] {
    log.filter { !$0.contains(": warning: the queue holds ") }
  }

  @Test func whatIsMissingIsOneLineThatSaysHowToMendIt() throws {
    let setpriv = try #require(Machine.command("setpriv"))
    let unshare = try #require(Machine.command("unshare"))
    let without = try refusal(
      "--programs", "execs", wrapper: [setpriv, "--bounding-set", "-all", "--no-new-privs"])
    #expect(without.status == 69)
    #expect(without.log.count == 1 && without.log[0].contains("give CAP_BPF and CAP_PERFMON"))
    let noTracefs = try refusal(
      "--programs", "execs",
      wrapper: [
        unshare, "--mount", "/bin/sh", "-c",
        "mount -t tmpfs none /sys/kernel/tracing && mount -t tmpfs none /sys/kernel/debug && exec \"$@\"",
        "sh",
      ])
    #expect(noTracefs.status == 69)
    #expect(
      noTracefs.log.count == 1 && noTracefs.log[0].contains("mount -t tracefs"), "\(noTracefs.log)")
    let unknown = try refusal("--programs", "exec")
    #expect(unknown.status == 69)
    #expect(unknown.log.count == 1 && unknown.log[0].contains("there is no program exec"))
    let none = try refusal("--programs", ",")
    #expect(none.status == 2)
    #expect(none.log.count == 1 && none.log[0].contains("name at least one"))
  }

  /// As on a kernel that has a field of a tracepoint elsewhere, or does not have it.
  @Test(arguments: [
    ("pid=36:4", "pid=40:4", "pid", "at byte 40, of 4 bytes", "has it at byte 36, of 4 bytes"),
    ("sig=8:4", "number=8:4", "number", "at byte 8, of 4 bytes", "does not have it"),
  ])
  func aProgramForAnotherKernelIsRefused(
    _ place: String, _ other: String, _ field: String, _ wanted: String, _ found: String
  ) throws {
    let stem = rig.folder.appending(path: "exits").path()
    let manifest = try String(
      contentsOfFile: Tracing.folder + "/exits-by-signal.manifest", encoding: .utf8)
    try manifest.replacing(place, with: other, maxReplacements: 1).write(
      toFile: stem + ".manifest", atomically: true, encoding: .utf8)
    try FileManager.default.copyItem(
      atPath: Tracing.folder + "/exits-by-signal.bpf.o", toPath: stem + ".bpf.o")
    let result = try refusal("--programs", stem + ".manifest")
    #expect(result.status == 69)
    #expect(
      result.log.first
        == "trace-consumer: error: \(stem).bpf.o reads \(field) of signal/signal_generate \(wanted); "
        + "this kernel \(found): compile it for this kernel")
  }

  @Test func anObjectThatDoesNotFitItsManifestIsRefused() throws {
    let object = rig.folder.appending(path: "x.bpf.o")
    try FileManager.default.copyItem(
      at: URL(filePath: Tracing.folder).appending(path: "execs.bpf.o"), to: object)
    let manifest = rig.folder.appending(path: "x.manifest")
    for (text, words) in [
      ("aggregate execs count pid:u32", "map execs has keys of 16 bytes in it, of 4"),
      ("aggregate nothing count", "map nothing is not in it"),
      ("record execs x:u8", "map execs is no ring buffer in it"),
      ("aggregate execs quantize 4 comm:text16", "values of 8 bytes in it, of 32"),
      ("nonsense", "x.manifest:1:1: aggregate, record, event, lost or tracepoint is missing"),
    ] {
      try text.write(to: manifest, atomically: true, encoding: .utf8)
      let result = try refusal("--programs", manifest.path())
      #expect(result.status == 69)
      #expect(result.log.count == 1 && result.log[0].contains(words), "\(result.log)")
    }
    try "no ELF".write(to: object, atomically: true, encoding: .utf8)
    try "aggregate execs count comm:text16".write(
      to: manifest, atomically: true, encoding: .utf8)
    let broken = try refusal("--programs", manifest.path())
    #expect(broken.status == 69)
    #expect(broken.log.count == 1 && broken.log[0].contains("x.bpf.o: open: "), "\(broken.log)")
  }

  @Test(.needs(command: "mosquitto"))
  func aProgramThatCannotRunDoesNotStopTheOthers() throws {
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let trace = try trace("--programs", "nothing, execs", "--interval", "50ms")
    let state = { subscriber.messages(of: "/trace-consumer/state").last }
    try eventually("it runs") { state()?.text("state") == "running" }
    #expect(state()?.text("reason")?.hasPrefix("there is no program nothing: no file ") == true)
    try exec(3)
    try eventually("the other one tells") {
      members(subscriber.messages(of: "/value/execs/execs/\(name)")).sum("execs", name) == 3
    }
    #expect(try trace.stop() == 0)
    #expect(Self.errors(trace.log).count == 1, "\(trace.log)")

    let none = try self.trace("--programs", "nothing")
    #expect(try none.wait() == 69)
    try eventually("the bridge knows") { state()?.text("state") == "unavailable" }
    try bridge.stop()
  }

  /// As its unit has them, and no other.
  @Test func twoCapabilitiesAreEnoughForEveryProgram() throws {
    let setpriv = try #require(Machine.command("setpriv"))
    let all = try FileManager.default.contentsOfDirectory(atPath: Tracing.folder)
      .filter { $0.hasSuffix(".manifest") }.map { String($0.dropLast(9)) }.sorted()
    #expect(all.count == 8)
    let trace = try PrintedTrace(
      rig, all.joined(separator: ","),
      wrapper: [setpriv, "--bounding-set", "-all,+bpf,+perfmon", "--no-new-privs"])
    let status = try String(contentsOfFile: "/proc/\(trace.process.id)/status", encoding: .utf8)
    // CAP_PERFMON is 38 and CAP_BPF 39.
    #expect(status.contains("CapEff:\t000000c000000000\n"))
    try exec(5)
    let records = try trace.records()
    #expect(trace.process.log == [])
    #expect(records.sum("execs", name) == 5)
    #expect(records.sum("calls", name) > 50)
  }

  @Test func theServiceManagerIsTold() throws {
    let socket = NotifySocket(in: rig.folder)
    try socket.expectService(
      trace("--programs", "oom-kills", "--interval", "1h", environment: socket.environment))
  }

  @Test func onceIsWhatCameInAnInterval() throws {
    let trace = try trace("--once", "--programs", "run-queue-latency", "--interval", "300ms")
    #expect(try trace.wait() == 0)
    let records = TracedMembers.all(trace.output)
    #expect(records.count == 1 && !records.histogram("microseconds").isEmpty)
    let interval = (records.first?.all["interval_seconds"] as? NSNumber)?.doubleValue ?? 0
    #expect((0.29...5).contains(interval))
    let nothing = try self.trace("--once", "--programs", "oom-kills", "--interval", "10ms")
    #expect(try nothing.wait() == 0)
    #expect(nothing.log == ["trace-consumer: nothing came within 10ms"])
  }

  // MARK: What it costs

  @Test(
    .serialized,
    arguments: [("", 3), ("block-io,execs,failed-opens,run-queue-latency,system-calls", 8)])
  func itStartsInFiftyMillisecondsAndTakesFourMegabytes(_ more: String, _ count: Int) throws {
    let socket = NotifySocket(in: rig.folder)
    let programs = "exits-by-signal,oom-kills,tcp-retransmissions,\(more)"
    var times: [Double] = []
    for _ in 0..<5 {
      let ready = socket.messages.count { $0.hasPrefix("READY=1") }
      let begin = ContinuousClock.now
      let trace = try trace(
        "--programs", programs, "--interval", "20ms", environment: socket.environment)
      // Asked more often than anything else here asks.
      while socket.messages.count(where: { $0.hasPrefix("READY=1") }) == ready {
        try #require(trace.isRunning && ContinuousClock.now - begin < .seconds(10))
        usleep(200)
      }
      times.append((ContinuousClock.now - begin) / .milliseconds(1))
      // It has slept before each reading.
      let before = try FaultRig.sleeps(of: trace)
      try eventually("it has read its maps ten times") {
        try FaultRig.sleeps(of: trace) >= before + 10
      }
      let resident = try FaultRig.memory(of: trace, "VmHWM")
      print(
        "trace-consumer with \(count) programs: ready after \(times.last ?? 0) ms, \(resident) KiB")
      #expect(resident <= 4096)
      #expect(try trace.stop() == 0)
    }
    // On an idle machine it is far less; here others run too.
    #expect(try #require(times.min()) < 1000)
  }
}
