import Foundation
import Testing

@testable import DeviceRig
@testable import stats_recording

/// Recorders that are killed, disks that are full, recordings that become too large.
@Suite(.needs(command: "mosquitto"), .needs(command: "mosquitto_pub"))
struct RecordFaultTests {
  private let topic = "stats/pi/cyclic-sysinfo"

  /// Killed at any moment, files hold whole rows, and what the recorder said it had written is there.
  @Test func aKilledRecorderLeavesWholeRows() throws {
    let rig = try Rig()
    let (csv, sqlite) = (rig.path("csv"), rig.path("r.sqlite"))
    var sequence = 0
    for round in 0..<6 {
      let recorder = try rig.recorder("--csv", csv, "--sqlite", sqlite)
      let records = (0..<2000).map { MadeRecord(sequence: sequence + $0).payload }
      try rig.publish(records, topic: topic)
      sequence += 2000
      var written = 0
      // At another moment of its work in each round.
      try eventually("some are written", within: 30) {
        recorder.send(SIGUSR1)
        written =
          recorder.log.compactMap { $0.firstMatch(of: /csv: (\d+) written/)?.1 }.last.flatMap {
            Int($0)
          } ?? 0
        return written > 350 * round
      }
      recorder.kill()
      #expect(!recorder.log.contains { $0.contains("torn") })
      for recording in [csv, sqlite] {
        let lines = try rig.runTool("replay", recording, "--print")
        #expect(lines.status == 0, "\(lines.log)")
        let ours = lines.output.filter { line in
          guard let seq = line.firstMatch(of: /"seq":(\d+)/).flatMap({ Int($0.1) }) else {
            return false
          }
          return seq >= sequence - 2000
        }
        #expect(ours.count >= written, "\(recording)")
      }
    }
  }

