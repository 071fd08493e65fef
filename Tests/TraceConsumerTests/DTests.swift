import Foundation
import Testing

@testable import TraceConsumer

/// The d engine's contract, on a real libdtrace and this kernel.
@Suite(.needsDTrace, .serialized) struct DTests {
  @Test func aRecordHasItsProbeAndAnEnd() throws {
    #expect(
      try DTraceRoot.run(
        #"BEGIN { printf("hi %d\n", 42); trace(7); trace("abc"); trace((int8_t)-3); exit(0); }"#,
        "follow") == [
          #"dtrace:::BEGIN on true printed "hi 42\n""#, "dtrace:::BEGIN values [7]",
          "dtrace:::BEGIN values [abc]", "dtrace:::BEGIN values [-3]", "dtrace:::BEGIN end", "over",
        ])
  }

  @Test func recordsOfTheEndCanBeConsumedAfterStop() throws {
    #expect(
      try DTraceRoot.run(
        #"END { printf("bye\n"); @ = count(); }"#, "consume", "stop", "consume", "walk")
        == [
          "stopped", #"dtrace:::END on true printed "bye\n""#, "dtrace:::END end",
          "1 @[] count 1", "walked",
        ])
  }

  /// The values that node-libdtrace's own test expects, and those of the functions that it leaves out.
  @Test func eachFunctionHasItsValueOnce() throws {
    #expect(
      try DTraceRoot.run(
        """
        BEGIN { @["foo", "bar", 9904, 61707] = count(); @a = avg(30); @a = avg(1); @s = sum(3);
          @s = sum(-5); @min = min(4); @min = min(-2); @max = max(-9); @q = quantize(2);
          @q = quantize(4); @q = quantize(5); @q = quantize(8); @q = quantize(-5);
          @l = lquantize(2, 3, 7, 3); @l = lquantize(4, 3, 7, 3); @l = lquantize(5, 3, 7, 3);
          @l = lquantize(8, 3, 7, 3); @ll = llquantize(15, 10, 0, 2, 10);
          @ll = llquantize(-7, 10, 0, 2, 10); @ll = llquantize(0, 10, 0, 2, 10);
          @ll = llquantize(5000, 10, 0, 2, 10); @d = stddev(5); @d = stddev(9); }
        """, "walk", "walk", "stop", "walk") == [
          "1 @[foo,bar,9904,61707] count 1", "2 @a[] average 15.5", "3 @s[] sum -2",
          "4 @min[] min -2", "5 @max[] max -9", "6 @q[] quantize -7..-4=1 2..3=1 4..7=2 8..15=1",
          "7 @l[] lquantize ..2=1 3..5=2 6..=1",
          "8 @ll[] llquantize -7..-7=1 0..0=1 10..19=1 1000..=1", "9 @d[] deviation 2.0", "walked",
          "walked", "stopped", "walked",
        ])
  }

  @Test func printaAndNormalizeDoWhatTheyDoInD() throws {
    #expect(
      try DTraceRoot.run(
        #"BEGIN { @s = sum(3000); @n = sum(3000); normalize(@n, 1000); printa("%@d\n", @s); }"#,
        "consume", "walk", "stop") == [
          #"dtrace:::BEGIN on true printed "3000\n""#, "dtrace:::BEGIN end", "1 @s[] sum 3000",
          "2 @n[] sum 3", "walked", "stopped",
        ])
  }

  @Test func walksGiveWhatCameSinceAndNothingIsLostBetween() throws {
    #expect(
      try DTraceRoot.run(
        "syscall::read:entry /pid == $pid && arg0 == 77/ { @ = count(); }", "reads=10", "walk",
        "reads=20", "walk", "walk", "reads=30", "clear", "reads=4", "walk", "windows=1000000",
        "stop",
        "walk") == [
          "1 @[] count 10", "walked", "1 @[] count 20", "walked", "walked", "1 @[] count 4",
          "walked",
          "counted 1000000 in several windows: true", "stopped", "walked",
        ])
  }

  @Test func allCallsMayComeFromAnyThread() throws {
    #expect(
      try DTraceRoot.run(
        "syscall::read:entry /pid == $pid && arg0 == 77/ { @ = count(); trace(1); }",
        "threads=200000", "stop", "walk") == ["counted 200000", "stopped", "walked"])
  }

  @Test func aProcessRunsOneProgramAfterAnyNumberOfWrongOnes() throws {
    let refusal =
      "refused: libdtrace runs one program in a process: start another process for the next"
    #expect(
      try DTraceRoot.run(
        "--before", "BEGIN { @ = ; }",
        "syscall::read:entry /pid == $pid && arg0 == 77/ { @ = count(); }", "reads=3", "second",
        "reads=4", "walk", "stop", "second") == [
          "refused: line 1: syntax error near \";\"", refusal, "1 @[] count 7", "walked", "stopped",
          refusal,
        ])
  }

  @Test func whatFailsInAProbeIsARecord() throws {
    let lines = try DTraceRoot.run("BEGIN { trace(*(int *)0); }", "consume", "stop")
    #expect(lines.count == 2)
    #expect(lines.first?.contains("dtrace:::BEGIN lost: 1 failures: error in ") == true, "\(lines)")
    #expect(lines.first?.contains("invalid address (0x0)") == true)
  }

  @Test func lossesAreToldAndNothingElseIsMissing() throws {
    let reads = 30_000
    let lines = try DTraceRoot.run(
      options: ["bufsize": "16k"],
      "syscall::read:entry /pid == $pid && arg0 == 77/ { trace(1); }", "reads=\(reads)", "consume",
      "stop", "consume")
    let values = lines.count { $0.hasSuffix("values [1]") }
    let lost = lines.compactMap { line in
      line.firstMatch(of: #/lost: (\d+) events lost: the engine's buffers were full/#)
        .flatMap { Int($0.1) }
    }
    #expect(!lost.isEmpty && values + lost.reduce(0, +) == reads, "\(values) \(lost)")
  }

  @Test func aFullAggregationIsTold() throws {
    let lines = try DTraceRoot.run(
      options: ["aggsize": "1k"], "profile-997 { @[timestamp] = count(); }", "follow=1", "stop",
      "consume")
    #expect(lines.contains { $0.contains("an aggregation is full; option aggsize") }, "\(lines)")
  }

  @Test(arguments: [
    ("BEGIN {\n  foo( }", "line 2: syntax error near \"}\""),
    ("BEGIN {\n\n  trace(nosuch); }", "line 3: "), ("", "empty D program"),
    ("syscall::nosuch:entry { }", "does not match any probes"),
    ("BEGIN { stop(); }", "stop() is not implemented"),
  ])
  func aWrongProgramHasAMessageAndALine(_ program: String, _ words: String) throws {
    let lines = try DTraceRoot.run(program, "stop")
    #expect(
      lines.count == 1 && lines[0].hasPrefix("error: ") && lines[0].contains(words), "\(lines)")
  }

  @Test func optionsAreLibdtracesOwn() throws {
    #expect(
      try DTraceRoot.run(
        options: ["strsize": "4"], #"BEGIN { trace("abcdefgh"); exit(0); }"#, "consume", "stop"
      )
      .first == "dtrace:::BEGIN values [abc]")
    let unknown = try DTraceRoot.run(options: ["bufsiz": "4m"], "BEGIN { }")
    #expect(unknown.first?.hasPrefix("error: unknown option bufsiz; there are aggsize, ") == true)
    let reserved = try DTraceRoot.run(options: ["nolibs": ""], "BEGIN { }")
    #expect(reserved.first?.hasPrefix("error: unknown option nolibs; there are ") == true)
    let bad = try DTraceRoot.run(options: ["bufsize": "much"], "BEGIN { }")
    #expect(
      bad.first?.hasPrefix("error: option bufsize needs a value that libdtrace takes, not much")
        == true)
  }

  @Test func manyClausesDoNotOverrunLibdtrace() throws {
    let clauses = (1...20).map { "BEGIN { trace(\($0)); }" }.joined()
    let lines = try DTraceRoot.run(clauses, "consume", "stop")
    #expect(
      lines == (1...20).flatMap { ["dtrace:::BEGIN values [\($0)]", "dtrace:::BEGIN end"] }
        + ["stopped"])
  }

  @Test func aDroppedConsumerLeavesNothingInTheKernel() throws {
    let lines = try DTraceRoot.run("BEGIN { @ = count(); }", "uprobes", "drop", "uprobes")
    #expect(lines == ["2 uprobes of its own", "dropped", "0 uprobes of its own"])
  }

  @Test func theVersionNamesTheEngine() throws {
    #expect(try DTraceRoot.run().first?.wholeMatch(of: #/libdtrace 2\.\d+\.\d+/#) != nil)
  }

  @Test func whoIsNotRootIsRefused() throws {
    let lines = try DTraceRoot.run(isRoot: false, "BEGIN { }", "stop")
    #expect(lines.count == 1 && lines[0].hasPrefix("error: needs root: "), "\(lines)")
  }

  @Test func withoutDebugfsThereAreNoProbes() throws {
    #expect(
      try DTraceRoot.run(hasDebugfs: false, "BEGIN { }", "stop") == [
        "error: debugfs is not mounted, in which libdtrace looks for probes: "
          + "mount -t debugfs debugfs /sys/kernel/debug"
      ])
  }

  /// Whether the kernel lacks it depends on how it was built.
  @Test func aKernelWithoutItsSymbolsSaysWhichOptionHelps() throws {
    let symbols = try DTraceRoot.text(of: "/proc/kallsyms")
    let lines = try DTraceRoot.run(
      options: ["syslibdir": ""], "BEGIN { trace(1); exit(0); }", "consume", "stop")
    if symbols.contains(" major_names\n") {
      #expect(lines == ["dtrace:::BEGIN values [1]", "dtrace:::BEGIN end", "stopped"])
    } else {
      #expect(lines.count == 1 && lines[0].contains("KALLSYMS_ALL"), "\(lines)")
      #expect(lines[0].contains("option syslibdir"), "\(lines)")
    }
  }

  @Test func theLayoutsAreThoseOfLibdtracesOwnHeader() throws {
    let source = URL(filePath: #filePath).deletingLastPathComponent()
    let package = source.deletingLastPathComponent().deletingLastPathComponent()
    _ = try Subject.run(
      "cc", "-fsyntax-only", "-Wall", "-Werror", "-Wno-comment",
      "-I\(source.appending(path: "Programs/DTraceHeaders").path())",
      "-I\(package.appending(path: "Sources/CTrace/include").path())",
      "-isystem", DTraceRoot.folder.appending(path: "usr/include").path(),
      source.appending(path: "Programs/libdtrace-layout.c").path())
  }
}

/// Where libdtrace is not, which is so on Debian 12 and 13.
struct DAbsenceTests {
  @Test func aMissingLibraryIsAnErrorThatNamesThePackage() throws {
    // A process of its own in which no library of that name can be opened.
    let lines = try DTraceRoot.runWithoutLibdtrace()
    #expect(
      lines.first?.hasPrefix("error: libdtrace 2 is not installed: apt-get install libdtrace2, ")
        == true, "\(lines)")
    #expect(lines.first?.contains("libdtrace.so.2: ") == true)
  }

  @Test func callsInTheWrongOrderAreRefused() throws {
    #expect(throws: TraceError.outOfOrder("compile a program before go")) {
      try TraceConsumer(.d).go()
    }
    #expect(throws: TraceError.self) { try TraceConsumer(.d).stop() }
    #expect(throws: TraceError.self) { try TraceConsumer(.d).walk() }
  }
}
