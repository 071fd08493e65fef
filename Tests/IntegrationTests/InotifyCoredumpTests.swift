import CLinux
import Foundation
import Testing

/// The collector as built for a device, on folders and journals that a test fills.
struct InotifyCoredumpTests {
  /// What the collector printed, in the order in which it did.
  func dumps(_ process: ChildProcess) -> [Message] {
    process.output.map { line in
      let object = try? JSONSerialization.jsonObject(with: Data(line.utf8))
      return Message(
        topic: "", isRetained: false, payload: line, members: object as? [String: Any] ?? [:])
    }
  }

  func pids(_ process: ChildProcess) -> [Int] {
    dumps(process).map { $0.integer("pid") ?? 0 }
  }

  /// A collector that prints; it watches when this returns.
  func collector(
    _ rig: Rig, _ folder: CoreDumpFolder, _ options: String..., journal: JournalFiles? = nil,
    on architecture: Rig.Architecture = .amd64
  ) throws -> ChildProcess {
    let journal = journal.map { ["--journal-directory", $0.path] } ?? ["--no-journal"]
    let process = try rig.program(
      "inotify-coredump",
      ["--print", "--verbose", "--folder", folder.path, "--state-file", state(rig)] + journal
        + options, on: architecture)
    try eventually("it has begun to watch", within: 20) {
      FileManager.default.fileExists(atPath: state(rig))
        || process.log.contains { $0.contains("waiting for it") } || !process.isRunning
    }
    return process
  }

  func state(_ rig: Rig) -> String { rig.folder.path() + "/state" }

  func folder(_ rig: Rig, exists: Bool = true) throws -> CoreDumpFolder {
    try CoreDumpFolder(rig.folder.path() + "/dumps", exists: exists)
  }

  // MARK: The folder

  @Test(arguments: Rig.Architecture.allCases)
  func aDumpIsToldWithItsAttributes(_ architecture: Rig.Architecture) throws {
    let rig = try Rig()
    let folder = try folder(rig)
    let process = try collector(rig, folder, on: architecture)
    folder.store("dash", pid: 31195)
    try eventually("it is told") { dumps(process).count == 1 }
    let dump = dumps(process)[0]
    #expect(dump.text("kind") == "core_dump" && dump.text("comm") == "dash")
    #expect(dump.number("crash_time_seconds") == 1_795_228_999)
    #expect(dump.text("crash_boot_id") == "43908254-216b-467b-8145-3543fe292e1a")
    #expect(dump.integer("pid") == 31195 && dump.integer("uid") == 1000)
    #expect(dump.integer("gid") == 100 && dump.integer("signal") == 6)
    #expect(dump.text("signal_name") == "SIGABRT" && dump.text("exe") == "/usr/bin/dash")
    #expect(dump.text("hostname") == "pi" && dump.text("compression") == "zstd")
    #expect(dump.text("storage") == "file" && dump.integer("file_size_bytes") == 5000)
    #expect(dump.flag("journal_entry") == false && dump.members["core_limit_bytes"] == nil)
    #expect(try process.stop() == 0)
  }

  @Test func everyWayToFinishAFileIsToldOnce() throws {
    let rig = try Rig()
    let folder = try folder(rig)
    let process = try collector(rig, folder)
    folder.store(pid: 1)
    folder.storeByRenaming(pid: 2)
    // Without attributes, as on a file system that has none: whole when it no longer grows.
    folder.store(pid: 3, isDescribed: false)
    // As the kernel does it.
    let path = folder.path + "/" + CoreDumpFolder.name(pid: 4)
    let file = clinux_open(path, O_WRONLY | O_CREAT, 0o600)
    #expect(write(file, "core", 4) == 4)
    try eventually("the first two are told") { pids(process) == [1, 2] }
    #expect(write(file, "core", 4) == 4)
    close(file)
    try eventually("the fourth is told when it is closed") { pids(process).contains(4) }
    #expect(dumps(process).last?.integer("file_size_bytes") == 8)
    #expect(dumps(process).last?.members["signal"] == nil)
    try eventually("the third is told too") { pids(process).contains(3) }
    #expect(chmod(path, 0o640) == 0)
    folder.store(pid: 5)
    try eventually("the fifth is told") { pids(process).last == 5 }
    #expect(pids(process).sorted() == [1, 2, 3, 4, 5])
    try process.stop()
  }

  @Test func temporaryAndOddNamesAreNotTold() throws {
    let rig = try Rig()
    let folder = try folder(rig)
    let process = try collector(rig, folder)
    for name in [".#" + CoreDumpFolder.name(pid: 1) + "0123456789abcdef", "notes", "core.odd"] {
      #expect(FileManager.default.createFile(atPath: folder.path + "/" + name, contents: Data()))
    }
    try FileManager.default.createDirectory(
      atPath: folder.path + "/" + CoreDumpFolder.name(pid: 2), withIntermediateDirectories: false)
    #expect(symlink("/etc/passwd", folder.path + "/" + CoreDumpFolder.name(pid: 3)) == 0)
    folder.store(pid: 4)
    try eventually("the dump is told") { pids(process) == [4] }
    #expect(process.log.count { $0.contains("core.odd: not the name of a core dump") } == 1)
    #expect(try process.stop() == 0)
    #expect(pids(process) == [4])
  }

