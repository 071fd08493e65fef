import Foundation
import Records
import Testing

/// A device that things happen to: a bridge with an outbox in a file and a spill, behind a ``Tap``.
final class FaultRig {
  let rig: Rig
  let broker: Broker
  let tap: Tap
  private(set) var bridge: ChildProcess?
  private(set) var loads: [LoadGenerator] = []
  let outbox: String
  let spill: String
  private var options: [String]
  private var mounts: HeldScript?
  let link: NetworkLink?

  /// How long the long form of a test takes, in seconds: STATS_FAULT_SECONDS; nil: the short form.
  static let seconds = ProcessInfo.processInfo.environment["STATS_FAULT_SECONDS"].flatMap(
    Double.init)
  /// How often something random is tried, compared to the short form.
  static let thoroughness = seconds == nil ? 1 : 10

  /// How many records are in flight at most, unless a test says otherwise.
  static let window = 100

  /// `isLinked` puts the bridge at the other end of a ``NetworkLink``; `host` is how it calls the server.
  /// `mounts` are the options of tmpfs file systems for the folders of outbox and spill; `outbox` is a
  /// folder for the outbox in memory.
  init(
    _ options: String..., brokerSettings: String = "", queueDepth: Int = 10, mounts: String? = nil,
    isLinked: Bool = false, host: String? = nil, outbox folder: String? = nil
  ) throws {
    rig = try Rig()
    broker = try rig.broker(
      settings: "listener PORT 127.0.0.1\nallow_anonymous true\n\(brokerSettings)")
    link = isLinked ? try NetworkLink(rig) : nil
    tap = try Tap(to: broker, over: link)
    let place = folder == nil ? "\(rig.folder.path())/" : "\(folder!)/\(rig.name)."
    outbox = "\(place)\(mounts == nil ? "" : "o/")outbox"
    spill = "\(rig.folder.path())/\(mounts == nil ? "" : "s/")spill"
    self.options =
      [
        "--host", host ?? (isLinked ? NetworkLink.server : "127.0.0.1"), "--port", "\(tap.port)",
        "--device-id", rig.name,
        "--reconnect-max", "1s", "--outbox", outbox, "--spill-folder", spill, "--status-interval",
        "1s",
      ] + options
    try makeQueues(depth: queueDepth)
    if let mounts { self.mounts = try Self.mount(mounts, rig) }
  }

  /// Gives the outbox and the spill a file system each.
  private static func mount(_ options: String, _ rig: Rig) throws -> HeldScript {
    try HeldScript(
      """
      for folder in o s; do
        mkdir -m 700 "$2/$folder" && mount -t tmpfs -o "mode=700,$1" none "$2/$folder" || exit
      done
      echo ready
      cat >/dev/null
      umount "$2/o" "$2/s"
      """, [options, rig.folder.path()], rig)
  }

  private func makeQueues(depth: Int) throws {
    let queues = Program.allCases.flatMap { ["\(rig.queuePrefix)\($0.name)", "\(depth)"] }
    let result = try rig.run([FaultTool.makeQueues.get()] + queues)
    try #require(result.status == 0, "\(result.log)")
  }

  deinit {
    loads.removeAll()
    bridge?.kill()
    tap.end()
    try? mounts?.end()
    try? link?.end()
    if !outbox.hasPrefix(rig.folder.path()) { unlink(outbox) }
  }

  /// Records that have arrived at least once.
  var arrived: Int { tap.arrivals.distinct(loads) }
  /// The resident memory in KiB that a bridge with an outbox of 4 MiB may have.
  static let memoryLimit = 16 << 10

  var spillFiles: [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: spill).sorted()) ?? []
  }

  /// The bridge's command line.
  var command: [String] {
    get throws {
      try Rig.command("posix-mq-to-mqtt-bridge", on: .amd64)
        + ["--config", "/dev/null", "--queue-prefix", rig.queuePrefix] + options
    }
  }

  /// Starts the bridge, again if need be; `command` stands before it, such as a tracer.
  @discardableResult
  func start(under command: [String] = [], environment: [String: String] = [:]) throws
    -> ChildProcess
  {
    let process = try ChildProcess(
      (link?.onDevice() ?? []) + command + self.command, name: "bridge", in: rig.folder,
      environment: environment)
    bridge = process
    return process
  }

  func load(
    _ kind: LoadGenerator.Kind = .samples, perSecond rate: Int, limit: UInt64 = .max
  ) throws -> LoadGenerator {
    let load = try LoadGenerator(rig, kind, perSecond: rate, limit: limit)
    loads.append(load)
    return load
  }

  func waitForConnection(within seconds: Double = 20) throws {
    let before = tap.passed.connections
    let bridge = try #require(bridge)
    try eventually("the bridge connects", within: seconds) {
      bridge.log.contains { $0.contains("connected to") } || tap.passed.connections > before
    }
  }

  /// Ends the load and waits until all of it has arrived, but for what the bridge says it lost.
  func settle(_ fault: String, within seconds: Double = 30) throws -> FaultFigures {
    let sent = loads.reduce(0) { $0 + $1.stop() }
    defer { if bridge?.isRunning != true { Issue.record("the bridge: \(bridge?.log ?? [])") } }
    try eventually("all \(sent) records arrive or are counted", within: seconds) {
      tap.arrivals.distinct(loads) + (tap.status("records_lost") ?? 0) >= sent
    }
    // What comes twice may come after.
    try eventually("the outbox is empty", within: seconds) {
      tap.status("records_waiting") == 0 && tap.status("spill_records") == 0
    }
    let figures = FaultFigures(
      fault, loads, tap, counted: tap.status("records_lost") ?? 0)
    figures.tell()
    return figures
  }

  /// How often a process has gone to sleep, as proc(5) counts it for each of its threads.
  static func sleeps(of process: ChildProcess) throws -> Int {
    let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.id)/task")
    return try tasks.reduce(0) { sum, task in
      let text = try String(
        contentsOfFile: "/proc/\(process.id)/task/\(task)/status", encoding: .utf8)
      let line = try #require(
        text.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches") })
      return sum + Int(line.split(separator: "\t")[1])!
    }
  }

  /// The resident memory in KiB: `VmHWM` or `VmRSS` of proc(5).
  static func memory(of process: ChildProcess, _ name: String = "VmHWM") throws -> Int {
    let text = try String(contentsOfFile: "/proc/\(process.id)/status", encoding: .utf8)
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(name) })
    return try #require(line.split(separator: " ").compactMap { Int($0) }.first)
  }
}
