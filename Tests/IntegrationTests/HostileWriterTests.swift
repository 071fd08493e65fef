import CLinux
import Foundation
import Records
import TestSupport
import Testing

@testable import random_records

/// A program that owns a collector's queue and means harm: it can neither end the bridge, nor make it
/// grow, nor have anything published in another's name.
@Suite(
  .needs(command: "mosquitto"), .needs(command: "mosquitto_sub"), .needs(command: "python3"))
struct HostileWriterTests {
  /// What the bridge may have in memory at its worst, its 4 MiB of outbox included.
  private static let residentLimitKiB = 16 << 10

  /// Golden records of all programs, those of others too.
  private static var golden: [[UInt8]] {
    get throws {
      let folder = Machine.packageRoot.appending(path: "Tests/RecordsTests/Golden")
      return try FileManager.default.contentsOfDirectory(atPath: folder.path()).sorted()
        .filter { $0.hasSuffix(".hex") }
        .map { name in
          try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            .split(separator: "\n").map { $0.prefix { $0 != "#" } }
            .flatMap { $0.split(separator: " ") }.map { try #require(UInt8($0, radix: 16)) }
        }
    }
  }

  /// Messages of every sort that such a program may think of.
  private struct Messages {
    var random: SeededNumbers
    var records: RandomRecords
    let golden: [[UInt8]]

    init(seed: UInt64) throws {
      random = SeededNumbers(seed: seed)
      records = RandomRecords(seed: seed)
      golden = try HostileWriterTests.golden
      try #require(golden.count >= 30)
    }

    mutating func next() -> [UInt8] {
      var known = golden.randomElement(using: &random)!
      switch Int.random(in: 0..<6, using: &random) {
      case 0:
        return (0..<Int.random(in: 0...1024, using: &random)).map { _ in
          .random(in: 0...255, using: &random)
        }
      case 1:
        for _ in 0..<Int.random(in: 1...6, using: &random) {
          known[.random(in: 0..<known.count, using: &random)] = .random(in: 0...255, using: &random)
        }
        return known
      case 2: return Array(known.prefix(.random(in: 0...known.count, using: &random)))
      case 3:
        let room = RecordHeader.maximumRecordSize - known.count
        return known + [UInt8](repeating: 0x2F, count: .random(in: 0...room, using: &random))
      case 4: return known
      default: return records.next()
      }
    }
  }

  /// The peak of what the program had in memory.
  private func peakKiB(_ process: ChildProcess) throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(process.id)/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    return try #require(Int(line.filter(\.isNumber)))
  }

  /// What check_published.py says of the lines of a file; nil if it found no fault.
  private func fault(_ path: String, _ options: [String], _ rig: Rig) throws -> String? {
    let check = try ChildProcess(
      [
        try #require(Machine.command("python3")),
        Machine.packageRoot.appending(path: "Tests/Tools/check_published.py").path(),
      ] + options, name: "check", in: rig.folder, input: path)
    return try check.wait(within: 60) == 0 ? nil : check.log.joined(separator: "\n")
  }

  @Test(arguments: Program.allCases)
  func whateverStandsInAQueueItsTopicsAloneAreReached(_ program: Program) throws {
    let rig = try Rig()
    let status = try Subscriber(
      port: rig.broker().port, topic: "stats/\(rig.name)/status", in: rig.folder)
    // All that reaches the broker, wherever it claims to be from.
    let path = rig.folder.appending(path: "published").path()
    let all = try ChildProcess(
      [
        "/bin/sh", "-c", "exec \"$0\" \"$@\" >\(path)",
        try #require(Machine.command("mosquitto_sub")), "-h", "127.0.0.1", "-p",
        "\(rig.broker().port)", "-V", "5", "-q", "1", "-t", "#", "-T", "stats/\(rig.name)/status",
        "-F", "%t\t%p",
      ], name: "mosquitto_sub", in: rig.folder)
    let bridge = try rig.bridge("--status-interval", "1s")
    let count = 12_000
    let queue = try GarbageQueue("\(rig.queuePrefix)\(program.name)", blocking: true)
    var messages = try Messages(seed: UInt64(program.rawValue))
    for _ in 0..<count { try queue.send(messages.next()) }

    /// What is missing in the status is no zero.
    func counted(_ names: String...) -> Int {
      names.map { status.messages.last?.integer($0) ?? -count }.reduce(0, +)
    }
    try eventually("the bridge has looked at all, and published what it took", within: 60) {
      counted("records_received", "messages_invalid", "messages_unknown") == count
        && counted("records_published", "records_refused") == counted("records_received")
    }
    #expect(counted("records_refused", "records_lost") == 0)
    let published = counted("records_published")
    #expect(published > 200)
    #expect(counted("messages_invalid") > 2000)
    #expect(bridge.isRunning)
    #expect(try peakKiB(bridge) < Self.residentLimitKiB)
    #expect(bridge.log.count { $0.contains("queue of \(program.name)") } == 1)
    #expect(bridge.log.count <= 3, "\(bridge.log)")

    let lines = { try Data(contentsOf: URL(filePath: path)).count { $0 == 10 } }
    try eventually("the witness has them all") { try lines() >= published }
    #expect(try bridge.stop() == 0)
    try all.stop()
    let below = "stats/\(rig.name)/\(program.name)"
    #expect(try fault(path, ["--below", below, "--count", "\(published)"], rig) == nil)
  }

