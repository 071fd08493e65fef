import Foundation
import Testing

/// What a newcomer types first.
@Suite(.serialized, .needs(command: "mosquitto"), .needs(command: "mosquitto_sub"))
struct RunTests {
  @Test(arguments: [SIGINT, SIGTERM])
  func buildShRunShowsMessagesAndLeavesNothingBehind(_ signal: Int32) throws {
    let rig = try Rig()
    let temporary = rig.folder.appending(path: "tmp")
    try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: true)
    let script = Machine.packageRoot.appending(path: "build.sh").path()
    let run = try ChildProcess(
      [script, "run", "--interval", "200ms"], name: "run", in: rig.folder,
      environment: ["TMPDIR": temporary.path()])
    try eventually("messages are shown", within: 120) {
      run.output.count { $0.contains("cyclic-sysinfo  seq=") || $0.contains("uptime_seconds=") }
        >= 3
    }
    // The first collectors publish while others are still started.
    try eventually("it says how to watch") {
      run.output.contains { $0.hasPrefix("in another terminal: ") }
    }
    let hint = try #require(run.output.first { $0.hasPrefix("in another terminal: ") })
    let port = try #require(hint.split(separator: " ").drop { $0 != "-p" }.dropFirst().first)

    let witness = try Subscriber(port: #require(Int(port)), topic: "stats/#", in: rig.folder)
    try eventually("another terminal sees them too") {
      !witness.messages(of: "/cyclic-sysinfo").isEmpty
    }
    let prefix = try #require(witnessPrefix(run.id))
    run.send(signal)
    #expect(try run.wait(within: 30) == (signal == SIGINT ? 0 : 143))
    // SwiftPM leaves folders of its own there; the script's are named by mktemp(1).
    let left = try FileManager.default.contentsOfDirectory(atPath: temporary.path())
    #expect(!left.contains { $0.hasPrefix("tmp.") })
    let removal = try ChildProcess(
      Rig.command("posix-mq-to-mqtt-bridge", on: .amd64)
        + ["--config", "/dev/null", "--remove-queues", "--queue-prefix", prefix],
      name: "removal", in: rig.folder)
    #expect(try removal.wait() == 0)
    #expect(removal.log == ["posix-mq-to-mqtt-bridge: removed 0 queues"])
    #expect(processes(with: prefix).isEmpty)
  }

  /// The queue prefix that the script made from its process id.
  private func witnessPrefix(_ id: pid_t) -> String? {
    let prefix = "/stats-run-\(id)."
    return processes(with: prefix).isEmpty ? nil : prefix
  }

  /// Processes that have this text in their command line.
  private func processes(with text: String) -> [String] {
    let ids = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return ids.filter { id in
      id.allSatisfy(\.isNumber)
        && (FileManager.default.contents(atPath: "/proc/\(id)/cmdline")).map {
          String(decoding: $0, as: UTF8.self).contains(text)
        } == true
    }
  }
}
