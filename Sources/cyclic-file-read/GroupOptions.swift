import Daemon
import Linux

/// Where the files are, and how often each group reads them.
struct GroupOptions {
  let procfs: Text
  let sysfs: Text
  let showsUnusedDisks: Bool
  let showsAllFileSystems: Bool
  let processCount: Int
  private var intervals: [Interval?] = []

  init(_ options: inout Options) {
    procfs = options.text("procfs", "DIR", default: "/proc", "where procfs is mounted")
    sysfs = options.text("sysfs", "DIR", default: "/sys", "where sysfs is mounted")
    let interval = options.interval(
      "interval", default: .seconds(5), atLeast: Self.shortest, atMost: Self.longest,
      "time between samples of a group that has none of its own below: 500ms, 5s, 1min")
    for name in GroupName.allCases {
      var fallback = interval
      if let slowest = name.slowest, slowest.nanoseconds > interval.nanoseconds {
        fallback = slowest
      }
      intervals.append(
        options.intervalOrOff(
          name.option, default: fallback, atLeast: Self.shortest, atMost: Self.longest,
          name.meaning))
    }
    showsUnusedDisks = options.flag(
      "unused-disks", "report loop and RAM devices too that nobody has used yet")
    showsAllFileSystems = options.flag(
      "all-file-systems", "report file systems in memory, images and layers of containers too")
    processCount = options.number(
      "process-count", default: 10, in: 0...1000,
      "how many processes to report: so many by CPU time, so many by memory")
    if intervals.allSatisfy({ $0 == nil }) { options.fail("every group is switched off") }
  }

  /// nil if the group is switched off.
  func interval(of name: GroupName) -> Interval? { intervals[Int(name.rawValue)] }

  private static let shortest = Interval(nanoseconds: 10_000_000)
  private static let longest = Interval.seconds(86_400)
}
