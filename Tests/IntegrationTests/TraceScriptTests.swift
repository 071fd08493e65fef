import CLinux
import Foundation
import Testing

/// bpftrace scripts that trace-consumer runs, against witnesses that know.
@Suite(.serialized, .needsRoot, .needsTracing, .needs(command: "bpftrace"))
struct TraceScriptTests {
  let rig: Rig
  /// A name that no other process has, of at most 15 bytes.
  let name = Machine.uniqueName()

  init() throws { rig = try Rig() }

  /// The path of a script of this text.
  private func script(_ text: String) throws -> String {
    let path = rig.folder.appending(path: "mine.bt").path()
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  /// The processes that this one has started.
  private func children(of id: pid_t) -> [pid_t] {
    let path = "/proc/\(id)/task/\(id)/children"
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return text.split(separator: " ").compactMap { pid_t($0) }
  }

  // MARK: What it counts

  @Test func execsAreCountedSummedAndPrinted() throws {
    let path = try script(
      """
      // clear(@execs) is what a comment may say.
      tracepoint:sched:sched_process_exec /comm == "\(name)"/ {
        @execs[comm] = count(); @sevens[comm, 7] = sum(7); @pids = stats(pid);
        printf("%d is \\"%s\\"\\n", pid, comm);
      }
      """)
    let trace = try PrintedTrace(rig, path)
    let processes = try rig.shell(
      "cp /bin/true \(name); for n in $(seq 100); do ./\(name) & echo $!; wait; done"
    ).compactMap(Int.init)
    let records = try trace.records()
    #expect(trace.process.log == [])
    #expect(records.sum("execs", name) == 100)
    #expect(records.sum("sevens", "\(name),7") == 700)
    #expect(records.sum("pids.count", "") == 100)
    #expect(records.sum("pids.total", "") == processes.reduce(0, +))
    // Of two processors bpftrace may tell the later event first.
    #expect(
      records.events("printf").map { $0.text("fields") }.sorted()
        == processes.map { "\($0) is \"\(name)\"" }.sorted())
    #expect(records.allSatisfy { $0.text("program") == "mine" })
  }

  /// Printed in the middle of it, again and again: nothing is counted twice and nothing is lost.
  @Test(.needs(command: "cc")) func intervalsAddUpUnderLoad() throws {
    let path = try rig.subject(name)
    let script = try script(
      "tracepoint:syscalls:sys_enter_read /comm == \"\(name)\"/ { @reads[comm] = count(); }")
    func reads(_ count: Int) throws -> Int {
      let trace = try PrintedTrace(rig, script, interval: "100ms")
      #expect(try rig.run([path, "read", "\(count)"], within: 60).status == 0)
      let records = try trace.records()
      #expect(count == 0 || records.count { $0.text("key") == name } > 2)
      return records.sum("reads", name)
    }
    #expect(try reads(3_000_000) - reads(0) == 3_000_000)
  }

  @Test(.needs(command: "cc")) func sleepsAreInTheBucketsOfTheirOwnTiming() throws {
    let path = try rig.subject(name)
    let script = try script(
      """
      tracepoint:syscalls:sys_enter_nanosleep /comm == "\(name)"/ { @since[tid] = nsecs; }
      tracepoint:syscalls:sys_exit_nanosleep /@since[tid]/ {
        @microseconds[comm] = hist((nsecs - @since[tid]) / 1000);
        @all = hist((nsecs - @since[tid]) / 1000);
        delete(@since[tid]);
      }
      END { clear(@since); }
      """)
    let trace = try PrintedTrace(rig, script)
    let timings = try rig.shell("\(path) sleep").compactMap(Int.init)
    #expect(timings.count == 100)
    let records = try trace.records()
    var expected: [Int: Int] = [:]
    for microseconds in timings {
      let bound = 1 << (Int.bitWidth - microseconds.leadingZeroBitCount) - 1
      expected[bound, default: 0] += 1
    }
    #expect(records.histogram("microseconds", name) == expected)
    #expect(records.histogram("all") == expected)
  }

  @Test func whatENDPrintsIsTold() throws {
    let path = try script(
      """
      BEGIN { printf("begun"); @x = count(); print((1, "a")); }
      END { @x = count(); printf("over\\n"); }
      """)
    let records = try PrintedTrace(rig, path, interval: "1h").records()
    #expect(records.events("printf").map { $0.text("fields") } == ["begun", "[1,\"a\"]", "over"])
    #expect(records.sum("x", "") == 2)
  }

  // MARK: What it loses

