import Foundation
import Testing
import TraceConsumer

@testable import DeviceRig
@testable import stats_recording

struct TraceTests {
  let rig: Rig

  init() throws { rig = try Rig() }

  /// With a tracefs of its own, which the machine may lack.
  private func trace(
    _ arguments: String...,
    before: String =
      "{ [ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing; }"
  ) throws -> ChildProcess {
    let script = "\(before) && exec \"$0\" trace \"$@\""
    return try ChildProcess(
      [
        try #require(Machine.command("unshare")), "--mount", "--propagation", "private", "sh", "-c",
        script, try Rig.toolPath(),
      ] + arguments, name: "trace", in: rig.folder)
  }

  @Test(.needsRoot, .needs(command: "bpftrace"))
  func whatAProgramPrintsAndAggregatesIsShown() throws {
    let trace = try trace(
      "-e",
      #"BEGIN { printf("hi\n"); @q = hist(5); @q = hist(40); @["a", 1] = count(); exit(); }"#)
    #expect(try trace.wait(within: 60) == 0)
    #expect(
      trace.output == [
        "hi", "@q:", "    4 to 7  1  " + String(repeating: "█", count: 65), "   8 to 15  0",
        "  16 to 31  0", "  32 to 63  1  " + String(repeating: "█", count: 65), "@[a, 1]  1",
      ])
    #expect(trace.log == [])
  }

  @Test(.needsRoot, .needs(command: "bpftrace"))
  func aTimeEndsItAndPlotDrawsMeanwhile() throws {
    let trace = try trace(
      "--plot", "--interval", "200ms", "--for", "1s", "-e", "interval:ms:50 { @n = count(); }")
    #expect(try trace.wait(within: 60) == 0)
    let counts = trace.output.compactMap { line in
      line.wholeMatch(of: #/@n +(\d+)/#).flatMap { Int($0.1) }
    }
    #expect(counts.count >= 3 && counts == counts.sorted())
    // 20 in a second; more where a busy machine is late to end it.
    #expect((12...100).contains(counts.last ?? 0), "\(counts)")
  }

  @Test(.needsRoot, .needs(command: "bpftrace"))
  func anInterruptStillShowsWhatThereIs() throws {
    let trace = try trace("-e", #"BEGIN { printf("ready\n"); @n = count(); }"#)
    try eventually("the program runs", within: 30) { trace.output == ["ready"] }
    trace.send(SIGINT)
    #expect(try trace.wait(within: 60) == -SIGINT)
    #expect(trace.output == ["ready", "@n  1"])
  }

  @Test(.needsRoot, .needs(command: "bpftrace"))
  func whenItIsKilledTheEngineGoesToo() throws {
    let trace = try trace("-e", #"BEGIN { printf("%d\n", pid); }"#)
    try eventually("the program runs", within: 30) { trace.output.count == 1 }
    let engine = try #require(trace.output.first.flatMap { pid_t($0) })
    #expect(kill(engine, 0) == 0)
    trace.kill()
    try eventually("bpftrace ends", within: 30) { kill(engine, 0) != 0 }
  }

  @Test(
    .needsRoot, .needs(command: "bpftrace"),
    arguments: [
      (
        ["-e", "BEGIN { @a = nosuch; }"], "true", "line 1, column 14: Unknown identifier: 'nosuch'"
      ),
      (
        ["-e", "BEGIN { }", "--option", "x=1"], "true", "unknown option x; there are attach_timeout"
      ),
      (["/nonexistent"], "true", "cannot read /nonexistent"),
      (
        ["-e", "tracepoint:sched:sched_switch { }"], "mount -t tmpfs none /sys/kernel",
        "tracefs is not mounted"
      ),
      (
        ["-e", "BEGIN { }"], "mount --bind /dev/null $(command -v bpftrace)",
        "bpftrace is not installed: apt-get install bpftrace"
      ),
      (
        ["--engine", "d", "-e", "BEGIN { }"],
        "for l in /usr/lib/*/libdtrace.so.2; do [ ! -e $l ] || mount --bind /dev/null $l; done",
        "libdtrace 2 is not installed: apt-get install libdtrace2, which Debian has from 14"
      ),
      (
        ["-e", "BEGIN { }"], "alias exec='exec setpriv --reuid 65534 --clear-groups'", "needs root"
      ),
    ])
  func whatIsWrongIsOneLine(_ arguments: [String], _ before: String, _ words: String) throws {
    let script = "\(before)\nexec \"$0\" trace \"$@\""
    let run = try rig.run(
      ["/usr/bin/unshare", "--mount", "--propagation", "private", "sh", "-c", script]
        + [try Rig.toolPath()] + arguments, within: 60)
    #expect(run.status != 0)
    #expect(run.output == [])
    #expect(run.log.first?.contains(words) == true, "\(run.log)")
  }

  @Test(.needsRoot) func precompiledProgramsNeedNoCompiler() throws {
    let folder = Machine.packageRoot.appending(path: ".build/bpf")
    let trace = try trace(
      "--engine", "object", "--plot", "--interval", "100ms", "--for", "60s",
      folder.appending(path: "system-calls.manifest").path())
    // It waits, of all things, with system calls.
    try eventually("the program counts", within: 30) { !trace.output.isEmpty }
    let name = "dd\(getpid())"
    let copy = rig.folder.appending(path: name)
    try FileManager.default.createSymbolicLink(
      at: copy, withDestinationURL: URL(filePath: try #require(Machine.command("dd"))))
    let copying = try rig.run(
      [copy.path(), "if=/dev/zero", "of=/dev/null", "bs=1", "count=100000"], within: 30)
    #expect(copying.status == 0)
    trace.send(SIGINT)
    #expect(try trace.wait(within: 30) == -SIGINT)
    let calls = trace.output.last { $0.hasPrefix("calls[\(name)]") }
    let count = try #require(calls?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    // A read and a write each, and what starts and ends a program.
    #expect((200_000...200_300).contains(count))
    #expect(trace.log == [])
  }

  @Test func gapsOfADistributionAreShown() {
    let ranges = [TraceRange(nil, -1, 8), TraceRange(0, 0, 4), TraceRange(4, 7, 1)]
    #expect(
      TraceBars.lines(ranges, .doubling, width: 29) == [
        "  up to -1  8  ██████████████", "         0  4  ███████", "         1  0",
        "    2 to 3  0", "    4 to 7  1  █▊",
      ])
    let steps = [TraceRange(3, 4, 2), TraceRange(9, nil, 2)]
    #expect(
      TraceBars.lines(steps, .equal, width: 23) == [
        "  3 to 4  2  ██████████", "  5 to 6  0", "  7 to 8  0", "  from 9  2  ██████████",
      ])
    let uneven = [TraceRange(9, 9, 1), TraceRange(100, 199, 2)]
    #expect(
      TraceBars.lines(uneven, .uneven, width: 30) == [
        "           9  1  ██████▌", "  100 to 199  2  █████████████",
      ])
  }
}
