import Foundation
import Testing

/// Dumps with their entries in the journal.
extension InotifyCoredumpTests {
  @Test(.needsJournalRemote)
  func fileAndEntryAreOneRecord() throws {
    let rig = try Rig()
    let folder = try folder(rig)
    let journal = try JournalFiles(rig.folder.path() + "/journal", rig)
    let process = try collector(rig, folder, "--journal-wait", "10s", journal: journal)
    // The file first, as systemd-coredump does it.
    folder.store("first", pid: 1)
    journal.write("first", pid: 1)
    try eventually("one record of both", within: 5) { pids(process) == [1] }
    // The entry first.
    journal.write("second", pid: 2, ["COREDUMP_USER_UNIT": "app.scope"])
    try eventually("told at once", within: 5) { pids(process) == [1, 2] }
    folder.store("second", pid: 2)
    folder.store("third", pid: 3)
    journal.write("third", pid: 3, ["COREDUMP_TRUNCATED": "1"])
    try eventually("the next one", within: 5) { pids(process) == [1, 2, 3] }
    let told = dumps(process)
    #expect(told[0].text("unit") == "first.service")
    #expect(told[0].text("command_line") == "first --password secret")
    #expect(told[0].integer("file_size_bytes") == 5000 && told[0].flag("journal_entry") == true)
    #expect(told[0].flag("truncated") == false && told[2].flag("truncated") == true)
    #expect(told[1].text("user_unit") == "app.scope")
    try process.stop()
    #expect(pids(process) == [1, 2, 3])
  }

  @Test(.needsJournalRemote)
  func dumpsThatWereNotKeptAreToldFromTheJournal() throws {
    let rig = try Rig()
    let folder = try folder(rig)
    let journal = try JournalFiles(rig.folder.path() + "/journal", rig)
    let process = try collector(rig, folder, "--no-command-line", journal: journal)
    journal.write("large", pid: 1, ending: nil, ["COREDUMP_TRUNCATED": "1"])
    journal.write("inside", pid: 2, ending: nil, ["COREDUMP": "the dump itself"])
    journal.write(
      "long", pid: 3, ending: nil, ["COREDUMP_CMDLINE": String(repeating: "x", count: 9000)])
    try eventually("all are told") { pids(process) == [1, 2, 3] }
    let told = dumps(process)
    #expect(told[0].text("storage") == "none" && told[0].flag("truncated") == true)
    #expect(told[0].members["file_size_bytes"] == nil)
    #expect(told[1].text("storage") == "journal")
    #expect(told.allSatisfy { $0.text("command_line") == "" })
    try process.stop()
  }

  @Test(.needsJournalRemote)
  func anEntryThatComesTooLateIsNotToldAgain() throws {
    let rig = try Rig()
    let folder = try folder(rig)
    let journal = try JournalFiles(rig.folder.path() + "/journal", rig)
    let process = try collector(rig, folder, "--journal-wait", "300ms", journal: journal)
    folder.store(pid: 1)
    try eventually("told without its entry") { pids(process) == [1] }
    #expect(dumps(process)[0].flag("journal_entry") == false)
    journal.write(pid: 1)
    try eventually("it is seen") { process.log.contains { $0.contains("after its dump was told") } }
    try process.stop()
    let again = try collector(rig, folder, "--journal-wait", "300ms", journal: journal)
    journal.write(pid: 2, ending: nil)
    try eventually("only the next one") { pids(again) == [2] }
    try again.stop()
  }

  @Test(.needsJournalRemote)
  func whatCameWhileItWasDownIsToldOnceFromBothSources() throws {
    let rig = try Rig()
    let folder = try folder(rig)
    let journal = try JournalFiles(rig.folder.path() + "/journal", rig)
    journal.write("old", pid: 1, ending: nil)
    folder.store("old", pid: 2)
    journal.write("old", pid: 2)
    try journal.settle(rig)
    let first = try collector(rig, folder, journal: journal)
    journal.write(pid: 3, ending: nil)
    try eventually("only what is new") { pids(first) == [3] }
    try eventually("remembered") {
      try String(contentsOfFile: state(rig), encoding: .utf8).contains(" 3 1795228999000000\n")
    }
    first.kill()
    folder.store(pid: 4)
    journal.write(pid: 4)
    journal.write(pid: 5, ending: nil)
    folder.store(pid: 6)
    try journal.settle(rig)
    let second = try collector(rig, folder, "--journal-wait", "1s", journal: journal)
    try eventually("the rest, once") { pids(second).sorted() == [4, 5, 6] }
    #expect(dumps(second).first { $0.integer("pid") == 4 }?.text("unit") == "sh.service")
    try second.stop()
    let third = try collector(rig, folder, "--journal-wait", "1s", journal: journal)
    journal.write(pid: 7, ending: nil)
    try eventually("and not again") { pids(third) == [7] }
    try third.stop()
  }

  @Test(.needsJournalRemote)
  func entriesThatCannotBeTrustedAreNotUsed() throws {
    let rig = try Rig()
    let folder = try folder(rig)
    let journal = try JournalFiles(rig.folder.path() + "/journal", rig)
    let process = try collector(rig, folder, journal: journal)
    journal.write(pid: 1, ending: nil, ["_UID": "1001"])
    journal.write(pid: 2, ending: nil, ["COREDUMP_PID": nil])
    journal.write(pid: 3, ending: nil, ["COREDUMP_TIMESTAMP": "soon"])
    journal.write(pid: 4, ending: "/../../../../etc/passwd")
    journal.write(pid: 5, ending: nil, ["_UID": "998"])
    try eventually("the good ones are told") { pids(process) == [4, 5] }
    #expect(process.log.count { $0.contains("does not say which process crashed") } == 2)
    #expect(process.log.count { $0.contains("written by another user") } == 1)
    #expect(dumps(process)[0].members["file_size_bytes"] == nil)
    try process.stop()
  }

  @Test(.needsJournalRemote)
  func aJournalThatComesLaterIsReadFromThen() throws {
    let rig = try Rig()
    let folder = try folder(rig)
    let path = rig.folder.path() + "/journal"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let process = try rig.program(
      "inotify-coredump",
      [
        "--print", "--folder", folder.path, "--state-file", state(rig), "--journal-directory", path,
        "--journal-wait", "20s",
      ])
    try eventually("it watches") { FileManager.default.fileExists(atPath: state(rig)) }
    folder.store(pid: 1)
    // No files of a journal: nothing to wait for.
    try eventually("told at once", within: 5) { pids(process) == [1] }
    let journal = try JournalFiles(path, rig)
    journal.write(pid: 2, ending: nil)
    try eventually("told from the journal") { pids(process) == [1, 2] }
    try process.stop()
  }
}
