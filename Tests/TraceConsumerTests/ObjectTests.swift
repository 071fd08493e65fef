import Foundation
import Testing

@testable import TraceConsumer

/// The starter set, as it was built for devices, against witnesses that know.
@Suite(.needsTracing) struct ObjectTests {
  let subject: Subject

  init() throws { subject = try Subject() }

  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: ".build/bpf")

  private func going(_ name: String) throws -> TraceConsumer {
    try Tracing.mountTracefs()
    let path = Self.folder.appending(path: "\(name).manifest").path()
    try #require(
      FileManager.default.fileExists(atPath: path), "\(path) is not built: ./build.sh build")
    let consumer = TraceConsumer(.object)
    try consumer.compile(path)
    try consumer.go()
    return consumer
  }

  private func shell(_ script: String) throws -> [String] {
    try Subject.run("sh", "-c", "cd \(subject.folder.path()) && \(script)")
  }

  @Test func systemCallsOfAProgramAreThoseItMakes() throws {
    func calls(_ reads: String) throws -> Int64 {
      let consumer = try going("system-calls")
      _ = try subject.run("read", reads)
      guard case .count(let count) = try consumer.walk()["calls"]?[[.text(subject.command)]] else {
        return 0
      }
      try consumer.stop()
      return count
    }
    #expect(try calls("100000") - calls("0") == 100_000)
  }

  @Test func failedOpensAreThoseOfStrace() throws {
    let consumer = try going("failed-opens")
    let trace = subject.folder.appending(path: "trace").path()
    _ = try Subject.run(
      "strace", "-f", "-e", "trace=openat", "-o", trace, subject.path, "open", "600")
    let failures = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
      .count { $0.contains("openat(") && $0.contains("= -1 ENOENT") }
    #expect(failures == 200)
    let walked = try consumer.walk()["failures"] ?? [:]
    #expect(walked[[.text(subject.command), .integer(2)]] == .count(200))
    try consumer.stop()
  }

  @Test func execsAreCountedAndEachIsARecord() throws {
    let consumer = try going("execs")
    _ = try shell(
      "cp /bin/true \(subject.command)x; for n in 1 2 3 4 5; do ./\(subject.command)x; done")
    let name = "\(subject.command)x"
    #expect(try consumer.walk()["execs"]?[[.text(name)]] == .count(5))
    var started: [TraceProbe] = []
    try consumer.consume { probe, record in
      if case .values = record, probe.command == name { started.append(probe) }
    }
    #expect(started.count == 5 && Set(started.map(\.processID)).count == 5)
    #expect(started.first?.description == "object:execs.bpf.o::started")
    #expect(started.map { $0.nanoseconds ?? 0 } == started.map { $0.nanoseconds ?? 0 }.sorted())
    try consumer.stop()
    #expect(try consumer.walk()["execs"]?[[.text(name)]] == nil)
  }

  @Test func exitsBySignalAreThoseTheShellSaw() throws {
    let consumer = try going("exits-by-signal")
    let name = "\(subject.command)s"
    let statuses = try shell(
      """
      cp /bin/sleep \(name)
      for signal in TERM TERM TERM KILL KILL SEGV CHLD; do
        ./\(name) 1 & sleep 0.1; kill -$signal $!; wait $! 2>/dev/null; echo $?
      done
      """)
    #expect(statuses == ["143", "143", "143", "137", "137", "139", "0"])
    let walked = (try consumer.walk()["exits"] ?? [:]).filter { $0.key.first == .text(name) }
    #expect(
      walked == [
        [.text(name), .integer(15)]: .count(3), [.text(name), .integer(9)]: .count(2),
        [.text(name), .integer(11)]: .count(1),
      ])
    try consumer.stop()
  }

  @Test func blockRequestsAreThoseOfTheDevice() throws {
    _ = try shell("truncate -s 64M image")
    let image = subject.folder.appending(path: "image").path()
    let device = try #require(Subject.run("losetup", "--find", "--show", image).first)
    defer { _ = try? Subject.run("losetup", "--detach", device) }
    let name = try #require(device.split(separator: "/").last)
    let numbers = try String(contentsOfFile: "/sys/block/\(name)/dev", encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines).split(separator: ":").compactMap {
        Int64($0)
      }
    func fields() throws -> [Int64] {
      try String(contentsOfFile: "/sys/block/\(name)/stat", encoding: .utf8)
        .split { $0 == " " || $0 == "\n" }.compactMap { Int64($0) }
    }
    let before = try fields()
    let consumer = try going("block-io")
    _ = try shell("dd if=/dev/zero of=\(device) bs=64k count=300 oflag=direct status=none")
    let after = try fields()
    let walked = try consumer.walk()
    #expect(after[6] - before[6] == 300 * 128)
    #expect(
      walked["sectors"]?[[.integer(numbers[0] << 20 | numbers[1])]]
        == .sum(after[6] - before[6] + after[2] - before[2]))
    guard case .quantize(let sizes) = walked["bytes"]?[[]],
      case .quantize(let times) = walked["microseconds"]?[[]]
    else {
      Issue.record("no distributions")
      return
    }
    #expect((sizes.first { $0.low == 65_536 }?.count ?? 0) >= 300)
    #expect(times.map(\.count).reduce(0, +) >= 300)
    try consumer.stop()
  }

  @Test func twoBusyProcessesOnOneProcessorWaitForEachOther() throws {
    let consumer = try going("run-queue-latency")
    _ = try shell(
      """
      for n in 1 2; do timeout 1 taskset --cpu-list 0 sh -c 'while :; do :; done' & done; wait
      """)
    guard case .quantize(let ranges) = try consumer.walk()["microseconds"]?[[]] else {
      Issue.record("no distribution")
      return
    }
    let waits = ranges.filter { $0.low ?? 0 >= 1024 }.map(\.count).reduce(0, +)
    #expect(waits >= 50, "\(ranges)")
    try consumer.stop()
  }

  @Test func retransmissionsAreThoseOfTheKernelsOwnCount() throws {
    let consumer = try going("tcp-retransmissions")
    let counted = try Subject.run(
      "unshare", "--net", "sh", "-c",
      """
      ip link set lo up && nft add table ip t \
        && nft add chain ip t c '{ type filter hook input priority 0; }' && nft add rule ip t c tcp dport 4567 drop
      timeout 4 bash -c ': </dev/tcp/127.0.0.1/4567' 2>/dev/null
      awk '/^Tcp: [0-9]/ { print $13 }' /proc/net/snmp
      """)
    let expected = try #require(counted.first.flatMap { Int64($0) })
    #expect(expected >= 2)
    let all = (try consumer.walk()["retransmissions"] ?? [:]).filter {
      $0.key.last == .integer(4567)
    }
    #expect(all.values.map { $0 } == [.count(expected)])
    try consumer.stop()
  }

  @Test func aManifestOfAnotherObjectIsRefused() throws {
    let object = Self.folder.appending(path: "execs.bpf.o")
    try FileManager.default.copyItem(at: object, to: subject.folder.appending(path: "x.bpf.o"))
    let manifest = subject.folder.appending(path: "x.manifest")
    for (text, words) in [
      ("aggregate execs count pid:u32", "has keys of 16 bytes, the manifest 4"),
      ("aggregate nothing count", "does not exist"), ("record execs x:u8", "is no ring buffer"),
      ("aggregate execs quantize 4 comm:text16", "has values of 8 bytes, not 32"),
    ] {
      try Data(text.utf8).write(to: manifest)
      let consumer = TraceConsumer(.object)
      try consumer.compile(manifest.path())
      let error = try #require(throws: TraceError.self) { try consumer.go() }
      #expect(error.description.contains(words), "\(error)")
    }
    try Data("nonsense".utf8).write(to: manifest)
    #expect(
      throws: TraceError.program(
        message: "aggregate, record, event, lost or tracepoint is missing", line: 1, column: 1)
    ) { try TraceConsumer(.object).compile(manifest.path()) }
  }

  @Test func aMissingOrBrokenObjectIsAClearError() throws {
    let manifest = subject.folder.appending(path: "y.manifest")
    try Data("aggregate m count".utf8).write(to: manifest)
    for content in [nil, Data("no ELF".utf8), Data()] as [Data?] {
      if let content { try content.write(to: subject.folder.appending(path: "y.bpf.o")) }
      let consumer = TraceConsumer(.object)
      try consumer.compile(manifest.path())
      let error = try #require(throws: TraceError.self) { try consumer.go() }
      #expect(error.description.contains("y.bpf.o"), "\(error)")
    }
  }
}
