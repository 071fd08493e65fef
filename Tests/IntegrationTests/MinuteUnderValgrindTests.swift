import CLinux
import Foundation
import Records
import Testing

/// All programs at work at the same time, each under valgrind(1), for a minute: no error, nothing
/// lost, and in the end no more memory in use than when they had warmed up.
@Suite(
  .serialized, .needsRoot, .needs(command: "valgrind"), .needs(command: "vgdb"),
  .needs(command: "mosquitto"), .needs(command: "mosquitto_sub"), .needsPressure, .needsTracing,
  .needsRoots, .bootsSystem)
struct MinuteUnderValgrindTests {
  /// What each program looks at while it is watched, and what makes it work.
  private final class Work {
    let rig: Rig
    let system: BootedSystem
    let dumps: CoreDumpFolder
    let accounting: FileHandle
    let accountingRecords: Data
    let daemon: FakeDaemon
    var client: FakeDaemon.Client?
    let stream: [UInt8]
    private var round = 0

    init(_ system: BootedSystem) throws {
      self.system = system
      rig = try Rig()
      daemon = try FakeDaemon()
      dumps = try CoreDumpFolder(rig.folder.path() + "/dumps", exists: true)
      // As many dumps as it remembers, so that it does not grow up to there.
      let boot = "43908254-216b-467b-8145-3543fe292e1a"
      let told = (1...256).map { "told \(boot) \($0) \($0)\n" }.joined()
      try "inotify-coredump state 1\nwatermark 0\n\(told)".write(
        to: rig.folder.appending(path: "state"), atomically: true, encoding: .utf8)
      let file = rig.folder.appending(path: "pacct")
      try Data().write(to: file)
      accounting = try FileHandle(forWritingTo: file)
      let fixtures = Machine.packageRoot.appending(path: "Tests/Fixtures")
      accountingRecords = try Data(
        contentsOf: fixtures.appending(path: "pacct/linux-6.18-amd64.pacct"))
      stream = try [UInt8](
        Data(contentsOf: fixtures.appending(path: "dlt/raw-tcp-stream.bin")))
    }

    /// Options that have a program work faster than it does for anybody, on what is here.
    func options(_ program: Program) -> [String] {
      switch program {
      case .cyclicSysinfo: ["--interval", "50ms"]
      case .cyclicFileRead: ["--interval", "500ms"]
      case .epollPsi: ["--interval", "200ms", "--trigger", "cpu:some:50ms/2s"]
      case .inotifyCoredump:
        ["--folder", dumps.path, "--no-journal", "--state-file", rig.folder.path() + "/state"]
      case .inotifyPacct:
        ["--file", rig.folder.path() + "/pacct", "--assume-on", "--from-start", "--summary", "2s"]
      case .dltProcWatch: ["--port", "\(daemon.port)", "--idle", "1s"]
      case .dbusSystemdSignals: ["--address", system.busAddress, "--all"]
      // Without a key, so that it does not grow with the programs of this machine.
      case .traceConsumer:
        [
          "--folder", Tracing.folder, "--programs", "run-queue-latency", "--interval", "200ms",
        ]
      }
    }

    /// Something for each of those that wait for something.
    func goOn() throws {
      round += 1
      dumps.store(pid: 1000 + round)
      if round > 10 { dumps.remove(pid: 990 + round) }
      let record = 64 * (round % (accountingRecords.count / 64))
      accounting.write(accountingRecords[record..<(record + 64)])
      // A new connection now and then, and one that breaks off in the middle of a message.
      if client == nil || client?.isClosed == true { client = try daemon.client() }
      try? client?.send(round % 5 == 0 ? Array(stream.prefix(1000)) : stream, chunk: 3000)
      if round % 5 == 0 { client = nil }
      try system.runService("short", [], ["false"])
      try eventually("it has failed", within: 30) {
        try system.run("systemctl", "is-failed", "--quiet", "short").status == 0
      }
      try system.run("systemctl", "reset-failed", "short")
    }
  }

  /// Memory in use, in whatever state, and how much of it nobody knows of any more.
  private struct Use {
    var bytes = 0
    var lostBytes = 0
  }

  /// What valgrind finds while the program runs: vgdb(1) has it look.
  private func use(_ process: ChildProcess, _ rig: Rig) throws -> Use {
    let vgdb = try ChildProcess(
      [
        try #require(Machine.command("vgdb")), "--pid=\(process.id)", "leak_check", "summary",
        "any",
      ], name: "vgdb", in: rig.folder)
    try #require(try vgdb.wait(within: 60) == 0, "\(vgdb.log)")
    var use = Use()
    for kind in ["definitely lost", "indirectly lost", "possibly lost", "still reachable"] {
      // `definitely lost: 1,024 (+0) bytes in 2 (+0) blocks`
      let all = vgdb.output + vgdb.log
      let line = try #require(all.first { $0.contains("\(kind):") }, "\(all)")
      let words = line[try #require(line.range(of: "\(kind):")).upperBound...].split(separator: " ")
      let bytes = try #require(words.first.flatMap { Int($0.filter { $0 != "," }) }, "\(line)")
      use.bytes += bytes
      if kind.hasPrefix("definitely") || kind.hasPrefix("indirectly") { use.lostBytes += bytes }
    }
    return use
  }

  @Test func noProgramErrsOrGrows() throws {
    let work = try Work(try #require(BootedSystem.current))
    let rig = work.rig
    let subscriber = try rig.subscriber()
    var programs = [
      (
        name: "posix-mq-to-mqtt-bridge",
        process: try rig.underValgrind(
          "posix-mq-to-mqtt-bridge",
          [
            "--host", "127.0.0.1", "--port", "\(rig.broker().port)", "--device-id", rig.name,
            "--status-interval", "1s",
          ])
      )
    ]
    try eventually("the bridge is there", within: 60) {
      subscriber.messages(of: "/status").last?.text("state") == "online"
    }
    for program in Program.allCases {
      let process = try rig.underValgrind("\(program.name)", work.options(program))
      programs.append((name: "\(program.name)", process: process))
    }
    func published() -> [String: Int] {
      var counts: [String: Int] = [:]
      for message in subscriber.messages where !message.topic.hasSuffix("/state") {
        counts[String(message.topic.split(separator: "/")[2]), default: 0] += 1
      }
      counts["posix-mq-to-mqtt-bridge"] = counts.removeValue(forKey: "status")
      return counts
    }
    func workUntil(_ what: String, within seconds: Double, _ done: () -> Bool) throws {
      try eventually(what, within: seconds) {
        try work.goOn()
        return done()
      }
    }

    // Until what is kept has its size: buffers, lists of processes and units, libdbus' messages.
    try workUntil("each has published something, again and again", within: 180) {
      let counts = published()
      return programs.allSatisfy { counts[$0.name, default: 0] >= 15 }
    }
    let (before, warm) = (published(), Date())
    let warmUse = try programs.map { try use($0.process, rig) }
    try workUntil("a minute is over", within: 120) { Date().timeIntervalSince(warm) >= 60 }
    let after = published()
    for (program, warm) in zip(programs, warmUse) {
      let use = try use(program.process, rig)
      #expect(use.lostBytes == 0, "\(program.name)")
      // libdbus keeps some of the messages that it is done with.
      #expect(
        use.bytes <= warm.bytes + 4096, "\(program.name) had \(warm.bytes), has \(use.bytes) bytes")
      #expect(after[program.name]! - before[program.name]! >= 10, "\(program.name)")
    }
    for program in programs.reversed() {
      #expect(try ValgrindResult(program.process).errors == 0, "\(program.name)")
    }
  }
}
