import CLinux
import Foundation
import Testing

/// dlt-proc-watch against a real dlt-daemon and dlt-system, with processes whose load is known, and
/// dlt-receive beside it.
@Suite(
  .serialized, .needs(command: "dlt-daemon"), .needs(command: "dlt-system"),
  .needs(command: "dlt-receive"), .needs(command: "cc"))
struct ProcWatchTruthTests {
  /// Burns this part of one CPU, by its own CPU clock, in periods of 20 ms; where it may, before all
  /// others, so that it gets that part on a busy machine too.
  private static let burner = """
    #include <sched.h>
    #include <stdlib.h>
    #include <time.h>
    #include <unistd.h>
    static double now(clockid_t clock) {
      struct timespec t;
      clock_gettime(clock, &t);
      return t.tv_sec + t.tv_nsec * 1e-9;
    }
    int main(int argc, char **argv) {
      struct sched_param first = {1};
      if (sched_setscheduler(0, SCHED_RR, &first) < 0 && nice(-20) < 0) {}
      double share = atof(argv[1]), begin = now(CLOCK_MONOTONIC), used = 0;
      for (;;) {
        double due = (now(CLOCK_MONOTONIC) - begin) * share;
        while (used < due) used = now(CLOCK_PROCESS_CPUTIME_ID);
        struct timespec pause = {0, 5000000};
        nanosleep(&pause, 0);
      }
    }
    """

  @Test func theLoadOfAProcessIsWhatItBurns() throws {
    let rig = try Rig()
    let burner = try compile(rig)
    let small = try burn(rig, burner, 0.10)
    let system = try DLTSystem(in: rig.folder, watching: [rig.name])
    let receive = try ChildProcess(
      [try #require(Machine.command("dlt-receive")), "-a", "-p", "\(system.port)", "127.0.0.1"],
      name: "dlt-receive", in: rig.folder)
    let watch = try rig.program(
      "dlt-proc-watch",
      ["--port", "\(system.port)", "--print", "--process", rig.name, "--process", "nosuchproc"])
    let smallWitness = CPUWitness(small.id)
    try eventually("ten loads of 10 %", within: 40) {
      try smallWitness.read()
      return try loads(watch).count >= 11
    }
    try expect(loads(watch).dropFirst(), 0.10, rig.name, smallWitness)

    // The process comes again, and burns more.
    small.kill()
    try eventually("it does not run", within: 10) {
      try events(watch).contains { $0 == "\(rig.name) not_running" }
    }
    let large = try burn(rig, burner, 0.30)
    let largeWitness = CPUWitness(large.id)
    try eventually("ten loads of 30 %", within: 40) {
      try largeWitness.read()
      return try loads(watch).count { $0["pid"] as? Int == Int(large.id) } >= 11
    }
    let own = try loads(watch).filter { $0["pid"] as? Int == Int(large.id) }
    try expect(own.dropFirst(), 0.30, rig.name, largeWitness)
    #expect(
      try events(watch)
        == [
          "\(rig.name) started", "nosuchproc not_running", "\(rig.name) not_running",
          "\(rig.name) started",
        ]
        || events(watch).sorted()
          == [
            "nosuchproc not_running", "\(rig.name) not_running", "\(rig.name) started",
            "\(rig.name) started",
          ]
    )

    // Memory as the kernel tells it here: pages of /proc/[pid]/statm.
    let statm = try String(contentsOfFile: "/proc/\(large.id)/statm", encoding: .utf8)
      .split { " \n".contains($0) }.compactMap { Int($0) }
    let last = try #require(own.last)
    #expect(last["memory_virtual_bytes"] as? Int == statm[0] * Int(getpagesize()))
    let resident = try #require(last["memory_resident_bytes"] as? Int)
    #expect(abs(resident - statm[1] * Int(getpagesize())) < 512 * 1024)

    // The witness has seen the same lines.
    try eventually("dlt-receive has them too") {
      receive.output.count { $0.contains("stat \(large.id) (") } >= own.count
    }
    #expect(!watch.log.contains { $0.contains("warning") }, "\(watch.log)")
    #expect(try watch.stop() == 0)
  }

  /// The daemon keeps what nobody reads, and sends it all at once.
  @Test func theRingBufferOfTheDaemonIsReadWithItsOwnTimes() throws {
    let rig = try Rig()
    let process = try burn(rig, compile(rig), 0.20)
    let system = try DLTSystem(in: rig.folder, watching: [rig.name])
    let witness = CPUWitness(process.id)
    let started = Date()
    // The length of what the daemon shall keep, not a wait for something.
    try eventually("8 s have passed", within: 10) {
      try witness.read()
      return Date().timeIntervalSince(started) >= 8
    }
    let watch = try rig.program("dlt-proc-watch", ["--port", "\(system.port)", "--print"])
    try eventually("the burst is read", within: 3) { try loads(watch).count >= 5 }
    let burst = try loads(watch)
    let times = burst.compactMap { $0["time"] as? Double }
    #expect(times[4] - times[0] < 0.5)
    try expect(burst.dropFirst(), 0.20, rig.name, witness)
    #expect(try watch.stop() == 0)
  }

