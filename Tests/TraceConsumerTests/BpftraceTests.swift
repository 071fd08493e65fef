import Foundation
import Testing

@testable import TraceConsumer

/// The engine's contract, on a real bpftrace and a real kernel.
@Suite(.needsTracing) struct BpftraceTests {
  @Test func aRecordHasItsProbeAndAnEnd() throws {
    let consumer = try Tracing.going(#"BEGIN { printf("hi %d\n", 42); exit(); }"#)
    var seen: [(TraceProbe, TraceRecord)] = []
    while !consumer.isOver { try consumer.consume(within: .seconds(10)) { seen.append(($0, $1)) } }
    #expect(seen.map(\.1) == [.printed("hi 42\n"), .end])
    let probe = try #require(seen.first?.0)
    #expect(probe.description == "bpftrace:::BEGIN")
    #expect(probe.command == "bpftrace" && probe.cpu != nil && (probe.nanoseconds ?? 0) > 0)
  }

  @Test func recordsOfTheEndCanBeConsumedAfterStop() throws {
    let consumer = try Tracing.going(#"END { printf("bye\n"); }"#)
    #expect(try consumer.records() == [])
    try consumer.stop()
    #expect(try consumer.records() == [.printed("bye\n"), .end])
    #expect(consumer.isOver)
  }

  @Test func eachFunctionHasItsValue() throws {
    let consumer = try Tracing.going(
      """
      BEGIN { @["foo", -1] = count(); @s = sum(3); @s = sum(-5); @min = min(4); @max = max(9);
        @a = avg(30); @a = avg(1); @st = stats(2); @st = stats(5); @q = hist(2); @q = hist(4);
        @q = hist(5); @q = hist(8); @l = lhist(2, 3, 7, 2); @l = lhist(4, 3, 7, 2);
        @l = lhist(5, 3, 7, 2); @l = lhist(8, 3, 7, 2); @v = 7; @t = "abc"; }
      """)
    let first = try consumer.walk()
    #expect(first["@"] == [[.text("foo"), .integer(-1)]: .count(1)])
    #expect(first["@s"] == [[]: .sum(-2)])
    #expect(first["@min"] == [[]: .min(4)] && first["@max"] == [[]: .max(9)])
    #expect(first["@a"] == [[]: .average(15.5)])
    #expect(first["@st"] == [[]: .statistics(count: 2, sum: 7)])
    #expect(
      first["@q"] == [
        []: .quantize([TraceRange(2, 3, 1), TraceRange(4, 7, 2), TraceRange(8, 15, 1)])
      ])
    #expect(
      first["@l"] == [
        []: .lquantize([
          TraceRange(nil, 2, 1), TraceRange(3, 4, 1), TraceRange(5, 6, 1),
          TraceRange(7, nil, 1),
        ])
      ])
    #expect(first["@v"] == [[]: .integer(7)] && first["@t"] == [[]: .text("abc")])
    #expect(try consumer.walk().isEmpty, "the second walk is empty")
    try consumer.stop()
    #expect(try consumer.walk().isEmpty)
  }

  @Test func whatTheProgramPrintsOfAMapIsARecord() throws {
    let consumer = try Tracing.going(
      "BEGIN { @ = count(); print(@); clear(@); @x[1] = sum(2); print(3); exit(); }")
    var records: [TraceRecord] = []
    while !consumer.isOver { try consumer.consume(within: .seconds(10)) { records.append($1) } }
    #expect(
      records == [
        .aggregate(TraceAggregate(id: .init(number: 1, name: "@"), key: [], value: .count(1))),
        .end, .values([.integer(3)]), .end,
      ])
    #expect(try consumer.walk() == ["@x": [[.integer(1)]: .sum(2)]])
  }

  @Test func clearedAggregationsStartAnew() throws {
    let subject = try Subject()
    let consumer = try Tracing.going(
      "uprobe:\(subject.path):traced_function { @ = count(); @q = hist(arg0); }")
    _ = try subject.run("call", "5")
    try consumer.clearAggregations()
    _ = try subject.run("call", "3")
    let walked = try consumer.walk()
    #expect(walked["@"] == [[]: .count(3)])
    #expect(
      walked["@q"] == [
        []: .quantize([TraceRange(0, 0, 1), TraceRange(1, 1, 1), TraceRange(2, 3, 1)])
      ])
    try consumer.stop()
  }

  @Test(arguments: [
    ("BEGIN { foo( }", 1, "syntax error"), ("BEGIN {\n @a = 1; $x = nosuch; }", 2, "nosuch"),
    ("tracepoint:no:such { }", 1, "tracepoint not found: no:such"),
    ("tracepoint:syscalls:sys_enter_openat { @a = args->nosuch }", 1, "nosuch"),
  ])
  func aWrongProgramHasAMessageALineAndAColumn(
    _ program: String, _ line: Int, _ words: String
  ) throws {
    let consumer = TraceConsumer()
    let error = try #require(throws: TraceError.self) { try consumer.compile(program) }
    guard case .program(let message, line, .some) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(message.contains(words) && !message.contains("m_"))
  }

  @Test func runGivesWhatCameAndWhatWasAggregated() throws {
    var printed: [String] = []
    var counts: [Int64] = []
    try TraceConsumer().run(
      #"interval:ms:50 { printf("tick\n"); @n = count(); }"#, for: .milliseconds(400),
      consume: { if case .printed(let text) = $1 { printed.append(text) } },
      walk: { if case .count(let count) = $2 { counts.append(count) } })
    #expect((4...8).contains(printed.count), "\(printed.count)")
    // A probe may fire once more between the last look for records and its end.
    #expect(counts == [Int64(printed.count)] || counts == [Int64(printed.count + 1)])
  }

  @Test func anUnknownOptionIsAnErrorThatListsTheOthers() throws {
    let error = try #require(throws: TraceError.self) {
      try TraceConsumer().setOption("bufsiz", "4m")
    }
    #expect(error.description.contains("unknown option bufsiz; there are attach_timeout, "))
    #expect(throws: TraceError.badValue(option: "map_keys", value: "x", wanted: "a number above 0"))
    {
      try TraceConsumer().setOption("map_keys", "x")
    }
  }

  @Test func theVersionNamesTheEngine() throws {
    #expect(try TraceConsumer().version.hasPrefix("bpftrace v"))
  }

  @Test func callsInTheWrongOrderAreRefused() throws {
    #expect(throws: TraceError.self) { try TraceConsumer().go() }
    #expect(throws: TraceError.self) { try TraceConsumer().stop() }
    #expect(throws: TraceError.self) { try TraceConsumer().walk() }
  }
}
