import Daemon
import Linux
import Records

/// What a person asked for.
struct Settings {
  let triggers: [Trigger]
  /// Time between plain samples in nanoseconds; 0: none.
  let interval: UInt64
  let cgroups: [CgroupPattern]
  let procfs: Text
  /// Where cgroup v2 is; nil: nowhere, or nobody asked.
  let cgroupfs: Text?

  init(_ options: inout Options) {
    triggers = Self.triggers(&options)
    interval =
      options.intervalOrOff(
        "interval", default: .seconds(0), atLeast: Interval(nanoseconds: 10_000_000),
        atMost: .seconds(86_400), "time between plain samples, or off")?.nanoseconds ?? 0
    if triggers.isEmpty && interval == 0 {
      options.fail("--trigger none: then say --interval TIME too")
    }
    cgroups = Self.cgroups(&options)
    procfs = options.text("procfs", "DIR", default: "/proc", "where procfs is")
    let root = options.text(
      "cgroupfs", "DIR", "where cgroup v2 is [/sys/fs/cgroup, or unified in it]")
    cgroupfs = cgroups.isEmpty ? nil : CgroupTree.root(root)
  }

  private static func triggers(_ options: inout Options) -> [Trigger] {
    let texts = options.texts(
      "trigger", "TRIGGER", standard: defaults,
      "RESOURCE:SCOPE:THRESHOLD/WINDOW, may be repeated; none: no triggers")
    if texts.isEmpty { return Trigger.defaults }
    if texts.count == 1 && texts[0] == "none" { return [] }
    var triggers: [Trigger] = []
    for text in texts {
      do throws(Trigger.ParseError) {
        let trigger = try Trigger(parsing: text)
        if !triggers.contains(trigger) { triggers.append(trigger) }
      } catch {
        options.fail("--trigger \(text): \(error.reason)")
      }
    }
    return triggers
  }

  private static var defaults: Text {
    var list = Text()
    for trigger in Trigger.defaults {
      list = Text("\(list)\(list.isEmpty ? "" : " ")\(trigger.description)")
    }
    return list
  }

  private static func cgroups(_ options: inout Options) -> [CgroupPattern] {
    let texts = options.texts(
      "cgroup", "PATH",
      "watch this cgroup too, may be repeated; * ? [] in a part fit any: system.slice/*.service")
    var patterns: [CgroupPattern] = []
    for text in texts {
      if let pattern = CgroupPattern(parsing: text) {
        patterns.append(pattern)
      } else {
        options.fail(
          "--cgroup \(text): a path below the root of cgroup v2, without . and ..")
      }
    }
    return patterns
  }
}
