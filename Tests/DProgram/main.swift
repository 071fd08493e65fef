import Foundation
import Glibc
import TraceConsumer

// Runs a D program and does what the words after it say, one after the other, telling what the library
// gives, a line for each. The tests run it in a system that has libdtrace:
//
//   d-program [--option NAME=VALUE]... [--before PROGRAM] PROGRAM WORD...
//
// A word is consume, follow, follow=SECONDS, walk, clear, stop, drop, uprobes, second, reads=N,
// windows=N or threads=N.

/// A line that is there at once, also in a pipe.
func say(_ line: String) {
  print(line)
  fflush(nil)
}

/// `low..high=count`, without an end that is open.
func text(_ ranges: [TraceRange]) -> String {
  ranges.map { range in
    "\(range.low.map { "\($0)" } ?? "")..\(range.high.map { "\($0)" } ?? "")=\(range.count)"
  }.joined(separator: " ")
}

func text(_ value: TraceValue) -> String {
  switch value {
  case .count(let number): "count \(number)"
  case .sum(let number): "sum \(number)"
  case .min(let number): "min \(number)"
  case .max(let number): "max \(number)"
  case .average(let number): "average \(number)"
  case .standardDeviation(let number): "deviation \(number)"
  case .quantize(let ranges): "quantize \(text(ranges))"
  case .lquantize(let ranges): "lquantize \(text(ranges))"
  case .llquantize(let ranges): "llquantize \(text(ranges))"
  case .statistics, .integer, .text: "\(value)"
  }
}

func tell(_ probe: TraceProbe, _ record: TraceRecord) {
  switch record {
  case .printed(let text):
    say("\(probe) on \(probe.cpu.map { $0 >= 0 } ?? false) printed \(text.debugDescription)")
  case .values(let values): say("\(probe) values \(values)")
  case .aggregate(let aggregate): say("\(probe) aggregate \(aggregate)")
  case .lost(let loss): say("\(probe) lost: \(loss)")
  case .end: say("\(probe) end")
  }
}

/// One read(2) of nothing, of a descriptor that no other read here has.
func reads(_ count: Int, of descriptor: Int32) {
  var byte: UInt8 = 0
  for _ in 0..<count { _ = read(descriptor, &byte, 0) }
}

/// Of counts, from any thread.
final class Total: @unchecked Sendable {
  private let lock = NSLock()
  private var total: Int64 = 0

  var sum: Int64 { lock.withLock { total } }

  func add(_ value: TraceValue) {
    guard case .count(let count) = value else { return }
    lock.withLock { total += count }
  }
}

/// Obeys one word after the other.
struct DProgram {
  private var consumer: TraceConsumer? = TraceConsumer(.d)
  private var options: [(name: String, value: String)] = []

  mutating func setOption(_ name: String, _ value: String) { options.append((name, value)) }

  func begin(_ program: String) throws {
    for option in options { try running().setOption(option.name, option.value) }
    try running().compile(program)
    try running().go()
  }

  func running() throws -> TraceConsumer {
    guard let consumer else { throw TraceError.outOfOrder("the consumer was dropped") }
    return consumer
  }

  /// Reads on another thread and walks each 100 ms meanwhile: all counts together, and whether more than
  /// one walk gave some.
  func windows(_ count: Int, _ descriptor: Int32) throws {
    let isDone = DispatchSemaphore(value: 0)
    Thread.detachNewThread {
      reads(count, of: descriptor)
      isDone.signal()
    }
    var total: Int64 = 0
    var some = 0
    var isLast = false
    repeat {
      isLast = isDone.wait(timeout: .now() + .milliseconds(100)) == .success
      let before = total
      try running().walkAggregations { if case .count(let count) = $2 { total += count } }
      if total > before { some += 1 }
    } while !isLast
    say("counted \(total) in several windows: \(some > 1)")
  }

  /// Reads on one thread while four others walk, consume and ask: all counts together.
  func threads(_ count: Int, _ descriptor: Int32) throws {
    let consumer = try running()
    let total = Total()
    let group = DispatchGroup()
    func start(_ body: @escaping @Sendable () throws -> Void) {
      group.enter()
      Thread.detachNewThread {
        do { try body() } catch { say("error: \(error)") }
        group.leave()
      }
    }
    start { reads(count, of: descriptor) }
    for _ in 0..<4 {
      start {
        for _ in 0..<20 {
          try consumer.walkAggregations { total.add($2) }
          try consumer.consume(within: .milliseconds(5)) { _, _ in }
          if consumer.isOver { say("over") }
        }
      }
    }
    group.wait()
    try consumer.walkAggregations { total.add($2) }
    say("counted \(total.sum)")
  }

  /// Another consumer, from its beginning to its end.
  func another(_ program: String) {
    let another = TraceConsumer(.d)
    do {
      for option in options { try another.setOption(option.name, option.value) }
      try another.run(
        program, for: .milliseconds(300), consume: tell, walk: { say("\($0.name) \(text($2))") })
    } catch {
      say("refused: \(error)")
    }
  }

  mutating func drop() { consumer = nil }

  mutating func obey(_ word: String, _ descriptor: Int32) throws {
    let parts = word.split(separator: "=").map(String.init)
    let number = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    switch parts.first {
    case "consume": try running().consume(within: .milliseconds(500), tell)
    case "follow":
      let end = ContinuousClock.now + .seconds(parts.count > 1 ? number : 30)
      while try !running().isOver, .now < end {
        try running().consume(within: .milliseconds(100), tell)
      }
      say(try running().isOver ? "over" : "not over")
    case "walk":
      try running().walkAggregations { id, key, value in
        say(
          "\(id.number) \(id.name)[\(key.map(\.description).joined(separator: ","))] \(text(value))"
        )
      }
      say("walked")
    case "clear": try running().clearAggregations()
    case "stop":
      try running().stop()
      say("stopped")
    case "drop":
      drop()
      say("dropped")
    case "uprobes":
      let file = FileHandle(forReadingAtPath: "/sys/kernel/debug/tracing/uprobe_events")
      let uprobes = String(decoding: try file?.readToEnd() ?? Data(), as: UTF8.self)
      let own = uprobes.split(separator: "\n").count { $0.contains("dt_\(getpid())_") }
      say("\(own) uprobes of its own")
    case "reads": reads(number, of: descriptor)
    case "second": another("BEGIN { trace(2); }")
    case "threads": try threads(number, descriptor)
    case "windows": try windows(number, descriptor)
    default: throw TraceError.outOfOrder("unknown word \(word)")
    }
  }
}

var program = DProgram()
var arguments = Array(CommandLine.arguments.dropFirst())
do {
  while arguments.first == "--option", arguments.count > 1 {
    let parts = arguments[1].split(separator: "=", maxSplits: 1).map(String.init)
    program.setOption(parts[0], parts.count > 1 ? parts[1] : "")
    arguments.removeFirst(2)
  }
  if arguments.first == "--before", arguments.count > 1 {
    program.another(arguments[1])
    arguments.removeFirst(2)
  }
  guard let text = arguments.first else {
    say(try program.running().version)
    exit(0)
  }
  let descriptor = open("/dev/zero", O_RDONLY)
  guard dup2(descriptor, 77) == 77 else { throw TraceError.system(call: "dup2", errno: errno) }
  try program.begin(text)
  for word in arguments.dropFirst() { try program.obey(word, 77) }
  // Not left to the end of the process, which would leave probes in the kernel.
  program.drop()
} catch {
  say("error: \(error)")
  exit(1)
}
