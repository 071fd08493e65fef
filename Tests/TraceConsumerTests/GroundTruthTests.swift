import Foundation
import Testing

@testable import TraceConsumer

/// What is traced against witnesses that know.
@Suite(.needsTracing) struct GroundTruthTests {
  let subject: Subject

  init() throws { subject = try Subject() }

  @Test func execsByCommandAreThoseOfProcessAccounting() throws {
    let names = ["\(subject.command)a", "\(subject.command)b", "\(subject.command)c"]
    for name in names {
      try FileManager.default.copyItem(
        atPath: "/bin/true", toPath: subject.folder.appending(path: name).path())
    }
    let consumer = try Tracing.going(
      "tracepoint:sched:sched_process_exec { @[comm] = count(); }")
    let script = """
      cd \(subject.folder.path()) && : >accounts && accton accounts >/dev/null
      for n in 1 2 3 4 5 6 7; do ./\(names[0]); done; for n in 1 2 3; do ./\(names[1]); done
      ./\(names[2]); accton off >/dev/null
      """
    _ = try Subject.run("unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", script)
    let accounts = try Subject.run(
      "/usr/sbin/dump-acct", subject.folder.appending(path: "accounts").path())
    let walked = try consumer.walk()["@"] ?? [:]
    for name in names {
      let accounted = accounts.count { $0.hasPrefix("\(name) ") || $0.hasPrefix("\(name)|") }
      #expect(accounted > 0, "\(accounts)")
      #expect(walked[[.text(name)]] == .count(Int64(accounted)))
    }
    try consumer.stop()
  }

  @Test func bytesWrittenAreThoseOfTheKernelsOwnAccounts() throws {
    let consumer = try Tracing.going(
      """
      tracepoint:syscalls:sys_exit_write /comm == "\(subject.command)" && args->ret > 0/
        { @[pid] = sum(args->ret); }
      """)
    let written = try #require(try subject.run("write", "9000").first.flatMap { Int64($0) })
    #expect(written > 20_000_000)
    #expect(try consumer.walk()["@"]?.values.map { $0 } == [.sum(written)])
    try consumer.stop()
  }

  @Test func sleepsFallIntoTheRangesOfTheirOwnTiming() throws {
    let consumer = try Tracing.going(
      """
      tracepoint:syscalls:sys_enter_nanosleep /comm == "\(subject.command)"/ { @b[tid] = nsecs; }
      tracepoint:syscalls:sys_exit_nanosleep /@b[tid]/
        { @us = hist((nsecs - @b[tid]) / 1000); delete(@b[tid]); }
      """)
    let times = try subject.run("sleep").compactMap { Int64($0) }
    #expect(times.count == 100)
    guard case .quantize(let ranges) = try consumer.walk()["@us"]?[[]] else {
      Issue.record("no distribution")
      return
    }
    for range in ranges {
      let low = try #require(range.low)
      let high = try #require(range.high)
      #expect(Int64(times.count { (low...high).contains($0) }) == range.count, "\(low) to \(high)")
    }
    #expect(ranges.map(\.count).reduce(0, +) == 100)
    try consumer.stop()
  }

  @Test func uprobesAndUSDTCountWhatTheProgramCounts() throws {
    let consumer = try Tracing.going(
      """
      uprobe:\(subject.path):traced_function { @calls = count(); @sum = sum(arg0); }
      uretprobe:\(subject.path):traced_function { @returned = sum(retval); }
      usdt:\(subject.path):subject:called { @usdt = sum(arg0); }
      """)
    let said = try #require(subject.run("call", "20000").first).split(separator: " ")
      .compactMap { Int64($0) }
    let walked = try consumer.walk()
    #expect(said.count == 3 && said[0] == 20_000)
    #expect(walked["@calls"] == [[]: .count(said[0])])
    #expect(walked["@sum"] == [[]: .sum(said[1])])
    #expect(walked["@returned"] == [[]: .sum(said[2])])
    #expect(walked["@usdt"] == [[]: .sum(said[1])])
    try consumer.stop()
  }

  @Test func opensAreThoseOfStrace() throws {
    let consumer = try Tracing.going(
      """
      tracepoint:syscalls:sys_exit_openat /comm == "\(subject.command)"/
        { @[args->ret >= 0 ? "success" : "failure"] = count(); }
      """)
    let trace = subject.folder.appending(path: "trace").path()
    _ = try Subject.run(
      "strace", "-f", "-e", "trace=openat", "-o", trace, subject.path, "open", "300")
    let calls = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
      .filter { $0.contains("openat(") }
    let failures = calls.count { $0.contains("= -1 ") }
    #expect(failures == 100)
    #expect(
      try consumer.walk()["@"] == [
        [.text("success")]: .count(Int64(calls.count - failures)),
        [.text("failure")]: .count(Int64(failures)),
      ])
    try consumer.stop()
  }

  @Test func blockSectorsAreThoseOfTheDevice() throws {
    let image = subject.folder.appending(path: "image").path()
    _ = try Subject.run("truncate", "-s", "64M", image)
    let device = try #require(Subject.run("losetup", "--find", "--show", image).first)
    defer { _ = try? Subject.run("losetup", "--detach", device) }
    let name = try #require(device.split(separator: "/").last)
    func sectors() throws -> Int64 {
      let fields = try String(contentsOfFile: "/sys/block/\(name)/stat", encoding: .utf8)
        .split(separator: " ").compactMap {
          Int64($0.trimmingCharacters(in: .whitespacesAndNewlines))
        }
      return fields[2] + fields[6]
    }
    let numbers = try String(contentsOfFile: "/sys/block/\(name)/dev", encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines).split(separator: ":").compactMap { Int($0) }
    let consumer = try Tracing.going(
      """
      tracepoint:block:block_rq_complete /args->dev == \(numbers[0] << 20 | numbers[1])/
        { @ = sum(args->nr_sector); }
      """)
    let before = try sectors()
    _ = try Subject.run(
      "dd", "if=/dev/zero", "of=\(device)", "bs=64k", "count=300", "oflag=direct", "status=none")
    _ = try Subject.run(
      "dd", "if=\(device)", "of=/dev/null", "bs=4k", "count=500", "iflag=direct", "status=none")
    let moved = try sectors() - before
    #expect(moved == 300 * 128 + 500 * 8)
    #expect(try consumer.walk()["@"] == [[]: .sum(moved)])
    try consumer.stop()
  }

  @Test func threeMillionReadsInWindowsOf200MillisecondsAddUpExactly() throws {
    let consumer = try Tracing.going(
      "tracepoint:syscalls:sys_enter_read /comm == \"\(subject.command)\" && args->fd == 77/ { @[cpu] = count(); }"
    )
    let reading = Process()
    reading.executableURL = URL(filePath: subject.path)
    reading.arguments = ["read", "3000000"]
    try reading.run()
    var windows: [Int64] = []
    var last = false
    repeat {
      last = !reading.isRunning
      let counts = try (consumer.walk()["@"] ?? [:]).values
      windows.append(
        counts.map { if case .count(let count) = $0 { count } else { 0 } }.reduce(0, +))
      if !last { usleep(200_000) }
    } while !last
    reading.waitUntilExit()
    #expect(windows.reduce(0, +) == 3_000_000)
    #expect(windows.count { $0 > 0 } >= 3, "\(windows)")
    try consumer.stop()
    #expect(try consumer.walk().isEmpty)
  }
}