  @Test func aDaemonThatStartsAnewIsConnectedToAgain() throws {
    let rig = try Rig()
    let process = try burn(rig, compile(rig), 0.10)
    let system = try DLTSystem(in: rig.folder, watching: [rig.name])
    let watch = try rig.program("dlt-proc-watch", ["--port", "\(system.port)", "--print"])
    try eventually("it reads", within: 10) { try loads(watch).count >= 2 }
    let before = try loads(watch).count
    system.daemon.kill()
    try eventually("it notices") {
      watch.log.contains { $0.contains("closed the connection; trying again") }
    }
    try system.startDaemon()
    try eventually("it reads again", within: 30) { try loads(watch).count >= before + 3 }
    #expect(try loads(watch).allSatisfy { $0["pid"] as? Int == Int(process.id) })
    #expect(try watch.stop() == 0)
  }

  /// All the way: dlt-system, dlt-daemon, collector, queue, bridge, broker.
  @Test(.needs(command: "mosquitto"), .needs(command: "mosquitto_sub"))
  func theLoadAndTheStateReachTheBroker() throws {
    let rig = try Rig()
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let process = try burn(rig, compile(rig), 0.20)
    let system = try DLTSystem(in: rig.folder, watching: [rig.name])
    let watch = try rig.program("dlt-proc-watch", ["--port", "\(system.port)"])
    func loads() -> [Message] {
      subscriber.messages(of: "/dlt-proc-watch/TEST/process/\(rig.name)")
    }
    func status() -> Message? { subscriber.messages(of: "/status").last }
    try eventually("four loads", within: 30) { loads().count >= 4 }
    #expect(loads().allSatisfy { $0.integer("pid") == Int(process.id) })
    #expect(loads().allSatisfy { $0.text("kind") == "process_load" && !$0.isRetained })
    #expect(try abs(#require(loads().last?.number("cpu_ratio")) - 0.20) < 0.05)
    #expect(
      subscriber.messages(of: "/dlt-proc-watch/TEST/lifecycle/\(rig.name)").first?.text("event")
        == "started")
    #expect(status()?.text("dlt_proc_watch_state") == "running")

    system.daemon.kill()
    try eventually("it is unavailable") {
      status()?.text("dlt_proc_watch_state") == "unavailable"
    }
    let late = try rig.subscriber()
    try eventually("who comes later is told how to get it") {
      let reason = late.messages(of: "/status").last?.text("dlt_proc_watch_reason")
      return reason?.contains("127.0.0.1:\(system.port)") == true
    }
    #expect(late.messages(of: "/status").first?.isRetained == true)
    try system.startDaemon()
    let before = loads().count
    try eventually("loads again", within: 40) { loads().count >= before + 2 }
    try eventually("it is running") { status()?.text("dlt_proc_watch_state") == "running" }
    #expect(try watch.stop() == 0)
    #expect(try bridge.stop() == 0)
  }

  /// Holds the loads against what the process burns and against what the kernel counted meanwhile.
  private func expect(
    _ loads: some Collection<[String: Any]>, _ ratio: Double, _ name: String, _ witness: CPUWitness
  ) throws {
    var (cpu, time, counted, countedTime) = (0.0, 0.0, 0.0, 0.0)
    for load in loads {
      #expect(load["process"] as? String == name)
      #expect(load["pid"] as? Int == Int(witness.processID))
      let interval = try #require(load["interval_seconds"] as? Double)
      let read = try #require(load["cpu_ratio"] as? Double)
      cpu += read * interval
      time += interval
      let end = try #require(load["uptime_seconds"] as? Double)
      // The first one may have begun before the witness did.
      guard let truth = witness.cpuSeconds(from: end - interval, to: end) else { continue }
      counted += truth
      countedTime += interval
      // The counters of /proc/[pid]/stat are whole ticks of 10 ms, at both ends.
      #expect(abs(read * interval - truth) <= 0.02, "\(load), the kernel counted \(truth) s")
    }
    let (read, truth) = (cpu / time, counted / countedTime)
    print("\(name): burns \(ratio), the kernel counted \(truth), reads \(read) over \(time) s")
    #expect(countedTime > time / 2)
    #expect(abs(read - truth) <= 0.01, "\(read), the kernel counted \(truth)")
    #expect(abs(read - ratio) <= 0.02, "\(read) over \(time) s")
  }

  private func loads(_ watch: ChildProcess) throws -> [[String: Any]] {
    try watch.output.map(members).filter { $0["kind"] as? String == "process_load" }
  }

  private func events(_ watch: ChildProcess) throws -> [String] {
    try watch.output.map(members).filter { $0["kind"] as? String == "process_lifecycle" }
      .map { "\($0["process"] ?? "") \($0["event"] ?? "")" }
  }

  private func members(_ line: String) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
  }

  private func compile(_ rig: Rig) throws -> String {
    let source = rig.folder.appending(path: "burner.c").path()
    let program = rig.folder.appending(path: "burner").path()
    try Self.burner.write(toFile: source, atomically: true, encoding: .utf8)
    let result = try rig.run(
      [try #require(Machine.command("cc")), "-O1", "-o", program, source], within: 60)
    try #require(result.status == 0, "\(result.log)")
    return program
  }

  /// Its argv[0] is the rig's name, since dlt-system goes by that; so is its comm.
  private func burn(_ rig: Rig, _ burner: String, _ share: Double) throws -> ChildProcess {
    let shell = try #require(Machine.command("bash"))
    let link = rig.folder.appending(path: rig.name).path()
    try? FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: burner)
    return try ChildProcess(
      [shell, "-c", "exec -a \(rig.name) \(link) \(share)"], name: "burner", in: rig.folder)
  }
}

