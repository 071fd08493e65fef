import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

/// With a session nothing is lost while the recorder comes and goes, and each record is there once.
@Suite(.needs(command: "mosquitto"), .serialized) struct RecordSessionTests {
  /// The numbers of a generator's records in a recording, in the order in which they stand there.
  private func sequences(_ rig: Rig, _ recording: String, _ load: LoadGenerator) throws -> [Int] {
    let printed = try rig.runTool("replay", recording, "--print", within: 60)
    try #require(printed.status == 0, "\(printed.log)")
    return printed.output.compactMap { line in
      guard line.contains("\"instance\":\(load.instance),") else { return nil }
      return line.firstMatch(of: /"seq":(\d+)/).flatMap { Int($0.1) }
    }
  }

  /// Files are rotated all the time, so that a kill comes between the two files of a kind too.
  @Test(.timeLimit(.minutes(3)), arguments: [1, 8])
  func aRecorderThatIsKilledUnderLoadMissesNothing(_ batch: Int) throws {
    let rig = try Rig()
    let (csv, sqlite) = (rig.path("csv"), rig.path("r.sqlite"))
    func recorder() throws -> ChildProcess {
      try ChildProcess(
        [
          Rig.toolPath(), "record", "--host", "127.0.0.1", "--port", "\(rig.broker().port)",
          "--session", "keeper", "--csv", csv, "--sqlite", sqlite, "--rotate-size", "100KiB",
        ], name: "record", in: rig.folder)
    }
    var current = try recorder()
    try eventually("the broker keeps the session") {
      current.log.contains { $0.contains("recording from") }
    }
    let bridge = try rig.bridge("--batch", "\(batch)", "--batch-time", "20ms")
    let load = try LoadGenerator(rig, perSecond: 1000)
    for _ in 1...6 {
      // Before that a signal would end it.
      try eventually("it records", within: 20) {
        current.log.contains { $0.contains("recording from") }
      }
      try eventually("it writes", within: 20) {
        current.send(SIGUSR1)
        return current.log.contains { $0.firstMatch(of: /: [1-9]\d* written/) != nil }
      }
      try load.goOn(by: .random(in: 0...400))
      current.kill()
      current = try recorder()
    }
    let sent = load.stop()
    #expect(sent > 3000)
    for recording in [csv, sqlite] {
      var found: [Int] = []
      try eventually("\(recording) has all \(sent)", within: 40, every: 0.5) {
        found = try sequences(rig, recording, load)
        return Set(found).count >= sent
      }
      #expect(Set(found) == Set(0..<sent))
      #expect(found.count == sent, "a record is there twice")
    }
    #expect(!current.log.contains { $0.contains("does not know the session") })
    #expect(try current.stop() == 0)
    let counts = current.log.filter { $0.contains("duplicates left out") }.suffix(2)
    print("\(sent) records sent, recorder killed 6 times, batches of \(batch); at last \(counts)")
    try bridge.stop()
  }

  /// What the disk has no room for waits with the broker, also while the recorder is away.
  @Test(.needsRoot, .timeLimit(.minutes(2)), arguments: [false, true])
  func aFullDiskLosesNothing(_ isRestarted: Bool) throws {
    let rig = try Rig()
    let disk = try rig.mountSmallDisk()
    defer { _ = try? rig.run(["/bin/umount", "-l", disk]) }
    let (csv, sqlite) = (disk + "/csv", disk + "/r.sqlite")
    func recorder() throws -> ChildProcess {
      try rig.recorder("--session", "keeper", "--csv", csv, "--sqlite", sqlite)
    }
    var current = try recorder()
    for start in stride(from: 0, to: 4000, by: 500) {
      try rig.publish(
        (start..<start + 500).map { MadeRecord(sequence: $0).payload },
        topic: "stats/pi/cyclic-sysinfo")
    }
    try eventually("it is told", within: 20) {
      current.log.contains { $0.contains("records wait with the broker until that is over") }
    }
    if isRestarted {
      #expect(try current.stop() == 1)
      #expect(current.log.contains { $0.contains("messages stay with the broker") })
    }
    #expect(try rig.run(["/bin/mount", "-o", "remount,size=64m", disk]).status == 0)
    if isRestarted { current = try recorder() }
    for recording in [csv, sqlite] {
      var found: [Int] = []
      try eventually("\(recording) has all", within: 30, every: 0.2) {
        found = try rig.runTool("replay", recording, "--print").output.compactMap { line in
          line.firstMatch(of: /"seq":(\d+)/).flatMap { Int($0.1) }
        }
        return found.count >= 4000
      }
      #expect(found.sorted() == Array(0..<4000))
    }
    #expect(try current.stop() == 0)
  }

  /// strace(1) sees what the recorder does: before each write to the broker after messages have come,
  /// the disk has them.
  @Test(.needs(command: "strace"), .timeLimit(.minutes(2)), arguments: ["--csv", "--sqlite"])
  func aMessageIsAcknowledgedWhenTheDiskHasIt(_ form: String) throws {
    let rig = try Rig()
    let trace = rig.path("trace")
    let recorder = try ChildProcess(
      [
        #require(Machine.command("strace")), "-f", "-o", trace, "-e",
        "trace=fsync,fdatasync,syncfs,write,pwrite64,sendto,sendmsg,connect", "-s", "4", "-x",
        Rig.toolPath(), "record", "--host", "127.0.0.1", "--port", "\(rig.broker().port)",
        "--session", "keeper", form, rig.path("recording"),
      ], name: "strace", in: rig.folder)
    // strace(1) waits for its child, whatever comes.
    func endChildren(_ signal: Int32) {
      let children = try? String(
        contentsOfFile: "/proc/\(recorder.id)/task/\(recorder.id)/children", encoding: .utf8)
      for child in children?.split(separator: " ").compactMap({ pid_t($0) }) ?? [] {
        kill(child, signal)
      }
    }
    defer { if recorder.isRunning { endChildren(SIGKILL) } }
    try eventually("it records", within: 30) {
      recorder.log.contains { $0.contains("recording from") }
    }
    for round in 0..<5 {
      try rig.publish(
        (0..<10).map { MadeRecord(sequence: 10 * round + $0).payload },
        topic: "stats/pi/cyclic-sysinfo")
      try eventually("all are acknowledged", within: 20, every: 0.05) {
        let lines = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
        return lines.count { $0.contains(#", "\x40"#) } >= 10 * (round + 1)
      }
    }
    endChildren(SIGTERM)
    #expect(try recorder.wait() == 0)
    let lines = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
    let sockets = lines.compactMap { line in
      line.firstMatch(of: /connect\((\d+), \{sa_family=AF_INET,/).map { $0.1 }
    }
    let socket = try #require(sockets.last)
    var (isOnDisk, acknowledged, synchronized) = (false, 0, 0)
    for line in lines {
      if line.firstMatch(of: /(fsync|fdatasync|syncfs)\(\d+\) += 0/) != nil {
        isOnDisk = true
        synchronized += 1
      } else if let write = line.firstMatch(of: /(write|pwrite64|sendto)\((\d+), "([^"]*)/) {
        // MQTT 5, 3.4.1: a PUBACK begins with the byte 0x40.
        if write.2 == socket, write.3.hasPrefix(#"\x40"#) {
          #expect(isOnDisk, "\(line)")
          acknowledged += 1
        } else if write.1 == "pwrite64"
          || [#"\x31\x2c"#, #"\x76\x2c"#].contains(where: write.3.hasPrefix)
        {
          // A page of SQLite, or a row or the header of a CSV file: "1," and "v,".
          isOnDisk = false
        }
      }
    }
    #expect(acknowledged >= 50, "\(acknowledged) PUBACKs")
    #expect(synchronized >= 5)
  }
}
