import Foundation
import Testing

@testable import TraceConsumer

/// What goes wrong is one clear error, and no process stays behind.
@Suite(.needsTracing, .serialized) struct EngineFaultTests {
  private func processID(_ consumer: TraceConsumer) throws -> pid_t {
    try #require((consumer.engine as? BpftraceEngine)?.processID)
  }

  private func isGone(_ id: pid_t, within seconds: Double) -> Bool {
    let deadline = Date(timeIntervalSinceNow: seconds)
    while kill(id, 0) == 0 {
      guard Date() < deadline else { return false }
      usleep(10_000)
    }
    return true
  }

  @Test func aKilledEngineIsAnErrorAfterItsLastRecord() throws {
    let consumer = try Tracing.going(#"BEGIN { printf("x"); @ = count(); }"#)
    let id = try processID(consumer)
    try consumer.consume(within: .seconds(10)) { _, _ in }
    kill(id, SIGKILL)
    #expect(isGone(id, within: 20))
    let error = try #require(throws: TraceError.self) {
      while true { try consumer.consume(within: .seconds(10)) { _, _ in } }
    }
    #expect(error.description == "the engine was ended by signal 9")
    try consumer.stop()
  }

  @Test func aKilledEngineIsAnErrorOfTheWalkToo() throws {
    let consumer = try Tracing.going("BEGIN { @ = count(); }")
    kill(try processID(consumer), SIGKILL)
    #expect(throws: TraceError.engineEnded(status: .killed(signal: 9), words: "")) {
      try consumer.walk()
    }
  }

  @Test func aFullMapIsCountedAndSaysWhere() throws {
    let subject = try Subject()
    let consumer = try Tracing.going(
      "uprobe:\(subject.path):traced_function { @[arg0] = count(); }", options: ["map_keys": "10"])
    _ = try subject.run("call", "30")
    #expect(try consumer.walk()["@"]?.count == 10)
    try consumer.stop()
    let records = try consumer.records()
    guard case .lost(let loss) = records.first, case .fullMap(1, let column) = loss.reason else {
      Issue.record("\(records)")
      return
    }
    #expect(loss.count == 20)
    #expect(column > 40)
  }

  @Test func lostEventsAreARecordAndNothingElseIsMissing() throws {
    let subject = try Subject()
    let consumer = try Tracing.going(
      "uprobe:\(subject.path):traced_function { printf(\"%d\\n\", arg0); }",
      options: ["buffer_pages": "1"])
    var printed = 0
    var lost: Int64 = 0
    func count(_ record: TraceRecord) {
      if case .printed = record { printed += 1 }
      if case .lost(let loss) = record { lost += loss.count }
    }
    // The kernel tells of a loss with the next event that finds room on the same CPU, so a further
    // call is made until one did: an engine on a busy machine may still be emptying its buffer.
    var calls: Int64 = 200_000
    _ = try Subject.run("taskset", "--cpu-list", "0", subject.path, "call", String(calls))
    for _ in 0..<60 where Int64(printed) + lost < calls || calls == 200_000 {
      _ = try Subject.run("taskset", "--cpu-list", "0", subject.path, "call", "1")
      calls += 1
      try consumer.consume(within: .seconds(1)) { count($1) }
    }
    try consumer.stop()
    try consumer.consume { count($1) }
    #expect(lost > 0)
    #expect(Int64(printed) + lost == calls)
  }

  @Test func probesThatAreNotInPlaceInTimeAreAnError() throws {
    let consumer = TraceConsumer()
    try consumer.compile("tracepoint:sched:* { @ = count(); }")
    try consumer.setOption("attach_timeout", "0.01")
    #expect(throws: TraceError.neverAttached(seconds: 0.01)) { try consumer.go() }
    #expect(isGone(try processID(consumer), within: 60))
  }

  @Test func aProbeThatIsRefusedIsAnErrorInTheEnginesWords() throws {
    let subject = try Subject()
    let consumer = TraceConsumer()
    try consumer.compile("uprobe:\(subject.path):traced_function { @ = count(); }")
    try FileManager.default.removeItem(atPath: subject.path)
    let error = try #require(throws: TraceError.self) { try consumer.go() }
    #expect(error.description.contains(subject.path) || error.description.contains("No probes"))
    #expect(isGone(try processID(consumer), within: 10))
  }

  @Test func anEngineThatTakesLongToDetachIsAnErrorAndEndsByItself() throws {
    let consumer = try Tracing.going(
      "tracepoint:syscalls:sys_enter_s* { @ = count(); }", options: ["stop_timeout": "0.2"])
    let id = try processID(consumer)
    #expect(throws: TraceError.stillDetaching(seconds: 0.2)) { try consumer.stop() }
    #expect(isGone(id, within: 90))
    guard case .count(let count) = try consumer.walk()["@"]?[[]] else {
      Issue.record("the aggregations of the end are missing")
      return
    }
    #expect(count > 0)
  }

  @Test func theEngineGoesWithItsConsumer() throws {
    var consumer: TraceConsumer? = try Tracing.going("BEGIN { @ = count(); }")
    let id = try #require((consumer?.engine as? BpftraceEngine)?.processID)
    consumer = nil
    #expect(isGone(id, within: 20))
  }
}
