import Foundation
import TestSupport
import Testing

@testable import TraceConsumer

/// A program of the tests' own, under a name that no other process has: what it does is what a
/// tracer must count.
final class Subject {
  let folder: URL
  let path: String
  /// What the kernel calls it.
  let command: String

  private static let numbers = Numbers()

  init() throws {
    command = "s\(getpid())n\(Self.numbers.next())"
    folder = FileManager.default.temporaryDirectory.appending(path: "trace-\(command)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    path = folder.appending(path: command).path()
    let source = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Programs/subject.c").path()
    _ = try Self.run("cc", "-O1", "-o", path, source)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// Runs it to its end; returns the lines it said.
  func run(_ arguments: String...) throws -> [String] {
    try Self.run([path] + arguments)
  }

  static func run(_ command: String...) throws -> [String] { try run(command) }

  static func run(_ command: [String]) throws -> [String] {
    // Not Foundation's Process, which hands down what signals its thread has blocked.
    let outcome = Outcome()
    _ = try EngineProcess.start(
      ["/usr/bin/env"] + command, environment: ProcessInfo.processInfo.environment,
      onLine: outcome.take, onEnd: outcome.end)
    let (lines, status) = outcome.wait()
    try #require(status == .exited(0), "\(command.joined(separator: " ")) \(status)")
    return lines
  }
}
/// What a process says and how it ends.
final class Outcome: @unchecked Sendable {
  private let condition = NSCondition()
  private var lines: [String] = []
  private var errors: [String] = []
  private var status: EngineStatus?

  @Sendable func take(_ stream: EngineProcess.Stream, _ line: [UInt8]) {
    condition.lock()
    defer { condition.unlock() }
    let line = String(decoding: line, as: UTF8.self)
    if stream == .output { lines.append(line) } else { errors.append(line) }
  }

  /// What it said on standard error.
  var log: [String] {
    condition.lock()
    defer { condition.unlock() }
    return errors
  }

  @Sendable func end(_ status: EngineStatus) {
    condition.lock()
    self.status = status
    condition.broadcast()
    condition.unlock()
  }

  func wait() -> ([String], EngineStatus) {
    condition.lock()
    defer { condition.unlock() }
    while status == nil { condition.wait() }
    return (lines, status ?? .exited(-1))
  }
}

private final class Numbers: @unchecked Sendable {
  private let lock = NSLock()
  private var last = 0

  func next() -> Int {
    lock.withLock {
      last += 1
      return last
    }
  }
}

/// What this machine has for tracing.
enum Tracing {
  static let isPossible =
    (geteuid() == 0 && Tracefs.isMounted && (try? BpftraceEngine.path()) != nil)
    || ProcessInfo.processInfo.environment["CI"] == "true"

  static func mountTracefs() throws { try #require(Tracefs.isMounted, "tracefs cannot be mounted") }

  /// A bpftrace consumer whose program is in place.
  static func going(_ program: String, options: [String: String] = [:]) throws -> TraceConsumer {
    try mountTracefs()
    let consumer = TraceConsumer(.bpftrace)
    for (name, value) in options { try consumer.setOption(name, value) }
    try consumer.compile(program)
    try consumer.go()
    return consumer
  }
}

extension Trait where Self == ConditionTrait {
  static var needsTracing: Self {
    .enabled("needs root, bpftrace and tracefs") { Tracing.isPossible }
  }
}

extension TraceConsumer {
  /// All records there are.
  func records() throws -> [TraceRecord] {
    var records: [TraceRecord] = []
    try consume { records.append($1) }
    return records
  }

  /// What the aggregations got, by their names and keys.
  func walk() throws -> [String: [[TraceKey]: TraceValue]] {
    var all: [String: [[TraceKey]: TraceValue]] = [:]
    try walkAggregations { id, key, value in all[id.name, default: [:]][key] = value }
    return all
  }
}
