import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

extension Rig {
  func path(_ name: String) -> String { folder.appending(path: name).path() }

  /// A recorder that has subscribed.
  func recorder(_ options: String...) throws -> ChildProcess {
    let process = try ChildProcess(
      [Self.toolPath(), "record", "--host", "127.0.0.1", "--port", "\(broker().port)"] + options,
      name: "record", in: folder)
    try eventually("it records") {
      process.log.contains { $0.contains("recording from") } || !process.isRunning
    }
    return process
  }

  /// Runs a command that needs no broker to its end.
  func runTool(
    _ arguments: String..., within seconds: Double = 30
  ) throws -> (status: Int32, output: [String], log: [String]) {
    try run([Self.toolPath()] + arguments, within: seconds)
  }

  /// Publishes lines as they are, mosquitto_pub(1); acknowledged when this returns.
  func publish(_ lines: [String], topic: String, qos: Int = 1) throws {
    let file = path("lines-\(Machine.uniqueName())")
    try (lines.joined(separator: "\n") + "\n").write(
      toFile: file, atomically: true, encoding: .utf8)
    let publisher = try ChildProcess(
      [
        #require(Machine.command("mosquitto_pub")), "-h", "127.0.0.1", "-p", "\(broker().port)",
        "-V", "5", "-q", "\(qos)", "-t", topic, "-l",
      ], name: "mosquitto_pub", in: folder, input: file)
    try #require(publisher.wait(within: 60) == 0, "\(publisher.log)")
  }
}

extension Rig {
  /// A file system of 600 KB; unmount it.
  func mountSmallDisk() throws -> String {
    let disk = path("disk")
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
    try #require(run(["/bin/mount", "-t", "tmpfs", "-o", "size=600k", "none", disk]).status == 0)
    return disk
  }
}

/// How many there are once there are so many, or once no more have come for so long: a busy machine takes
/// its time, and what counts is that it goes on.
func lastCount(
  of wanted: Int, patience seconds: Double = 20, _ count: () throws -> Int
) throws -> Int {
  var (found, deadline) = (try count(), Date(timeIntervalSinceNow: seconds))
  while found < wanted, Date() < deadline {
    usleep(200_000)
    let before = found
    found = try count()
    if found > before { deadline = Date(timeIntervalSinceNow: seconds) }
  }
  return found
}

/// A record as a bridge writes it, of a run that does not exist.
struct MadeRecord {
  var instance = 7
  var sequence = 0
  var dropped = 0
  var seconds = 1_795_644_575.0
  var bootID = "made"
  var load = "0.25"

  var payload: String {
    let time = PublishedRecord.seconds(Int64(seconds * 1e6) * 1000)
    return #"{"v":1,"kind":"system_information","time":\#(time),"boot_id":"\#(bootID)","#
      + #""instance":\#(instance),"seq":\#(sequence),"dropped":\#(dropped),"clock_synced":true,"#
      + #""uptime_seconds":5,"load1":\#(load)}"#
  }

  /// As it is when it has come.
  func record(
    device: String = "pi", program: String = "cyclic-sysinfo"
  ) throws -> PublishedRecord {
    let topic = try #require(RecordTopic("stats/\(device)/\(program)", prefix: "stats"))
    let members = try #require(JSONValue(parsing: Array(payload.utf8)).members)
    return try #require(PublishedRecord(members, topic: topic))
  }
}
