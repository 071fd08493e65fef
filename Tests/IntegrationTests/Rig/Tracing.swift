import CLinux
import Foundation
import TestSupport
import Testing

/// What trace-consumer needs of a machine, and its programs as they are built.
enum Tracing {
  /// The BPF objects and their manifests.
  static let folder = Machine.packageRoot.appending(path: ".build/bpf").path()

  static var isPossible: Bool { Machine.isRoot && Tracefs.isMounted }
}

extension Trait where Self == ConditionTrait {
  static var needsTracing: Self {
    .needs("needs root, tracefs and bpf(2)") { Tracing.isPossible }
  }
}

extension Rig {
  /// What a script printed that has run in the rig's folder.
  func shell(_ script: String) throws -> [String] {
    let result = try run(["/bin/sh", "-c", "cd \(folder.path()) && \(script)"], within: 60)
    #expect(result.status == 0, "\(result.log)")
    return result.output
  }

  /// Builds the program that does a known number of things; its path.
  func subject(_ name: String) throws -> String {
    let source = Machine.packageRoot.appending(path: "Tests/TraceConsumerTests/Programs/subject.c")
    _ = try shell("cc -O1 -o \(name) \(source.path())")
    return folder.appending(path: name).path()
  }
}

/// trace-consumer as it prints what it finds.
final class PrintedTrace {
  let process: ChildProcess

  /// It has begun when this returns; `wrapper` stands before its command line.
  init(
    _ rig: Rig, _ programs: String, interval: String = "100ms", folder: String = Tracing.folder,
    wrapper: [String] = []
  ) throws {
    let folderOfSocket = rig.folder.appending(path: Machine.uniqueName())
    try FileManager.default.createDirectory(
      at: folderOfSocket, withIntermediateDirectories: true)
    let socket = NotifySocket(in: folderOfSocket)
    process = try ChildProcess(
      wrapper + Rig.command("trace-consumer", on: .amd64)
        + [
          "--config", "/dev/null", "--print", "--programs", programs, "--interval", interval,
          "--folder", folder,
        ], name: "trace-consumer", in: rig.folder, environment: socket.environment)
    try eventually("trace-consumer is ready", within: 20) {
      try #require(process.isRunning, "\(process.log)")
      return socket.messages.contains { $0.hasPrefix("READY=1") }
    }
  }

  /// Ends it, and returns all that it told.
  func records() throws -> [TracedMembers] {
    #expect(try process.stop() == 0, "\(process.log)")
    return TracedMembers.all(process.output)
  }
}

/// The members of a record.
struct TracedMembers {
  let all: [String: Any]

  static func all(_ lines: [String]) -> [TracedMembers] {
    lines.compactMap {
      (try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        .map(TracedMembers.init)
    }
  }

  func text(_ name: String) -> String { all[name] as? String ?? "" }
  func integer(_ name: String) -> Int? { (all[name] as? NSNumber)?.intValue }
  func integers(_ name: String) -> [Int] { (all[name] as? [NSNumber])?.map(\.intValue) ?? [] }
}

extension [TracedMembers] {
  func events(_ record: String) -> [TracedMembers] {
    filter { $0.text("kind") == "trace_event" && $0.text("record") == record }
  }

  /// What an aggregation got over all intervals, for a key.
  func sum(_ aggregation: String, _ key: String) -> Int {
    filter {
      $0.text("kind") == "trace_value" && $0.text("aggregation") == aggregation
        && $0.text("key") == key
    }.compactMap { $0.integer("value") }.reduce(0, +)
  }

  /// How many values each bucket got over all intervals, by its upper bound.
  func histogram(_ aggregation: String, _ key: String = "") -> [Int: Int] {
    var counts: [Int: Int] = [:]
    for record in self
    where record.text("kind") == "trace_histogram" && record.text("aggregation") == aggregation
      && record.text("key") == key
    {
      for (bound, count) in zip(record.integers("upper_bounds"), record.integers("counts")) {
        counts[bound, default: 0] += count
      }
    }
    return counts.filter { $0.value != 0 }
  }
}
