import CLinux
import Foundation
import Testing

/// Where the kernel accounts pressure on this machine.
enum Pressure {
  static let isThere = FileManager.default.fileExists(atPath: "/proc/pressure/cpu")

  /// The root of cgroup v2, where there is one that can be written to and accounts pressure.
  static let cgroups: String? = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].first {
    access($0 + "/cgroup.controllers", F_OK) == 0 && access($0, W_OK) == 0
      && access($0 + "/cpu.pressure", F_OK) == 0
  }

  /// The totals of a pressure file in seconds, read here and now.
  static func totals(_ path: String) throws -> (some: Double?, full: Double?) {
    var totals: (some: Double?, full: Double?)
    for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
      let total = try #require(line.components(separatedBy: "total=").last.flatMap(Double.init))
      if line.hasPrefix("some") { totals.some = total / 1e6 } else { totals.full = total / 1e6 }
    }
    return totals
  }

  /// Whether the kernel gives this process a trigger of its own with this window.
  static func allows(_ trigger: String, on path: String = "/proc/pressure/cpu") -> Bool {
    let file = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
    defer { close(file) }
    return file >= 0 && write(file, trigger, trigger.utf8.count + 1) > 0
  }
}

extension Trait where Self == ConditionTrait {
  static var needsPressure: Self {
    .needs("needs /proc/pressure: boot with psi=1") { Pressure.isThere }
  }

  static var needsCgroups: Self {
    .needs("needs root, and a cgroup v2 that accounts pressure") { Pressure.cgroups != nil }
  }
}

/// Somebody else who has set a trigger, and notes when the kernel fires it.
final class PressureWitness: @unchecked Sendable {
  private let file: Int32
  private let lock = NSLock()
  private var times: [Double] = []
  private var isStopped = false
  private let ended = DispatchSemaphore(value: 0)

  /// A trigger as the kernel reads it: `some 150000 2000000`.
  init(_ path: String, _ trigger: String) throws {
    file = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
    try #require(file >= 0 && write(file, trigger, trigger.utf8.count + 1) > 0)
    let thread = Thread { [self] in watch() }
    thread.start()
  }

  /// Call it at the end.
  func stop() {
    lock.withLock { isStopped = true }
    ended.wait()
    close(file)
  }

  /// Unix times.
  var fired: [Double] { lock.withLock { times } }

  private func watch() {
    while !lock.withLock({ isStopped }) {
      var descriptor = pollfd(fd: file, events: Int16(POLLPRI), revents: 0)
      guard poll(&descriptor, 1, 100) == 1 else { continue }
      var time = timespec()
      clock_gettime(CLOCK_REALTIME, &time)
      if descriptor.revents & Int16(POLLERR) != 0 { break }
      lock.withLock { times.append(Double(time.tv_sec) + Double(time.tv_nsec) / 1e9) }
    }
    ended.signal()
  }
}

/// Processes that want all CPUs, of the lowest priority: whoever else wants one gets it at once.
final class Hogs {
  private let processes: [ChildProcess]

  /// More than there are CPUs, so that some of them always wait; in a cgroup, if one is given.
  init(in folder: URL, cgroup: Cgroup? = nil) throws {
    let chrt = try #require(Machine.command("chrt"))
    processes = try (0..<(ProcessInfo.processInfo.activeProcessorCount * 2 + 2)).map { _ in
      try ChildProcess(
        [
          chrt, "--idle", "0", "/bin/sh", "-c",
          (cgroup.map { "echo $$ > \($0.path)/cgroup.procs; " } ?? "") + "while :; do :; done",
        ], name: "hog", in: folder)
    }
  }

  func stop() {
    for process in processes { process.kill() }
  }
}

/// A cgroup of the test's own.
final class Cgroup {
  let path: String
  let name: String

  init(_ name: String) throws {
    self.name = name
    path = try #require(Pressure.cgroups) + "/" + name
    try #require(mkdir(path, 0o755) == 0, "mkdir \(path)")
  }

  deinit { try? remove() }

  func remove() throws {
    try eventually("\(name) is empty") { rmdir(path) == 0 || errno == ENOENT }
  }
}

/// mosquitto_sub(1), which notes when each message arrived.
final class TimedSubscriber {
  private let process: ChildProcess

  init(_ rig: Rig) throws {
    let command = try #require(Machine.command("mosquitto_sub"))
    process = try ChildProcess(
      [
        "/usr/bin/stdbuf", "-oL", command, "-h", "127.0.0.1", "-p", "\(rig.broker().port)",
        "-V", "5", "-q", "1", "-t", "stats/\(rig.name)/#", "-d", "-F", "message %U %p",
      ], name: "mosquitto_sub", in: rig.folder)
    let process = process
    try eventually("mosquitto_sub has subscribed") {
      process.output.contains { $0.hasPrefix("Subscribed") }
    }
  }

  /// When each record of this kind arrived, as Unix time, and what it was.
  func arrivals(_ kind: String) throws -> [(time: Double, message: Message)] {
    try process.output.compactMap { line in
      let parts = line.split(separator: " ", maxSplits: 2)
      guard parts.count == 3, parts[0] == "message", let time = Double(parts[1]) else { return nil }
      let message = try Message(printed: String(parts[2]))
      return message.text("kind") == kind ? (time, message) : nil
    }
  }
}

extension Message {
  /// What a program printed, as if it had come without a topic.
  init(printed line: String) throws {
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
    self.init(
      topic: "", isRetained: false, payload: line,
      members: try #require(object as? [String: Any]))
  }
}
