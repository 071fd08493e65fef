import Foundation
import Testing

/// What a collector that was away, or starts for the first time, makes of the dumps that are there.
extension InotifyCoredumpTests {
  @Test func whatIsThereAtTheFirstStartIsNotTold() throws {
    let rig = try Rig()
    let folder = try folder(rig)
    for pid in 1...300 { folder.store(pid: pid, time: 1_795_229_000 + pid, size: 10) }
    let process = try collector(rig, folder)
    folder.store(pid: 301)
    try eventually("the new one is told") { pids(process) == [301] }
    try process.stop()
    #expect(pids(process) == [301])
  }

  @Test func whatIsThereIsToldWhereAskedFor() throws {
    let rig = try Rig()
    let folder = try folder(rig)
    for pid in [2, 1, 3] { folder.store(pid: pid, time: 1_795_229_000 + pid) }
    let process = try collector(rig, folder, "--report-existing")
    try eventually("all are told, the oldest first") { pids(process) == [1, 2, 3] }
    try process.stop()
    let again = try collector(rig, folder, "--report-existing")
    folder.store(pid: 4)
    try eventually("the next one is told") { pids(again) == [4] }
    try again.stop()
  }

  @Test(arguments: [false, true])
  func aDumpFromWhileItWasDownIsToldOnceWhenItIsBack(byKill: Bool) throws {
    let rig = try Rig()
    let folder = try folder(rig)
    folder.store(pid: 1)
    let first = try collector(rig, folder)
    folder.store(pid: 2)
    try eventually("told") { pids(first) == [2] }
    try eventually("remembered") {
      try String(contentsOfFile: state(rig), encoding: .utf8).contains(" 2 1795228999000000\n")
    }
    if byKill { first.kill() } else { try first.stop() }
    folder.store(pid: 3, time: 1_795_229_100)
    folder.store(pid: 4, time: 1_795_229_050)
    let second = try collector(rig, folder)
    try eventually("what came meanwhile is told") { pids(second) == [4, 3] }
    try second.stop()
    let third = try collector(rig, folder)
    folder.store(pid: 5)
    try eventually("and not again") { pids(third) == [5] }
    try third.stop()
  }

  @Test func aDamagedStateIsSaidAndReplaced() throws {
    let rig = try Rig()
    let folder = try folder(rig)
    folder.store(pid: 1)
    try Data([0, 255, 10]).write(to: URL(filePath: state(rig)))
    let process = try collector(rig, folder)
    try eventually("it says so") { process.log.contains { $0.contains("Bad message") } }
    folder.store(pid: 2)
    try eventually("new ones are told") { pids(process) == [2] }
    try process.stop()
    #expect(try String(contentsOfFile: state(rig), encoding: .utf8).hasPrefix("inotify-coredump"))
  }

  @Test func aFullQueueLosesNothing() throws {
    let rig = try Rig()
    let folder = try folder(rig)
    let process = try rig.program(
      "inotify-coredump", ["--folder", folder.path, "--state-file", state(rig), "--no-journal"])
    try eventually("it watches") { FileManager.default.fileExists(atPath: state(rig)) }
    for pid in 1...250 { folder.store(pid: pid, time: 1_795_229_000 + pid, size: 10) }
    try eventually("the queue is full") { process.log.contains { $0.contains("queue is full") } }
    let subscriber = try rig.subscriber()
    let bridge = try rig.bridge()
    try eventually("all arrive", within: 20) {
      subscriber.messages(of: "/inotify-coredump/dump/sh").count >= 250
    }
    let messages = subscriber.messages(of: "/inotify-coredump/dump/sh")
    #expect(Set(messages.map { $0.integer("pid")! }) == Set(1...250))
    #expect(messages.count == 250 && messages.allSatisfy { $0.integer("dropped") == 0 })
    #expect(process.log.count { $0.contains("queue is full") } <= 20)
    #expect(try process.stop() == 0)
    #expect(try bridge.stop() == 0)
  }
}
