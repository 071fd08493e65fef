import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

@Suite(.serialized) struct PlotLoadTests {
  /// CPU time of a process in seconds: utime and stime of proc_pid_stat(5).
  private func cpuSeconds(_ id: pid_t) throws -> Double {
    let stat = try String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)
    let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
    return (Double(fields[12]) ?? 0) / 100 + (Double(fields[13]) ?? 0) / 100
  }

  /// 20 lines, 1,000 messages a second, in a terminal: what of a CPU it takes. Built
  /// with optimization it needs less than a fifth of one (STATS_RECORDING names such a program);
  /// without, as tests are built, some more.
  @Test(.needs(command: "tmux"), .needs(command: "mosquitto"))
  func aThousandMessagesASecondAreDrawn() throws {
    let rig = try Rig()
    let tool = try ProcessInfo.processInfo.environment["STATS_RECORDING"] ?? Rig.toolPath()
    let screen = try Screen(
      rig, "exec \(tool) plot user_seconds --host 127.0.0.1 --port \(try rig.broker().port)",
      width: 110, height: 40)
    _ = try screen.eventually("it waits") { $0.has("waiting for a record") }
    var device = PublishedDevice("pi-7")
    let count = 10_000
    let start = Date().timeIntervalSince1970
    for number in 0..<count {
      let time = start + Double(number) / 1000
      device.add(
        "cyclic-file-read", "cpu/\(number % 20)", kind: "cpu_times", at: time,
        """
        "cpu":"\(number % 20)","user_seconds":\(String(format: "%.3f", Double(number) / 2000)),\
        "nice_seconds":5.55,"system_seconds":226.24,\
        "idle_seconds":\(String(format: "%.3f", Double(number) / 1000)),"iowait_seconds":11.5,\
        "interrupt_seconds":0,"soft_interrupt_seconds":3.67,"steal_seconds":1.61,"guest_seconds":0,\
        "guest_nice_seconds":0
        """)
    }
    let id = try #require(pid_t(screen.state("pane_pid")))
    let before = try cpuSeconds(id)
    let began = Date()
    try PublishedDevice.publish(device.messages, to: rig.broker().port, perSecond: 1000)
    let seconds = -began.timeIntervalSinceNow
    let share = (try cpuSeconds(id) - before) / seconds
    let rows = try screen.eventually("all lines are there") { $0.has("cpu/15 user_seconds  min") }
    #expect(!rows.has("missing"), "\(rows)")
    print(
      String(
        format: "plot: %.1f %% of a CPU at %.0f messages/s, 20 lines", share * 100,
        Double(count) / seconds))
    #expect(share < (tool == (try? Rig.toolPath()) ? 0.35 : 0.2))
  }
}