  @Test func aFloodWithoutABrokerFillsNoMemory() throws {
    let rig = try Rig()
    let bridge = try rig.program(
      "posix-mq-to-mqtt-bridge", ["--host", "127.0.0.1", "--port", "9", "--device-id", rig.name])
    try eventually("it has tried to connect") { bridge.log.contains { $0.contains("broker") } }
    let queue = try GarbageQueue("\(rig.queuePrefix)inotify-coredump", blocking: true)
    var records = RandomRecords(seed: 5)
    // Of any kind, as long as may be, ten times what the outbox holds.
    for _ in 0..<40_000 { try queue.send(records.next()) }
    #expect(bridge.isRunning)
    #expect(try peakKiB(bridge) < Self.residentLimitKiB)
    #expect(try bridge.stop() == 0)
  }

  /// Others get through while one queue is never empty.
  @Test func aFloodInOneQueueStarvesNoOther() throws {
    let rig = try Rig()
    let subscriber = try Subscriber(
      port: rig.broker().port, topic: "stats/\(rig.name)/cyclic-sysinfo", in: rig.folder)
    let bridge = try rig.bridge()
    let flood = try Flood(GarbageQueue("\(rig.queuePrefix)dlt-proc-watch", blocking: true))
    try eventually("the flood is on") { flood.count > 1000 }
    let collector = try rig.program("cyclic-sysinfo", ["--interval", "50ms"])
    try eventually("samples pass", within: 30) { subscriber.messages.count >= 40 }
    #expect(flood.count > 2000)
    flood.stop()
    try collector.stop()
    #expect(try peakKiB(bridge) < Self.residentLimitKiB)
    #expect(try bridge.stop() == 0)
    // Nothing of it was dropped on the way into its own queue.
    #expect(subscriber.messages.last?.integer("dropped") == 0)
  }

  /// Writes records of any kind until it is stopped.
  private final class Flood: @unchecked Sendable {
    private let lock = NSLock()
    private var sent = 0
    private var isOver = false

    init(_ queue: GarbageQueue) {
      let shared = UncheckedBox(queue)
      Thread.detachNewThread { [weak self] in
        var records = RandomRecords(seed: 11)
        while let self, !lock.withLock({ isOver }) {
          try? shared.value.send(records.next())
          lock.withLock { sent += 1 }
        }
      }
    }

    deinit { stop() }

    var count: Int { lock.withLock { sent } }
    func stop() { lock.withLock { isOver = true } }

    private struct UncheckedBox: @unchecked Sendable {
      let value: GarbageQueue
      init(_ value: GarbageQueue) { self.value = value }
    }
  }

  /// What all of this rests on: the checker finds what must not be.
  @Test(arguments: [
    ("a/b", #"{"kind":"x","time":1,"seq":1}"#, nil),
    ("c/b", #"{"kind":"x","time":1,"seq":1}"#, "not below"),
    ("ab/b", #"{"kind":"x","time":1,"seq":1}"#, "not below"),
    ("a//b", #"{"kind":"x","time":1,"seq":1}"#, "not below"),
    ("a/b/", #"{"kind":"x","time":1,"seq":1}"#, "not below"),
    ("a/+", #"{"kind":"x","time":1,"seq":1}"#, "the topic is none"),
    ("a/\u{85}", #"{"kind":"x","time":1,"seq":1}"#, "the topic is none"),
    ("a/\u{1FFFF}", #"{"kind":"x","time":1,"seq":1}"#, "the topic is none"),
    ("a/b", #"{"kind":"x","time":1,"seq":1,"seq":2}"#, "twice"),
    ("a/b", #"{"kind":"x","time":NaN,"seq":1}"#, "NaN is not JSON"),
    ("a/b", #"{"kind":"x","time":1,"seq":1,"a":"\ud800"}"#, "surrogates not allowed"),
    ("a/b", #"{"kind":"x","time":1,"seq":1,"a":{}}"#, "not flat"),
    ("a/b", #"{"kind":"x","time":1,"seq":01}"#, "Expecting"),
    ("a/b", "{\"kind\":\"x\u{1}\",\"time\":1,\"seq\":1}", "control character"),
    ("a/b", "", "Expecting"),
  ])
  func theCheckerSeesFaults(_ topic: String, _ json: String, _ expected: String?) throws {
    let rig = try Rig()
    let path = rig.folder.appending(path: "lines").path()
    try "\(topic)\t\(json)\n".write(toFile: path, atomically: true, encoding: .utf8)
    let found = try fault(path, ["--below", "a"], rig)
    if let expected {
      #expect(found?.contains(expected) == true, "\(found ?? "nothing")")
    } else {
      #expect(found == nil)
    }
    #expect(try fault(path, ["--count", "2"], rig) != nil)
  }
}