/// The CPU time that the kernel counts for a process of one thread, read again and again: the first
/// number of /proc/[pid]/schedstat, nanoseconds (sched-stats.rst of the kernel).
final class CPUWitness {
  let processID: pid_t
  /// In seconds of CLOCK_MONOTONIC, as the timestamps of dlt-system are.
  private var readings: [(time: Double, cpu: Double)] = []

  init(_ processID: pid_t) { self.processID = processID }

  func read() throws {
    let text = try String(contentsOfFile: "/proc/\(processID)/schedstat", encoding: .utf8)
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let nanoseconds = try #require(text.split(separator: " ").first.flatMap { Double($0) })
    readings.append((Double(now.tv_sec) + Double(now.tv_nsec) / 1e9, nanoseconds / 1e9))
  }

  /// How much it used between these two times; nil where it was not read at both.
  func cpuSeconds(from begin: Double, to end: Double) -> Double? {
    guard let first = cpu(at: begin), let last = cpu(at: end) else { return nil }
    return last - first
  }

  /// On the line between the readings around that time.
  private func cpu(at time: Double) -> Double? {
    guard let after = readings.firstIndex(where: { $0.time >= time }), after > 0 else { return nil }
    let (one, two) = (readings[after - 1], readings[after])
    return one.cpu + (two.cpu - one.cpu) * (time - one.time) / (two.time - one.time)
  }
}

/// A dlt-daemon on a port of its own, and a dlt-system that tells it of processes every second.
final class DLTSystem {
  private(set) var port = 0
  private(set) var daemon: ChildProcess
  private let system: ChildProcess
  private let folder: URL

  init(in folder: URL, watching names: [String]) throws {
    self.folder = folder
    let pipes = folder.appending(path: "dlt").path()
    try FileManager.default.createDirectory(atPath: pipes, withIntermediateDirectories: true)
    try """
    ECUId = TEST
    SharedMemorySize = 100000
    LoggingMode = 0
    LoggingLevel = 4
    TimeOutOnSend = 4
    RingbufferMinSize = 500000
    RingbufferMaxSize = 10000000
    RingbufferStepSize = 500000
    BindAddress = ::ffff:127.0.0.1;::1
    ControlSocketPath = \(folder.appending(path: "ctrl.sock").path())

    """.write(
      to: folder.appending(path: "dlt.conf"), atomically: true, encoding: .utf8)
    var lines = "ApplicationId = SYS\nLogProcessesEnable = 1\nLogProcessesContextId = PROC\n"
    for name in names + ["nosuchproc"] {
      for file in ["stat", "cmdline"] {
        lines += "LogProcessName = \(name)\nLogProcessFilename = \(file)\n"
        lines += "LogProcessMode = 2\nLogProcessTimeDelay = 0\n"
      }
    }
    let configuration = folder.appending(path: "dlt-system.conf")
    try lines.write(to: configuration, atomically: true, encoding: .utf8)
    port = Int.random(in: 20_000..<32_000)
    daemon = try Self.daemon(folder, port)
    system = try ChildProcess(
      [try #require(Machine.command("dlt-system")), "-c", configuration.path()],
      name: "dlt-system", in: folder, environment: ["DLT_PIPE_DIR": pipes])
  }

  func startDaemon() throws { daemon = try Self.daemon(folder, port) }

  private static func daemon(_ folder: URL, _ port: Int) throws -> ChildProcess {
    try ChildProcess(
      [
        try #require(Machine.command("dlt-daemon")), "-c",
        folder.appending(path: "dlt.conf").path(), "-t", folder.appending(path: "dlt").path(),
        "-p", "\(port)",
      ], name: "dlt-daemon", in: folder)
  }
}
