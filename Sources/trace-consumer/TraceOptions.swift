import Daemon
import Linux

/// Which programs run, where they are, and how often their aggregations are told.
struct TraceOptions {
  /// Names of shipped programs, or paths of manifests and of bpftrace scripts.
  let programs: [Text]
  let folder: Text
  let interval: Interval

  init(_ options: inout Options) {
    interval = options.interval(
      "interval", default: .seconds(5), atLeast: Interval(nanoseconds: 10_000_000),
      atMost: .seconds(86_400), "time between records of an aggregation: 100ms, 5s, 1min")
    let lists = options.texts(
      "programs", "LIST", standard: Self.standard,
      "which programs run: names, or paths of manifests or bpftrace scripts (.bt), with commas between; may be repeated"
    )
    folder = options.text(
      "folder", "DIR", default: "/usr/lib/stats-recording/trace", "where the programs are by name")
    var programs: [Text] = []
    for list in lists.isEmpty ? [Self.standard] : lists {
      for name in list.bytes.split(whereSeparator: { $0 == UInt8(ascii: ",") || $0 <= 0x20 }) {
        let name = Text(name)
        if !programs.contains(name) { programs.append(name) }
      }
    }
    if programs.isEmpty { options.fail("--programs: name at least one, such as execs") }
    self.programs = programs
  }

  /// What costs a busy machine next to nothing.
  private static let standard: Text = "exits-by-signal, oom-kills, tcp-retransmissions"
}