  @Test func aTornRowIsDroppedAndToldAtTheNextStart() throws {
    let rig = try Rig()
    let csv = rig.path("csv")
    let first = try rig.recorder("--csv", csv)
    try rig.publish((0..<3).map { MadeRecord(sequence: $0).payload }, topic: topic)
    try eventually("they are written") {
      first.send(SIGUSR1)
      return first.log.contains { $0.contains(": 3 written") }
    }
    #expect(try first.stop() == 0)
    // As a power cut leaves it: the third row ends within a text.
    let file = csv + "/pi/cyclic-sysinfo.system_information.csv"
    let whole = try Data(contentsOf: URL(filePath: file))
    #expect(truncate(file, whole.count - 30) == 0)
    let torn = try rig.runTool("replay", csv, "--print")
    #expect(torn.status == 0)
    #expect(torn.output.count == 2)
    #expect(torn.log.contains { $0.contains("its last row is torn or being written") })

    let second = try rig.recorder("--csv", csv)
    #expect(second.log.contains { $0.contains("\(file): its last row was torn: ") })
    // The torn one was not written; it is taken when it comes again.
    try rig.publish([2, 3].map { MadeRecord(sequence: $0).payload }, topic: topic)
    try eventually("they are written") {
      second.send(SIGUSR1)
      return second.log.contains { $0.contains(": 2 written, 0 duplicates") }
    }
    #expect(try second.stop() == 0)
    #expect(
      try rig.runTool("replay", csv, "--print").output
        == (0..<4).map { "\(topic)\t\(MadeRecord(sequence: $0).payload)" })
  }

  @Test(.needsRoot) func aFullDiskIsToldOnceAndCounted() throws {
    let rig = try Rig()
    let disk = try rig.mountSmallDisk()
    defer { _ = try? rig.run(["/bin/umount", "-l", disk]) }
    let (csv, sqlite) = (disk + "/csv", disk + "/r.sqlite")
    let recorder = try rig.recorder("--csv", csv, "--sqlite", sqlite)
    let records = (0..<3000).map { MadeRecord(sequence: $0).payload }
    for start in stride(from: 0, to: 3000, by: 100) {
      try rig.publish(Array(records[start..<start + 100]), topic: topic)
    }
    func counts(_ name: String) -> [Int] {
      recorder.send(SIGUSR1)
      let line = recorder.log.last { $0.contains("\(name): ") && $0.contains(" written, ") }
      let match = line?.firstMatch(of: /: (\d+) written, (\d+) duplicates left out, (\d+) not/)
      return match.map { [$0.1, $0.2, $0.3].compactMap { Int($0) } } ?? [0, 0, 0]
    }
    try eventually("all are counted", within: 30) {
      ["csv", "r.sqlite"].allSatisfy { counts($0).reduce(0, +) == 3000 }
    }
    for name in ["csv", "r.sqlite"] {
      #expect(counts(name)[0] > 100 && counts(name)[2] > 0, "\(name): \(counts(name))")
      let told = recorder.log.filter {
        $0.contains("/\(name)") && $0.contains("records are not written until that is over")
      }
      // Each time that there is no room any more, not each record.
      #expect(1...10 ~= told.count, "\(told)")
    }
    let before = counts("csv")
    // Room again: the recorder goes on by itself.
    #expect(
      try rig.run(["/bin/mount", "-o", "remount,size=64m", disk]).status == 0)
    try rig.publish((3000..<3100).map { MadeRecord(sequence: $0).payload }, topic: topic)
    try eventually("it writes again") { counts("csv")[0] == before[0] + 100 }
    try eventually("all are counted") { counts("r.sqlite").reduce(0, +) == 3100 }
    #expect(recorder.log.contains { $0.contains("\(csv): writing again; ") })
    // Something was lost, and a script shall see it.
    let (written, writtenToo) = (counts("csv")[0], counts("r.sqlite")[0])
    #expect(try recorder.stop() == 1)
    #expect(try rig.runTool("replay", csv, "--print").output.count == written)
    #expect(try rig.runTool("replay", sqlite, "--print").output.count == writtenToo)
  }

  @Test func oldFilesAreRotatedAndRemovedBySize() throws {
    let rig = try Rig()
    let csv = rig.path("csv")
    try FileManager.default.createDirectory(
      atPath: csv + "/mine", withIntermediateDirectories: true)
    let mine = csv + "/mine/table.csv"
    try String(repeating: "not,yours\n", count: 30_000).write(
      toFile: mine, atomically: true, encoding: .utf8)
    let recorder = try rig.recorder("--csv", csv, "--rotate-size", "20KiB", "--keep-size", "100KiB")
    for start in stride(from: 0, to: 3000, by: 250) {
      try rig.publish(
        (start..<start + 250).map { MadeRecord(sequence: $0).payload }, topic: topic)
    }
    try eventually("old files are removed", within: 20) {
      recorder.send(SIGUSR1)
      return try recorder.log.contains { $0.contains(": 3000 written") }
        && size(csv + "/pi") <= 100 << 10
    }
    #expect(try recorder.stop() == 0)
    let removed = recorder.log.filter { $0.contains(": removed (") }
    #expect(!removed.isEmpty)
    #expect(recorder.log.last?.contains("\(removed.count) files removed (") == true)
    #expect(FileManager.default.fileExists(atPath: mine))
    #expect(recorder.log.contains { $0.contains("\(mine): not a file of stats-recording record") })
    // The newest stay, in order and whole.
    let lines = try rig.runTool("replay", csv + "/pi", "--print").output
    #expect(lines.count > 100 && lines.count < 3000)
    #expect(
      lines
        == (3000 - lines.count..<3000).map { "\(topic)\t\(MadeRecord(sequence: $0).payload)" })
  }

  private func size(_ folder: String) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: folder).reduce(0) {
      var status = stat()
      return stat("\(folder)/\($1)", &status) == 0 ? $0 + Int(status.st_size) : $0
    }
  }

  @Test func oldFilesAreRotatedAndRemovedByAge() throws {
    let rig = try Rig()
    let csv = rig.path("csv")
    let recorder = try rig.recorder("--csv", csv, "--rotate-age", "500ms", "--keep-age", "4s")
    try rig.publish([MadeRecord(sequence: 1).payload], topic: topic)
    try eventually("it is rotated") {
      let files = try? FileManager.default.contentsOfDirectory(atPath: csv + "/pi")
      return files?.contains(where: CSVName.isRotated) == true
    }
    try rig.publish([MadeRecord(sequence: 2).payload], topic: topic)
    try eventually("the first is removed, and told") {
      recorder.log.contains { $0.contains("older than --keep-age") }
    }
    try eventually("then the second", within: 15) {
      try FileManager.default.contentsOfDirectory(atPath: csv + "/pi") == []
    }
    #expect(try recorder.stop() == 0)
    #expect(recorder.log.last?.contains("2 files removed") == true)
  }

  @Test func anSQLiteFileIsKeptWithinItsSize() throws {
    let rig = try Rig()
    let sqlite = rig.path("r.sqlite")
    let recorder = try rig.recorder("--sqlite", sqlite, "--keep-size", "300KiB")
    for start in stride(from: 0, to: 4000, by: 500) {
      try rig.publish(
        (start..<start + 500).map { MadeRecord(sequence: $0).payload }, topic: topic)
    }
    try eventually("old records are removed", within: 30) {
      recorder.send(SIGUSR1)
      return recorder.log.contains { $0.contains(": 4000 written") }
        && recorder.log.contains { $0.contains("oldest records: beyond --keep-size 300 KiB") }
    }
    #expect(try recorder.stop() == 0)
    let lines = try rig.runTool("replay", sqlite, "--print").output
    #expect(
      lines
        == (4000 - lines.count..<4000).map { "\(topic)\t\(MadeRecord(sequence: $0).payload)" })
    let removed = try #require(
      recorder.log.last?.firstMatch(of: /(\d+) records removed/).flatMap { Int($0.1) })
    #expect(removed + lines.count == 4000)
    // The witness: what SQLite itself says of the file.
    let witness = try rig.run([
      #require(Machine.command("sqlite3")), sqlite,
      "PRAGMA integrity_check; SELECT (page_count - freelist_count) * page_size < 310000 FROM pragma_page_count, pragma_freelist_count, pragma_page_size; SELECT count(*) FROM records WHERE device = 'pi'",
    ])
    #expect(witness.output == ["ok", "1", "\(lines.count)"], "\(witness.log)")
  }

  @Test func anSQLiteFileLosesWhatIsTooOld() throws {
    let rig = try Rig()
    let sqlite = rig.path("r.sqlite")
    let recorder = try rig.recorder("--sqlite", sqlite, "--keep-age", "2s")
    try rig.publish((0..<10).map { MadeRecord(sequence: $0).payload }, topic: topic)
    try eventually("they are removed, and told") {
      recorder.log.contains { $0.contains("removed the 10 oldest records: older than --keep-age") }
    }
    #expect(try recorder.stop() == 0)
    #expect(try rig.runTool("replay", sqlite, "--print").output == [])
  }
}