  @Test func aKeyWithoutRoomIsALoss() throws {
    let path = try script(
      """
      BEGIN { @i = 0; }
      tracepoint:sched:sched_process_exec /comm == "\(name)"/ { @pids[pid] = count(); }
      """)
    let trace = try PrintedTrace(
      rig, path, wrapper: ["/usr/bin/env", "BPFTRACE_MAP_KEYS_MAX=40"])
    _ = try rig.shell("cp /bin/true \(name); for n in $(seq 100); do ./\(name); done")
    let records = try trace.records()
    let counted = records.filter { $0.text("aggregation") == "pids" }.compactMap {
      $0.integer("value")
    }
    let lost = records.filter { $0.text("kind") == "trace_loss" }.compactMap {
      $0.integer("lost_count")
    }
    #expect(counted.reduce(0, +) == 40)
    #expect(lost.reduce(0, +) == 60)
  }

  // MARK: What does not run

  private func refusal(_ path: String, wrapper: [String] = []) throws -> String {
    let result = try rig.run(
      wrapper + Rig.command("trace-consumer", on: .amd64)
        + ["--config", "/dev/null", "--print", "--programs", path])
    #expect(result.status == 69)
    let log = result.log
    #expect(log.count == 1, "\(log)")
    return log.first ?? ""
  }

  @Test func whatDoesNotRunIsOneLineThatSaysWhere() throws {
    for (text, words) in [
      ("BEGIN { @a = foo(3); }", "mine.bt:1:14-17: ERROR: Unknown function: foo"),
      ("tracepoint:no:such { @a = count(); }", "ERROR: tracepoint not found: no:such"),
      ("\n\nBEGIN { @a[1] = avg(3); }", "mine.bt:3: @a = avg(): cannot be told by interval: use"),
      ("BEGIN { @ = lhist(3, 0, 9, 1); }", "mine.bt:1: @_ = lhist(): its buckets do not end at"),
      (
        "BEGIN { @a = count(); }\ninterval:s:1 { print(@a);\n clear(@a); }",
        "mine.bt:3: clear(@a): take it out"
      ),
      ("BEGIN { @a[1] = count(); print(@a, 5); }", "mine.bt:1: print(@a): take it out"),
    ] {
      let line = try refusal(script(text))
      #expect(line.contains(words), "\(line)")
    }
    let none = try refusal("/nonexistent/mine.bt")
    #expect(none.hasSuffix("open /nonexistent/mine.bt: No such file or directory"))
    let missing = try refusal(script("BEGIN { }"), wrapper: ["/usr/bin/env", "PATH=/nonexistent"])
    #expect(missing.hasSuffix("mine.bt: bpftrace is not installed: apt-get install bpftrace"))
  }

  // MARK: Its life