  @Test func aDumpThatIsRemovedAtOnceIsTold() throws {
    let rig = try Rig()
    let folder = try folder(rig)
    let process = try collector(rig, folder)
    process.send(SIGSTOP)
    folder.store("gone", pid: 7)
    folder.remove("gone", pid: 7)
    process.send(SIGCONT)
    try eventually("it is told") { pids(process) == [7] }
    let dump = dumps(process)[0]
    #expect(dump.text("storage") == "none" && dump.members["file_size_bytes"] == nil)
    #expect(dump.text("comm") == "gone")
    try process.stop()
  }

  @Test(.needsRoot)
  func withoutTheRightToReadTheNameStillTells() throws {
    let rig = try Rig()
    let folder = try folder(rig)
    // Where another user may run it and write.
    #expect(chmod(rig.folder.path(), 0o777) == 0)
    let program = rig.folder.path() + "/program"
    try FileManager.default.copyItem(
      atPath: Rig.command("inotify-coredump", on: .amd64)[0], toPath: program)
    let process = try ChildProcess(
      [
        try #require(Machine.command("setpriv")), "--reuid", "65534", "--regid", "65534",
        "--clear-groups", program,
        "--config", "/dev/null", "--print", "--folder", folder.path, "--no-journal",
        "--state-file", state(rig),
      ], name: "inotify-coredump", in: rig.folder)
    try eventually("it watches") { FileManager.default.fileExists(atPath: state(rig)) }
    // The group may read a dump, others may not.
    folder.store("secret", pid: 1)
    try eventually("it is told when it no longer grows") { pids(process) == [1] }
    let dump = dumps(process)[0]
    #expect(dump.text("comm") == "secret" && dump.integer("uid") == 1000)
    #expect(dump.integer("file_size_bytes") == 5000 && dump.members["signal"] == nil)
    #expect(process.log.count { $0.contains("CAP_DAC_READ_SEARCH") } == 1)
    try process.stop()
  }

  @Test func moreThanInotifyTellsIsFoundByLooking() throws {
    let rig = try Rig()
    let folder = try folder(rig)
    let process = try collector(rig, folder)
    folder.store(pid: 1)
    try eventually("the first is told") { pids(process) == [1] }
    process.send(SIGSTOP)
    let (one, other) = (folder.path + "/one", folder.path + "/other")
    #expect(FileManager.default.createFile(atPath: one, contents: Data()))
    for _ in 0..<10_000 {
      rename(one, other)
      rename(other, one)
    }
    // More than may pend at once, too.
    for pid in 2...200 { folder.store(pid: pid, time: 1_795_229_000 + pid, size: 10) }
    process.send(SIGCONT)
    try eventually("all are told") { pids(process).count >= 200 }
    #expect(pids(process) == Array(1...200))
    #expect(process.log.contains { $0.contains("more happened than inotify could tell") })
    try process.stop()
  }

  @Test func aFolderThatComesAndGoesIsFollowed() throws {
    let rig = try Rig()
    let folder = try folder(rig, exists: false)
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    let process = try rig.program(
      "inotify-coredump", ["--folder", folder.path, "--state-file", state(rig), "--no-journal"])
    func announced() -> String? {
      subscriber.messages(of: "/status").last?.text("inotify_coredump_state")
    }
    try eventually("unavailable") { announced() == "unavailable" }
    let reason = subscriber.messages(of: "/status").last?.text("inotify_coredump_reason")
    #expect(reason == "no \(folder.path): apt install systemd-coredump")
    try folder.make()
    try eventually("running") { announced() == "running" }
    folder.store("late", pid: 1)
    try eventually("a dump") { subscriber.messages(of: "/inotify-coredump/dump/late").count == 1 }
    try FileManager.default.moveItem(atPath: folder.path, toPath: folder.path + ".old")
    try eventually("unavailable again") { announced() == "unavailable" }
    try folder.make()
    try eventually("running again") { announced() == "running" }
    folder.store("later", pid: 2)
    try eventually("a dump") { subscriber.messages(of: "/inotify-coredump/dump/later").count == 1 }
    #expect(try process.stop() == 0)
    #expect(try bridge.stop() == 0)
  }

  // MARK: By hand

  @Test func onceTellsTheLatestDump() throws {
    let rig = try Rig()
    let folder = try folder(rig)
    func once() throws -> (status: Int32, output: [String], log: [String]) {
      try rig.runProgram(
        "inotify-coredump", "--once", "--folder", folder.path, "--no-journal")
    }
    let none = try once()
    #expect(none.status == 0 && none.output.isEmpty)
    #expect(none.log.contains { $0.contains("there is no core dump yet") })
    for pid in [1, 3, 2] { folder.store(pid: pid, time: 1_795_229_000 + pid) }
    let one = try once()
    #expect(one.status == 0 && one.output.count == 1)
    #expect(one.output[0].contains("\"pid\":3,"))
  }

  @Test func aMissingSourceIsSaidWithStatus69() throws {
    let rig = try Rig()
    let missing = try rig.runProgram(
      "inotify-coredump", "--once", "--folder", "/no/such/folder", "--no-journal")
    #expect(missing.status == 69)
    #expect(missing.log.count == 1)
    #expect(missing.log[0].contains("no /no/such/folder: apt install systemd-coredump"))
  }

  @Test func mistakesAreOneLineAndStatus2() throws {
    let rig = try Rig()
    for options in [
      ["--folder", "relative"], ["--folder", "/"], ["--journal-wait", "soon"], ["--unknown", "1"],
    ] {
      let result = try rig.runProgram("inotify-coredump", options[0], options[1])
      #expect(result.status == 2 && result.log.count == 1, "\(options): \(result)")
    }
  }
}
