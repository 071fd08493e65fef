import Foundation
import Testing

/// dlt-proc-watch as a program: on every architecture, and in its memory.
extension ProcWatchTests {
  /// The programs for ARM run under qemu-user.
  @Test(.needs(command: "qemu-aarch64-static"), .needs(command: "qemu-arm-static"))
  func everyArchitectureTellsTheSame() throws {
    /// All but the header, which every run has its own of.
    func told(_ process: ChildProcess) throws -> [Substring] {
      try process.output.map { line in
        line[try #require(line.range(of: #""clock_synced":"#)).upperBound...]
      }
    }
    var traces: [[Substring]] = []
    var streams: [[Substring]] = []
    for architecture in Rig.Architecture.allCases {
      let replay = try rig.program(
        "dlt-proc-watch", ["--print", "--speed", "0", "--file", Self.path("sample.dlt")],
        on: architecture)
      #expect(try replay.wait(within: 30) == 0)
      traces.append(try told(replay))

      let daemon = try FakeDaemon()
      let watch = try rig.program(
        "dlt-proc-watch", ["--print", "--port", "\(daemon.port)"], on: architecture)
      let client = try daemon.client()
      try client.send(Self.fixture("raw-tcp-stream.bin"), chunk: 5000)
      try eventually("all is read", within: 30) { records(watch, "process_load").count == 53 }
      #expect(try watch.stop(within: 30) == 0)
      streams.append(try told(watch))
    }
    #expect(traces[0].count == 71)
    #expect(traces[1] == traces[0])
    #expect(traces[2] == traces[0])
    #expect(streams[0].count >= 53)
    #expect(streams[1] == streams[0])
    #expect(streams[2] == streams[0])
  }

  /// Connections that end in every way, under valgrind: no error, nothing lost, and after ten times
  /// as many messages and connections as much memory as before.
  @Test(.needs(command: "valgrind"))
  func valgrindFindsNothingAndMemoryDoesNotGrow() throws {
    let stream = try Self.fixture("raw-tcp-stream.bin")
    func run(connections: Int) throws -> ValgrindResult {
      let daemon = try FakeDaemon()
      let watch = try rig.underValgrind(
        "dlt-proc-watch",
        ["--print", "--idle", "1s", "--limit", "4", "--port", "\(daemon.port)"])
      for round in 0..<connections {
        let client = try daemon.client()
        for _ in 0..<10 { try client.send(stream, chunk: 3000) }
        switch round % 3 {
        case 0: try client.send([0xDE, 0xAD])
        case 1: try client.send(Array(stream.prefix(1000)))
        default: break
        }
        let loads = 530 * (round + 1)
        try eventually("it has read", within: 60) {
          watch.output.count { $0.contains(#""kind":"process_load""#) } >= loads
        }
      }
      return try ValgrindResult(watch)
    }
    let (few, many) = (try run(connections: 3), try run(connections: 30))
    #expect(few.errors == 0 && many.errors == 0)
    #expect(few.blocksInUse == many.blocksInUse, "\(few) and \(many)")
    #expect(few.bytesInUse == many.bytesInUse, "\(few) and \(many)")
    #expect(many.allocations > few.allocations)
  }
}