  @Test func aScriptThatWasKilledIsStartedAgain() throws {
    let path = try script(
      "tracepoint:sched:sched_process_exec /comm == \"\(name)\"/ { @execs[comm] = count(); }")
    let trace = try PrintedTrace(rig, path)
    func exec(_ sum: Int) throws {
      _ = try rig.shell("cp /bin/true \(name); for n in $(seq 10); do ./\(name); done")
      try eventually("\(sum) are told") {
        TracedMembers.all(trace.process.output).sum("execs", name) == sum
      }
    }
    try exec(10)
    let first = try #require(children(of: trace.process.id).first)
    kill(first, SIGKILL)
    try eventually("it is said") { !trace.process.log.isEmpty }
    #expect(
      trace.process.log[0].contains("mine.bt: bpftrace was ended by signal 9; it is started again"))
    try eventually("another one runs") {
      children(of: trace.process.id).contains { $0 != first }
    }
    // Its probes are in place when it counts.
    try eventually("it counts", within: 20) {
      _ = try rig.shell("./\(name)")
      return TracedMembers.all(trace.process.output).sum("execs", name) > 10
    }
    _ = try trace.records()
    #expect(trace.process.log.count == 1, "\(trace.process.log)")
  }

  // MARK: To the broker

  /// Nobody takes anything from the queue while a hundred times its size is printed.
  @Test(.needs(command: "mosquitto")) func aFullQueueLosesNothing() throws {
    let path = try script(
      """
      tracepoint:sched:sched_process_exec /comm == "\(name)"/ {
        @execs[comm] = count(); printf("%d\\n", pid);
      }
      """)
    let socket = NotifySocket(in: rig.folder)
    let trace = try rig.program(
      "trace-consumer", ["--programs", path, "--interval", "50ms"], environment: socket.environment)
    try eventually("it is ready") { socket.messages.contains { $0.hasPrefix("READY=1") } }
    _ = try rig.shell("cp /bin/true \(name); for n in $(seq 1500); do ./\(name); done")
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    func events() -> [Message] { subscriber.messages(of: "/event/mine/printf") }
    try eventually("all are told", within: 30) { events().count >= 1500 }
    #expect(try trace.stop() == 0)
    try eventually("it has stopped") {
      subscriber.messages(of: "/trace-consumer/state").last?.text("state") == "stopped"
    }
    #expect(Set(events().compactMap { $0.text("fields") }).count == 1500)
    let values = subscriber.messages(of: "/value/mine/execs/\(name)").map {
      TracedMembers(all: $0.members)
    }
    #expect(values.sum("execs", name) == 1500)
    #expect(subscriber.messages.allSatisfy { !$0.topic.contains("/loss/") })
    try bridge.stop()
  }

  @Test(.needs(command: "mosquitto")) func theStateSaysWhyAScriptDoesNotRun() throws {
    let path = try script("interval:ms:10 { @ticks = count(); }")
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let trace = try rig.program("trace-consumer", ["--programs", path, "--interval", "50ms"])
    func reasons() -> [String?] {
      subscriber.messages(of: "/trace-consumer/state").map { $0.text("reason") }
    }
    try eventually("it runs") { reasons().count == 1 }
    let child = try #require(children(of: trace.id).first)
    kill(child, SIGKILL)
    try eventually("it runs again", within: 20) { reasons().count == 3 }
    let words = "\(path): bpftrace was ended by signal 9"
    #expect(reasons().map { $0 ?? "" } == ["", String(words.utf8.prefix(160)) ?? "", ""])
    #expect(try trace.stop() == 0)
    try bridge.stop()
  }

  @Test func nothingIsLeftOfAConsumerThatWasKilled() throws {
    let trace = try PrintedTrace(rig, try script("interval:ms:10 { @ticks = count(); }"))
    let child = try #require(children(of: trace.process.id).first)
    kill(trace.process.id, SIGKILL)
    #expect(try trace.process.wait() == -9)
    try eventually("bpftrace has ended") { kill(child, 0) != 0 }
  }

  @Test func aScriptThatWasChangedRunsAsItIsNow() throws {
    let path = try script(
      "interval:ms:10 { @a = hist(1); @b = count(); } END { printf(\"old\"); }")
    let trace = try PrintedTrace(rig, path)
    let first = try #require(children(of: trace.process.id).first)
    _ = try script("interval:ms:10 { @a = count(); @b = hist(2); } END { printf(\"new\"); }")
    kill(first, SIGKILL)
    try eventually("it runs as it is now", within: 20) {
      let records = TracedMembers.all(trace.process.output)
      return records.sum("a", "") > 0 && !records.histogram("b").isEmpty
    }
    let records = try trace.records()
    #expect(records.histogram("b").keys.sorted() == [3])
    #expect(records.events("printf").map { $0.text("fields") } == ["new"])
  }

  /// Fifteen intervals of 100 ms: longer than a script waits that is started again.
  private func goOn(_ process: ChildProcess) throws {
    let before = try FaultRig.sleeps(of: process)
    try eventually("it has gone on for fifteen intervals", within: 30) {
      try FaultRig.sleeps(of: process) >= before + 15
    }
  }

  @Test func aScriptThatEndsAtOnceRunsOnce() throws {
    let trace = try PrintedTrace(rig, try script("BEGIN { printf(\"once\\n\"); exit(); }"))
    try goOn(trace.process)
    let records = try trace.records()
    #expect(records.events("printf").map { $0.text("fields") } == ["once"])
  }

  @Test func aScriptThatEndsByItselfIsNotStartedAgain() throws {
    let trace = try PrintedTrace(
      rig, try script("interval:ms:300 { @ticks = count(); printf(\"done\\n\"); exit(); }"))
    try eventually("it is said") { !trace.process.log.isEmpty }
    try goOn(trace.process)
    #expect(children(of: trace.process.id).isEmpty)
    let records = try trace.records()
    #expect(records.events("printf").map { $0.text("fields") } == ["done"])
    #expect(records.sum("ticks", "") == 1)
    #expect(trace.process.log.count == 1 && trace.process.log[0].hasSuffix("the script has ended"))
  }

  @Test func aScriptRunsBesideAnObjectWithItsTwoCapabilities() throws {
    let setpriv = try #require(Machine.command("setpriv"))
    let path = try script(
      "tracepoint:sched:sched_process_exec /comm == \"\(name)\"/ { @mine[comm] = count(); }")
    let trace = try PrintedTrace(
      rig, "execs,\(path)",
      wrapper: [setpriv, "--bounding-set", "-all,+bpf,+perfmon", "--no-new-privs"])
    _ = try rig.shell("cp /bin/true \(name); for n in $(seq 20); do ./\(name); done")
    let records = try trace.records()
    #expect(trace.process.log == [])
    #expect(records.sum("mine", name) == 20)
    #expect(records.sum("execs", name) == 20)
  }
}
