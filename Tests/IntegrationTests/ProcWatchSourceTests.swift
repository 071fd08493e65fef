import CLinux
import Foundation
import Testing

/// What dlt-proc-watch says and does where its source is missing, silent or of no use.
extension ProcWatchTests {
  private func state(_ subscriber: Subscriber) -> (state: String, reason: String) {
    let status = subscriber.messages(of: "/status").last
    return (
      status?.text("dlt_proc_watch_state") ?? "", status?.text("dlt_proc_watch_reason") ?? ""
    )
  }

  /// Messages of others come and keep the connection; that they are of no use is said once.
  @Test(.needs(command: "mosquitto"), .needs(command: "mosquitto_sub"))
  func messagesOfOthersAloneAreUnavailableUntilTheRightOnesCome() throws {
    let stream = try Self.fixture("raw-tcp-stream.bin")
    var others = stream
    for index in others.indices.dropLast(7) where others[index..<(index + 8)] == Self.process {
      others[index] = UInt8(ascii: "X")
    }
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let daemon = try FakeDaemon()
    let watch = try rig.program(
      "dlt-proc-watch", ["--port", "\(daemon.port)", "--idle", "500ms"])
    let client = try daemon.client()
    let reason =
      "127.0.0.1:\(daemon.port) sends messages, but none of SYS/PROC for 500ms: "
      + "set LogProcessesEnable = 1 in dlt-system.conf"
    /// Goes on sending until something is so.
    func sending(_ bytes: [UInt8], until what: String, _ condition: () throws -> Bool) throws {
      try eventually(what, within: 20) {
        try client.send(bytes)
        return try condition()
      }
    }
    try sending(others, until: "it is said") {
      watch.log.contains("dlt-proc-watch: warning: \(reason); trying again")
    }
    #expect(watch.log.count { $0.contains("SYS/PROC") } == 1)
    try sending(others, until: "the status has it") { state(subscriber) == ("unavailable", reason) }
    // Retained, for who comes later.
    let late = try rig.subscriber()
    try sending(others, until: "who comes later is told") { state(late) == ("unavailable", reason) }
    #expect(late.messages(of: "/status").first?.isRetained == true)
    #expect(!client.isClosed)
    #expect(subscriber.messages(of: "/process/mco-audioApp").isEmpty)

    try sending(stream, until: "the status has that too") { state(subscriber).state == "running" }
    #expect(!subscriber.messages(of: "/dlt-proc-watch/TGT1/process/mco-audioApp").isEmpty)
    #expect(try watch.stop() == 0)
    try eventually("it has stopped") { state(subscriber).state == "stopped" }
    #expect(try bridge.stop() == 0)
  }

  /// "SYS" and "PROC" as the extended header has them.
  private static let process = ArraySlice(Array("SYS\0PROC".utf8))

  /// Too long for a name, so that no name server is asked.
  @Test func aNameThatCannotBeResolvedIsSaidAndTriedAgain() throws {
    let name = String(repeating: "x", count: 70) + ".invalid"
    let watch = try rig.program("dlt-proc-watch", ["--print", "--host", name])
    try eventually("it is said", within: 30) { !watch.log.isEmpty }
    #expect(watch.log.first?.hasPrefix("dlt-proc-watch: warning: cannot resolve \(name): ") == true)
    #expect(watch.log.first?.hasSuffix("; trying again") == true)
    #expect(watch.isRunning)
    #expect(try watch.stop() == 0)
    #expect(watch.log.count == 1)
    let once = try rig.runProgram("dlt-proc-watch", "--once", "--host", name)
    #expect(once.status == 69)
    #expect(once.log.count == 1)
  }

  @Test func aDaemonThatDoesNotAnswerIsGivenUpAfterFiveSeconds() throws {
    let daemon = try FakeDaemon(isFull: true)
    let begin = Date()
    let result = try rig.runProgram("dlt-proc-watch", "--once", "--port", "\(daemon.port)")
    let seconds = Date().timeIntervalSince(begin)
    #expect(result.status == 69)
    #expect(result.log.count == 1)
    #expect(result.log.first?.hasSuffix(": Connection timed out") == true)
    #expect(seconds > 4.5 && seconds < 7.5, "\(seconds) s")
  }

  /// `2` is the keep-alive timer, and when it is due in hundredths: proc_net_tcp.rst of the kernel.
  @Test func keepAliveFindsADaemonThatIsGone() throws {
    let daemon = try FakeDaemon()
    let watch = try start(daemon.port)
    let client = try daemon.client()
    let remote = ":" + String(daemon.port, radix: 16, uppercase: true)
    try eventually("it has connected", within: 30) {
      watch.log.contains { $0.contains("connected to") }
    }
    // String(contentsOfFile:) takes the first page of it for all.
    let file = try #require(FileHandle(forReadingAtPath: "/proc/net/tcp"))
    let table = try String(decoding: file.readToEnd() ?? Data(), as: UTF8.self)
    // 01 is an established one.
    let rows = table.split(separator: "\n").map { $0.split(separator: " ") }
      .filter { $0.count > 5 && $0[2].hasSuffix(remote) && $0[3] == "01" }
    let timer = try #require(rows.first?[5].split(separator: ":"), "\(table)")
    #expect(timer.first == "02")
    let hundredths = try #require(timer.last.flatMap { Int($0, radix: 16) })
    #expect(hundredths > 0 && hundredths <= 1000)
    #expect(!client.isClosed)
    #expect(try watch.stop() == 0)
  }
}
