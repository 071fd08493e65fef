import CLinux
import Foundation
import Testing

/// dlt-proc-watch as built for a device, against a daemon that does what it should not.
struct ProcWatchTests {
  let rig: Rig

  init() throws { rig = try Rig() }

  static func fixture(_ name: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: URL(filePath: path(name))))
  }

  static func path(_ name: String) -> String {
    Machine.packageRoot.appending(path: "Tests/Fixtures/dlt/\(name)").path()
  }

  /// What is said where nobody listens.
  static func refused(_ port: Int) -> String {
    "no dlt-daemon at 127.0.0.1:\(port) (apt install dlt-daemon there, or name its place with "
      + "--host and --port): Connection refused"
  }

  func start(_ port: Int, _ options: String...) throws -> ChildProcess {
    try rig.program("dlt-proc-watch", ["--port", "\(port)", "--print"] + options)
  }

  func records(_ process: ChildProcess, _ kind: String) -> [[String: Any]] {
    process.output.compactMap(members).filter { $0["kind"] as? String == kind }
  }

  @Test(arguments: [(false, 7), (false, 100_000), (true, 1000)])
  func aStreamIsReadInChunksOfAnySize(_ isIPv6: Bool, _ chunk: Int) throws {
    let daemon = try FakeDaemon(isIPv6: isIPv6)
    let watch = try start(daemon.port, "--host", isIPv6 ? "::1" : "127.0.0.1")
    let client = try daemon.client()
    try client.send(Self.fixture("raw-tcp-stream.bin"), chunk: chunk)
    try eventually("all loads are told") { records(watch, "process_load").count == 53 }
    #expect(records(watch, "dlt_loss").isEmpty)
    // Nothing was asked of the daemon: it would count for all its clients.
    #expect(client.received().isEmpty)
    #expect(try watch.stop() == 0)
  }

  @Test func itWaitsForADaemonThatIsNotThereYet() throws {
    var daemon: FakeDaemon? = try FakeDaemon()
    let port = try #require(daemon?.port)
    daemon = nil
    let watch = try start(port)
    try eventually("it says so") {
      watch.log == [
        "dlt-proc-watch: warning: \(Self.refused(port)); trying again"
      ]
    }
    daemon = try FakeDaemon(port: port)
    try daemon?.client().send(Self.fixture("raw-tcp-stream.bin"))
    try eventually("it reads") { !records(watch, "process_load").isEmpty }
    #expect(watch.isRunning)
    #expect(try watch.stop() == 0)
  }

  @Test func aDaemonThatGoesIsConnectedToAgain() throws {
    let daemon = try FakeDaemon()
    let watch = try start(daemon.port)
    let stream = try Self.fixture("raw-tcp-stream.bin")
    var client: FakeDaemon.Client? = try daemon.client()
    // It goes within a message.
    try client?.send(Array(stream.prefix(10_001)))
    try eventually("the first part is read") { !records(watch, "process_load").isEmpty }
    client = nil
    let again = try daemon.client()
    try again.send(stream)
    try eventually("the gap is told") {
      records(watch, "dlt_loss").contains { $0["cause"] as? String == "connection_gap" }
    }
    let losses = records(watch, "dlt_loss")
    #expect(losses.contains { ($0["lost_bytes"] as? Int ?? 0) > 0 })
    #expect(watch.log.contains { $0.contains("closed the connection; trying again") })
    #expect(try watch.stop() == 0)
  }

  @Test func garbageEndsTheConnectionAndTheNextOneIsRead() throws {
    let daemon = try FakeDaemon()
    let watch = try start(daemon.port)
    let client = try daemon.client()
    try client.send([0xDE, 0xAD, 0xBE, 0xEF, 1, 2, 3])
    try eventually("it hangs up") { client.isClosed }
    #expect(watch.log.last?.contains("sends what is no DLT message; trying again") == true)
    let next = try daemon.client()
    try next.send(Self.fixture("raw-tcp-stream.bin"))
    try eventually("it reads") { records(watch, "process_load").count == 53 }
    let garbage = records(watch, "dlt_loss").filter { $0["cause"] as? String == "garbage" }
    #expect(garbage.map { $0["lost_bytes"] as? Int } == [7])
    #expect(try watch.stop() == 0)
  }

  /// A connection that nobody closes, and half a message that never ends.
  @Test(arguments: [0, 20]) func aDaemonThatHangsIsLeft(_ length: Int) throws {
    let daemon = try FakeDaemon()
    let watch = try start(daemon.port, "--idle", "300ms")
    let client = try daemon.client()
    try client.send(Array(Self.fixture("raw-tcp-stream.bin").prefix(length)))
    try eventually("it hangs up") { client.isClosed }
    #expect(
      watch.log.last
        == "dlt-proc-watch: warning: no message from 127.0.0.1:\(daemon.port) for 300ms; "
        + "trying again")
    _ = try daemon.client()
    #expect(try watch.stop() == 0)
  }

  /// The bridge is away and the queue is full: a daemon must not wait for that.
  @Test func aFullQueueNeverKeepsTheDaemonWaiting() throws {
    let daemon = try FakeDaemon()
    let watch = try rig.program("dlt-proc-watch", ["--port", "\(daemon.port)"])
    let client = try daemon.client()
    let stream = try Self.fixture("raw-tcp-stream.bin")
    let begin = Date()
    for _ in 0..<40 { try client.send(stream) }
    #expect(Date().timeIntervalSince(begin) < 3)
    try eventually("the drops are said") {
      watch.log.contains { $0.contains("the queue is full") }
    }
    #expect(try watch.stop() == 0)
  }

  @Test func onceIsOneProcessWithItsLoad() throws {
    let daemon = try FakeDaemon()
    let watch = try start(daemon.port, "--once", "--process", "mco-audioApp")
    try daemon.client().send(Self.fixture("raw-tcp-stream.bin"))
    #expect(try watch.wait() == 0)
    try #require(watch.output.count == 1)
    #expect(members(watch.output[0])?["cpu_ratio"] as? Double != nil)
  }

  @Test func onceWithoutADaemonIsUnavailable() throws {
    var daemon: FakeDaemon? = try FakeDaemon()
    let port = try #require(daemon?.port)
    daemon = nil
    let result = try rig.runProgram("dlt-proc-watch", "--once", "--port", "\(port)")
    #expect(result.status == 69)
    #expect(
      result.log == [
        "dlt-proc-watch: error: \(Self.refused(port))"
      ])
  }

  // MARK: Traces

  @Test func aTraceIsReplayedAsTheConnectionIsRead() throws {
    let result = try rig.runProgram(
      "dlt-proc-watch", "--print", "--speed", "0", "--file", Self.path("sample.dlt"))
    #expect(result.status == 0)
    let kinds = result.output.map { members($0)?["kind"] as? String ?? "" }
    #expect(kinds.count { $0 == "process_load" } == 68)
    #expect(kinds.count { $0 == "process_lifecycle" } == 3)
    #expect(result.log.last?.hasSuffix("sample.dlt: 130 messages, 130 of SYS/PROC") == true)
  }

  @Test func theRhythmOfATraceIsThatOfItsTimestamps() throws {
    let begin = Date()
    let result = try rig.runProgram(
      "dlt-proc-watch", "--print", "--speed", "40", "--file", Self.path("sample.dlt"))
    let seconds = Date().timeIntervalSince(begin)
    #expect(result.status == 0)
    let times = result.output.compactMap(members)
    let trace =
      try #require(times.last?["uptime_seconds"] as? Double)
      - #require(times.first?["uptime_seconds"] as? Double)
    #expect(trace > 60)
    #expect(abs(seconds - trace / 40) < 0.7, "\(seconds) s for \(trace) s")
  }

  @Test func garbageAndATruncatedTailAreTold() throws {
    let path = rig.folder.appending(path: "cut.dlt").path()
    let bytes = try Array("garbage".utf8) + Self.fixture("sample.dlt").dropLast(5)
    try Data(bytes).write(to: URL(filePath: path))
    let result = try rig.runProgram("dlt-proc-watch", "--print", "--speed", "0", "--file", path)
    #expect(result.status == 0)
    let losses = result.output.compactMap(members).filter { $0["kind"] as? String == "dlt_loss" }
    #expect(losses.map { $0["cause"] as? String } == ["garbage", "truncated"])
    #expect(result.log.contains { $0.contains("7 bytes belong to no message") })
    #expect(result.log.contains { $0.contains("ends within a message") })
  }

  @Test func whatIsNoTraceIsUnavailable() throws {
    for (path, text) in [
      ("/nowhere/x.dlt", "open /nowhere/x.dlt: No such file or directory"),
      (Self.path("raw-tcp-stream.bin"), "no message of SYS/PROC among 0 messages"),
      ("/dev/null", "no message of SYS/PROC among 0 messages"),
    ] {
      let result = try rig.runProgram("dlt-proc-watch", "--print", "--file", path)
      #expect(result.status == 69)
      #expect(result.log.last?.contains(text) == true)
    }
  }
}
